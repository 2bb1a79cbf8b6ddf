// What tests/integration/test_compare_page.py does in a browser: `node page.mjs WHAT ADMIN-URL COLLECTION [KEY…]`.
// Prints what was seen as JSON.
import { comparing, slide, titles, withPage } from "./browser.mjs";

const [what, url, collection, ...more] = process.argv.slice(2);
const QUESTION = "red fox winter forest";

const ask = (page, question = QUESTION) => comparing(page, async () => {
  await page.locator("#question").fill(question);
  await page.locator("#question").press("Enter");
});

async function choose(page, name = collection) {
  const described = () => page.waitForFunction(() => document.getElementById("facts").textContent !== "");
  await described(); // the first one, by the page itself
  await page.evaluate(() => { document.getElementById("facts").textContent = ""; });
  await page.locator("#collection").selectOption(name);
  await described();
}

// Along the dense vector: by a stored point, for nothing here makes a dense vector of text.
const byPoint = (page) => comparing(page, async () => {
  await page.locator("#question").fill(QUESTION);
  await page.locator("#vector").selectOption("");
  await page.locator("#way").selectOption("point");
  await page.locator("#point").fill("1");
}, (asked) => asked.search.query === 1 && asked.options.rerank_query === QUESTION);

const PHONE = { viewport: { width: 390, height: 844 }, colorScheme: "dark" };

/** What the page says of the search: a problem, what is missing, or what was done. */
const said = (page) => page.evaluate(() => ["problem", "empty", "summary"].map((id) => document.getElementById(id))
  .filter((part) => !part.hidden && part.textContent).map((part) => part.innerText).join("\n"));

/** Until nothing is asked any more and something is said. */
const settled = (page) => page.waitForFunction(() => {
  const last = performance.getEntriesByType("resource").filter((one) => !one.name.endsWith("/models")).at(-1);
  const parts = ["problem", "empty", "summary"].map((id) => document.getElementById(id)).filter((part) => !part.hidden);
  const text = parts.map((part) => part.textContent).join("");
  return performance.now() - last.responseEnd > 400 && document.getElementById("working").hidden && text && text !== "Searching…";
});

