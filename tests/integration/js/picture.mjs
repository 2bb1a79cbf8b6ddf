// A picture of the compare page: `node picture.mjs ADMIN-URL OUT.png [WIDTH HEIGHT light|dark QUESTION]`.
// docs/images/compare.png is what it makes of scripts/demo.
import { comparing, withPage } from "./browser.mjs";

const [url, out, width = "1280", height = "900", colorScheme = "light", question = ""] = process.argv.slice(2);
const viewport = { width: Number(width), height: Number(height) };
const { complaints } = await withPage(url, { viewport, colorScheme }, async (page) => {
  await page.waitForFunction(() => document.getElementById("facts").textContent !== "");
  const asked = question || (await page.locator("#question").getAttribute("placeholder"));
  if (asked !== "-") {
    await comparing(page, async () => {
      await page.locator("#question").fill(asked);
      await page.locator("#question").press("Enter");
    });
  }
  await page.evaluate(() => document.activeElement.blur());
  await page.screenshot({ path: out });
  return {};
});
if (complaints.length) console.error(complaints.join("\n"));
