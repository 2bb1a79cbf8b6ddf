// A headless Chromium for the tests of the compare page: everything it asks for and complains of is kept.
import { chromium } from "playwright-core";

const WAIT_MS = 30_000; // of one step; nothing takes that long on a machine that is not overloaded
// As root there is no sandbox; and nothing of the browser's own may look for the network.
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Calls `act(page, seen)` on the page of the admin listener at `url`; `options` are the browser context's. */
export async function withPage(url, options, act) {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ARGUMENTS });
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    const seen = { requests: [], complaints: [] };
    page.on("request", (request) => seen.requests.push(request));
    page.on("pageerror", (error) => seen.complaints.push(String(error)));
    page.on("console", (message) => {
      // What is answered with an error is said by the page itself.
      if (["error", "warning"].includes(message.type()) && !message.text().includes("Failed to load resource")) seen.complaints.push(message.text());
    });
    await page.goto(url);
    const found = await act(page, seen);
    const hosts = [...new Set(seen.requests.map((request) => new URL(request.url()).host))];
    return { ...found, hosts, complaints: seen.complaints };
  } finally {
    await browser.close();
  }
}

/** The titles of one list, in order. */
export const titles = (page, list) => page.locator(`#${list} .hit .title`).allTextContents();

/** Does `act` and waits for the comparison that it leads to, the one for which `wanted(body)` holds. */
export async function comparing(page, act, wanted = () => true) {
  const isIt = (one) => one.url().endsWith("/compare") && one.request().method() === "POST" && wanted(one.request().postDataJSON());
  const [response] = await Promise.all([page.waitForResponse(isIt), act()]);
  const answered = await response.json();
  await page.locator("#working").waitFor({ state: "hidden" });
  return { asked: response.request().postDataJSON(), answered, headers: await response.request().allHeaders() };
}

/** Sets a slider as a person does: by the keyboard. */
export async function slide(page, id, to) {
  const slider = page.locator(`#${id}`);
  await slider.focus();
  await slider.press(to === "most" ? "End" : "Home");
}