const scenarios = {
  // Searches, moves the sliders, sees the order change, switches reranking off.
  search: () => withPage(url, {}, async (page) => {
    await choose(page);
    const byText = await ask(page);
    const whole = await byPoint(page);
    const reranked = await titles(page, "right");
    const vector = await titles(page, "left");
    const summary = await page.locator("#summary").textContent();
    const lines = await page.locator("#lines path").count();
    const stages = await page.locator("#times .legend > span").allTextContents();
    const weightless = await comparing(page, () => slide(page, "weight", "least"), (asked) => asked.options.rerank_weight === 0);
    const atZero = await titles(page, "right");
    await comparing(page, () => slide(page, "weight", "most"), (asked) => asked.options.rerank_weight === 1);
    const back = await titles(page, "right");
    const fewest = await comparing(page, () => slide(page, "top_k", "least"), (asked) => asked.options.rerank_top_k === 10);
    const fewSummary = await page.locator("#summary").textContent();
    await comparing(page, () => page.locator("#rerank").uncheck(), (asked) => !asked.rerank);
    const off = { right: await page.locator("#right").isVisible(), left: await titles(page, "left") };
    return {
      byText: byText.asked, reranked, vector, summary, lines, stages, atZero, back, fewSummary, off,
      weight: weightless.asked.options.rerank_weight, topK: fewest.asked.options.rerank_top_k, model: whole.answered.reranked.model,
    };
  }),

  // The whole hit, the snippets, the keyboard.
  details: () => withPage(url, { permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
    await choose(page);
    await ask(page);
    await page.locator("#use summary").click();
    const snippets = {};
    for (const language of ["curl", "python", "js"]) {
      await page.locator(`[data-language=${language}]`).click();
      snippets[language] = await page.locator("#snippet").textContent();
    }
    await page.locator("#copy").click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const first = page.locator("#right .hit").first();
    await first.focus();
    await page.keyboard.press("Enter");
    const dialog = await page.locator("#hit").innerText();
    await page.keyboard.press("Escape");
    const closed = !(await page.locator("#hit").isVisible());
    const hot = await page.locator("#lines path.hot").count();
    await page.keyboard.press("/");
    const focused = await page.evaluate(() => document.activeElement.id);
    const described = await page.evaluate(() => [...document.querySelectorAll(".settings .row")].map((row) => {
      const control = row.querySelector("input, select");
      return Boolean(control.labels.length && document.getElementById(control.getAttribute("aria-describedby"))?.textContent);
    }));
    await page.locator("#weight").focus();
    const hint = await page.locator("#h-weight").isVisible();
    return { snippets, copied, dialog, closed, hot, focused, described, hint, titles: await titles(page, "right") };
  }),

  // A model is loaded and unloaded by its button, and judges.
  load: () => withPage(url, {}, async (page) => {
    await choose(page);
    const row = page.locator("[data-model=minilm]");
    const before = await row.locator(".state").textContent();
    await row.getByRole("button", { name: "Load minilm", exact: true }).click();
    await row.getByRole("button", { name: "Unload minilm" }).and(page.locator(":enabled")).waitFor();
    const loaded = await row.locator(".state").textContent();
    await page.locator("#model").selectOption("minilm");
    const { answered } = await ask(page, "a fox in the snow");
    await row.getByRole("button", { name: "Unload minilm" }).click();
    await row.getByRole("button", { name: "Load minilm", exact: true }).and(page.locator(":enabled")).waitFor();
    return { before, loaded, after: await row.locator(".state").textContent(), model: answered.reranked.model, used: answered.reranked.used };
  }),

  // While a model loads: how much of it was read. What the listener would tell of a large one is put in its answers.
  progress: () => withPage(url, {}, async (page) => {
    let told = { state: "loading", load_read: 312 * 2 ** 20, load_total: 1180 * 2 ** 20 };
    await page.route("**/models", async (route) => {
      const { models } = await (await route.fetch()).json();
      await route.fulfill({ json: { models: models.map((model) => (model.name === "minilm" ? { ...model, ...told } : model)) } });
    });
    await page.reload();
    const row = page.locator("[data-model=minilm]");
    const bar = row.getByRole("progressbar", { name: "minilm: read" });
    await bar.waitFor();
    const share = await bar.evaluate((one) => one.position);
    const state = await row.locator(".state").textContent();
    const wide = await bar.evaluate((one) => one.getBoundingClientRect().width / one.parentElement.getBoundingClientRect().width);
    told = { state: "ready" };
    await bar.waitFor({ state: "detached" });
    return { share, state, wide };
  }),

  // What the page chooses by itself for a question, and what comes of it.
  choice: () => withPage(url, {}, async (page) => {
    await choose(page);
    await page.waitForFunction(() => document.getElementById("vector").value !== "");
    const chosen = await page.evaluate(() => ["vector", "way", "embedding"].map((id) => document.getElementById(id).value));
    const offered = await page.locator("#embeddings option").evaluateAll((options) => options.map((option) => option.value));
    const { asked, answered } = await ask(page);
    return { chosen, offered, query: asked.search.query, used: answered.reranked.used, left: await titles(page, "left") };
  }),

  // Collections of which some can be searched by nothing, or not by what is configured: what the page begins with and says.
  unsearchable: () => withPage(url, {}, async (page, seen) => {
    await choose(page);
    await page.locator("#question").fill(QUESTION);
    const found = {};
    for (const name of more) {
      const described = page.waitForResponse((one) => one.url().endsWith(`/collections/${name}`));
      const before = seen.requests.filter((one) => one.method() === "POST").length;
      await page.locator("#collection").selectOption(name);
      await (await described).finished();
      await settled(page);
      const state = await page.evaluate(() => Object.fromEntries(["way", "vector", "embedding"].map((id) => [id, document.getElementById(id).value])));
      found[name] = {
        ...state, said: await said(page), note: await page.locator("#way-note").textContent(),
        offered: await page.locator("#embeddings option").evaluateAll((options) => options.map((option) => option.value)),
        searches: seen.requests.filter((one) => one.method() === "POST").length - before,
      };
    }
    await page.locator("#collection").selectOption("sparse");
    await comparing(page, () => page.locator("#question").fill("zebra").then(() => page.locator("#go").click()), (asked) => asked.search.query.text === "zebra");
    const nothing = await said(page);
    await page.locator("#collection").selectOption(more.at(-1));
    await page.waitForFunction(() => document.getElementById("vector").value === "title");
    await page.locator("#way").selectOption("text");
    await page.locator("#embedding").fill("mock-embedding");
    await page.locator('#empty:has-text("numbers")').waitFor();
    return { found, nothing, typed: await said(page) };
  }),

  // Qdrant wants a key, on a phone: what is told without one and with a wrong one, of the list, a search, and one by a point.
  refused: () => withPage(url, PHONE, async (page) => {
    const [key] = more;
    const type = async (typed, part) => {
      await page.locator("#key").fill(typed);
      await page.locator("#key").press("Enter");
      await page.locator(`#problem:visible:has-text("${part}"), #summary:visible:has-text("${part}")`).waitFor();
      return said(page);
    };
    await page.locator("#problem").waitFor();
    const none = await said(page);
    await page.locator("#question").fill(QUESTION);
    await Promise.all([page.waitForResponse((one) => one.url().endsWith("/collections")), page.locator("#go").click()]);
    await page.locator("#problem").waitFor();
    const again = await said(page);
    await page.locator("#problem").getByRole("button", { name: "To the API key" }).click();
    const focused = await page.evaluate(() => document.activeElement.id);
    const wrong = await type("a-wrong-one", "the right one");
    const right = await type(key, "judged by");
    await type("a-wrong-one", "the right one");
    const searched = (await ask(page), await said(page));
    const byOne = (await byPoint(page), await said(page));
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    return { none, again, focused, wrong, right, searched, byOne, wider };
  }),

  // A key that allows less than what is asked: `more` is the key to type, if any.
  forbidden: () => withPage(url, {}, async (page) => {
    await settled(page);
    const [key] = more;
    if (key) {
      await page.locator("#key").fill(key);
      await Promise.all([page.waitForResponse((one) => one.url().endsWith("/collections")), page.locator("#key").press("Enter")]);
      await settled(page);
    }
    const began = await said(page);
    await page.locator("#question").fill(QUESTION);
    await page.locator("#question").press("Enter");
    await settled(page);
    return { began, asked: await said(page), way: await page.locator("#way").inputValue() };
  }),

  // What somebody may type who does not know better; each time the page says what is wrong, and searches nothing that it need not.
  mistakes: () => withPage(url, {}, async (page, seen) => {
    await choose(page);
    await byPoint(page);
    const said = async (act, part) => {
      await act();
      await page.locator(`:is(#empty, #problem):visible:has-text("${part}")`).waitFor();
    };
    const mended = (act) => comparing(page, act);
    const searches = () => seen.requests.filter((one) => one.method() === "POST" && one.url().endsWith("/compare")).length;
    const before = searches();
    await said(async () => { await page.locator("#threshold").focus(); await page.keyboard.type("1e"); }, "The threshold is no number");
    const unasked = searches() - before;
    await mended(() => page.locator("#threshold").fill(""));
    await said(() => page.locator("#point").fill("the first one"), "whole number or a UUID");
    await mended(() => page.locator("#point").fill("1"));
    await said(() => page.locator("#field").fill("a[b"), "rerank_field");
    await mended(() => page.locator("#field").fill(""));
    await said(() => page.locator("#question").fill("why ".repeat(30_000)).then(() => page.keyboard.press("Enter")), "body is larger than 65536 bytes");
    await ask(page);
    await said(() => page.locator("#key").fill("clé ✓").then(() => page.keyboard.press("Enter")), "This is no API key");
    await page.locator("#key").fill("a-key-that-nobody-asks-for");
    await page.locator("#key").press("Enter");
    await page.locator("#problem").waitFor({ state: "hidden" });
    return { unasked, collection: await page.locator("#collection").inputValue() };
  }),

  // A tooltip lies over the results, whatever hits lie behind it.
  tooltip: () => withPage(url, {}, async (page) => {
    await choose(page);
    await byPoint(page);
    await page.locator("#weight").hover();
    await page.waitForFunction(() => getComputedStyle(document.getElementById("h-weight")).opacity === "1");
    return page.evaluate(() => {
      const hint = document.getElementById("h-weight");
      hint.style.pointerEvents = "auto"; // else nothing is found there but what lies behind
      const box = hint.getBoundingClientRect();
      return { over: document.elementFromPoint(box.right - 5, box.bottom - 5) === hint };
    });
  }),

  // Two collections are chosen one after the other, and the first one's description comes last.
  hasty: () => withPage(url, {}, async (page) => {
    const [slow, quick] = [collection, more[0]];
    await choose(page, quick);
    let release;
    const held = new Promise((done) => { release = done; });
    await page.route(`**/collections/${slow}`, async (route) => {
      const response = await route.fetch();
      await held;
      await route.fulfill({ response });
    });
    await page.locator("#collection").selectOption(slow);
    const described = (name) => page.waitForResponse((one) => one.url().endsWith(`/collections/${name}`)).then((one) => one.finished());
    await Promise.all([described(quick), page.locator("#collection").selectOption(quick)]);
    await Promise.all([described(slow), release()]);
    await page.evaluate(() => new Promise((done) => { setTimeout(done, 100); })); // the page has read it
    const { asked } = await ask(page);
    return { asked: asked.collection };
  }),

  // The admin token and Qdrant's key: asked for, used, kept nowhere.
  keys: () => withPage(url, {}, async (page) => {
    const [token, key] = more;
    await page.locator("#sign-in[open]").waitFor();
    await page.locator("#token").fill("not the token at all");
    await page.locator("#token").press("Enter");
    await page.getByText("That is not the token.").waitFor();
    await page.locator("#token").fill(token);
    await page.locator("#token").press("Enter");
    await page.locator("#problem").waitFor();
    const without = await page.locator("#problem").innerText();
    await page.locator("#key").fill(key);
    await page.locator("#key").press("Enter");
    await choose(page);
    const { headers, answered } = await ask(page);
    await page.locator("#use summary").click();
    const snippet = await page.locator("#snippet").textContent();
    const kept = await page.evaluate(async () => JSON.stringify({ ...localStorage, ...sessionStorage, cookie: document.cookie, url: location.href, html: document.documentElement.outerHTML }));
    return { without, sent: [headers.authorization, headers["api-key"]], used: answered.reranked.used, snippet, kept };
  }),

  // A payload that would be markup.
  hostile: () => withPage(url, {}, async (page) => {
    await choose(page);
    await ask(page);
    await page.locator("#left .hit").first().click();
    const body = await page.locator("#hit").innerText();
    return { title: (await titles(page, "left"))[0], body, ran: await page.evaluate(() => "ran" in window), images: await page.locator("main img, dialog img").count() };
  }),

  // Phone width: one list, moves as badges, nothing wider than the screen; dark as the system says.
  phone: () => withPage(url, PHONE, async (page) => {
    await choose(page);
    await page.locator("#settings summary").click();
    await byPoint(page);
    await page.locator("#settings summary").click();
    const theme = () => page.evaluate(() => [document.documentElement.dataset.theme, getComputedStyle(document.body.parentElement).backgroundColor]);
    const dark = await theme();
    await page.locator("#theme").click();
    const light = await theme();
    await page.reload();
    await choose(page);
    return {
      dark, light, again: await theme(),
      wider: await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
    };
  }),

  badges: () => withPage(url, { viewport: { width: 390, height: 844 } }, async (page) => {
    await choose(page);
    await page.locator("#settings summary").click();
    await byPoint(page);
    return {
      left: await page.locator("#left").isVisible(), right: await page.locator("#right").isVisible(), titles: await titles(page, "right"),
      moves: await page.locator("#right .move").allTextContents(),
      wider: await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
    };
  }),

  // A report of `qrerank eval`: wider than the screen is nothing but what scrolls by itself, and labels can be read there.
  report: async () => {
    const at = (width) => withPage(url, { viewport: { width, height: 900 } }, (page) => page.evaluate(() => ({
      wider: document.documentElement.scrollWidth - innerWidth,
      cut: [...document.querySelectorAll(".wide")].filter((box) => box.scrollWidth > box.clientWidth).length,
      smallest: Math.min(...[...document.querySelectorAll("svg text.tick")].map((label) => label.getBoundingClientRect().height)),
      overlapping: [...document.querySelectorAll("svg")].filter((plot) => {
        const boxes = [...plot.querySelectorAll("text")].map((label) => label.getBoundingClientRect());
        return boxes.some((one, n) => boxes.slice(n + 1).some((other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom));
      }).length,
    })));
    return { desktop: await at(1280), phone: await at(390) };
  },

  // Nothing there, nothing reachable.
  problem: () => withPage(url, {}, async (page) => {
    await page.waitForFunction(() => document.querySelector("#problem:not([hidden])") || document.querySelector("#empty p"));
    return { problem: await page.locator("#problem").isVisible() ? await page.locator("#problem").innerText() : "", empty: await page.locator("#empty").innerText() };
  }),
};

console.log(JSON.stringify(await scenarios[what]()));
