// Wiring: what is asked when, and what is shown then.
import { ApiError, ask, onTokenNeeded, setApiKey } from "./api.js";
import { by, make, setOptions } from "./dom.js";
import { currentCollection, forgetCollection, missing, noHits, offer, offerCollection, offerModels, offerWays, PROMPT, readState, showValues, showWays } from "./form.js";
import { drawLines, followPicks } from "./lines.js";
import { BUILT_IN, watchModels } from "./models.js";
import { milliseconds, plural } from "./numbers.js";
import { noProblem, reasonText, showProblem } from "./problems.js";
import { changes, ranked } from "./ranking.js";
import { comparison, fieldList } from "./request.js";
import { showLists } from "./results.js";
import { snippets } from "./snippets.js";
import { startTheme } from "./theme.js";
import { showTimes } from "./times.js";

const PAGE = 10;
const PAUSE_MS = 250; // between the last change and the search for it
const wide = matchMedia("(min-width: 60.01rem)");

let form = { proxy: "" };
let shown = PAGE;
let rows = { left: [], right: [] };
let compared = false; // both orders are shown
let waitsForModel = false;
let running = false;
let again = false; // something changed while it ran
let reading = 0; // what the collections are is being asked; a search follows by itself
let timer = 0;
let language = "curl";

// --- a search ---------------------------------------------------------------------------------------------------------

function say(text) {
  by("summary").textContent = text;
}

function showEmpty(...lines) {
  const said = lines.filter(Boolean);
  by("empty").replaceChildren(...said.map((line) => make("p", {}, line)));
  by("empty").hidden = said.length === 0;
}

function clear() {
  noProblem();
  by("times").hidden = by("columns").hidden = by("more").hidden = by("use").hidden = true;
  say("");
}

function redraw() {
  showLists(rows.left, rows.right, shown, compared);
  drawLines(rows.left, rows.right, shown);
  by("more").hidden = Math.max(rows.left.length, rows.right.length) <= shown;
}

function showUse() {
  const state = readState();
  by("snippet").textContent = snippets[language](state, form.proxy, by("key").value !== "");
  by("use").hidden = false;
}

function sentence(answer) {
  const side = answer.reranked;
  if (!side) return `${plural(rows.left.length, "hit")} in Qdrant's order.`;
  if (!side.used) return "Not reranked: both lists are in Qdrant's order.";
  const { shown: seen, moved, fresh } = changes(rows.right, shown);
  const note = side.model === BUILT_IN ? " (it only counts common words)" : side.timing?.compute === 0 ? " (scores from the cache)" : "";
  const who = `${plural(side.candidates, "candidate")} judged by ${side.model} in ${milliseconds(side.time_ms)}${note}`;
  if (seen === 0) return `${who}; no hit reaches the threshold.`;
  if (moved === 0) return `${who}; the order is the same.`;
  return `${who}; of the first ${seen}, ${moved} moved${fresh ? ` and ${fresh} came up from further down` : ""}.`;
}

function show(answer, state) {
  const { vector, reranked } = answer;
  noProblem();
  showEmpty();
  if (vector.status !== 200) {
    clear();
    return showProblem(`The search is answered with ${vector.status}`, vector.error, vector);
  }
  rows = ranked(answer, fieldList(state.field));
  compared = reranked?.status === 200;
  if (reranked && !compared) showProblem(`The reranked search is answered with ${reranked.status}`, reranked.error, reranked);
  else if (reranked && !reranked.used) showProblem(`Not reranked (${reranked.reason ?? "no reason given"})`, reasonText(reranked.reason), { mild: true });
  waitsForModel = reranked?.reason === "model_unavailable" || reranked?.reason === "timeout";
  if (rows.left.length === 0) {
    clear();
    return showEmpty("The search has no hits.", noHits(state));
  }
  say(sentence(answer));
  showTimes(answer);
  redraw();
  showUse();
}

async function search() {
  clearTimeout(timer);
  if (running) {
    again = true;
    return;
  }
  if (!currentCollection()) return reading ? undefined : start(); // it could not be read before
  const state = readState();
  const lacks = missing(state);
  if (lacks) {
    clear();
    return showEmpty(lacks, lacks === PROMPT ? "Enter searches. Moving a control searches again." : "");
  }
  running = true;
  if (by("columns").hidden) showEmpty("Searching…");
  by("working").hidden = false;
  by("results").setAttribute("aria-busy", "true");
  try {
    show(await ask("/compare", comparison(state, shown)), state);
  } catch (error) {
    clear();
    showEmpty();
    if (!(error instanceof ApiError)) throw error;
    showProblem("The comparison failed", error.message, error);
  } finally {
    running = false;
    by("working").hidden = true;
    by("results").removeAttribute("aria-busy");
    if (again) {
      again = false;
      search();
    }
  }
}

function searchSoon() {
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE_MS);
}

// --- collections ------------------------------------------------------------------------------------------------------

function showExamples(examples) {
  const some = examples.filter((one) => typeof one === "string" && one).slice(0, 8);
  by("examples").replaceChildren(...some.map((text) => make("button", {
    type: "button",
    onclick: () => {
      by("question").value = text;
      search();
    },
  }, text)));
  by("examples").hidden = some.length === 0;
  by("question").placeholder = some[0] ?? "Ask something that this collection should know";
}

async function choose(name) {
  clear();
  shown = PAGE;
  forgetCollection();
  ++reading;
  const described = await ask(`/collections/${encodeURIComponent(name)}`).finally(() => --reading);
  if (by("collection").value !== name) return; // another one was chosen meanwhile
  offerCollection(described);
  showExamples(currentCollection().examples);
  showValues();
  await search();
}

async function offers() {
  form = await ask("/compare");
  offer(form);
  return ask("/collections");
}

async function start() {
  ++reading;
  try {
    const { collections } = await offers().finally(() => --reading);
    by("collection").disabled = collections.length === 0;
    const before = by("collection").value; // a key was typed: what was chosen stays
    setOptions(by("collection"), collections, collections.includes(before) ? before : collections[0]);
    if (collections.length === 0) {
      clear();
      return showEmpty("This Qdrant has no collections yet.", "Search again when there is one.");
    }
    await choose(by("collection").value);
  } catch (error) {
    clear();
    showEmpty();
    if (!(error instanceof ApiError)) throw error;
    const answered = error.status && error.status !== 502 && error.status !== 504; // those are the proxy's
    showProblem(answered ? `Qdrant answers ${error.status}` : "Qdrant cannot be asked", error.message, error);
  }
}

// --- the controls -----------------------------------------------------------------------------------------------------

function askForToken(wrong) {
  by("sign-in-error").textContent = wrong ? "That is not the token." : "";
  by("token").value = "";
  by("sign-in").showModal();
  return new Promise((done) => {
    by("sign-in").addEventListener("close", () => done(by("token").value), { once: true });
  });
}

function wire() {
  by("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  by("collection").addEventListener("change", (event) => choose(event.target.value).catch((error) => showProblem("The collection cannot be read", error.message, error)));
  for (const id of ["rerank", "model", "top_k", "weight", "threshold", "instruction", "field", "embedding", "point", "way"]) {
    by(id).addEventListener("input", () => {
      showValues();
      showWays();
      searchSoon();
    });
  }
  by("vector").addEventListener("input", () => {
    offerWays();
    searchSoon();
  });
  by("key").addEventListener("change", (event) => {
    const problem = setApiKey(event.target.value.trim());
    if (problem) return showProblem("This is no API key", problem);
    start();
  });
  by("more").addEventListener("click", () => {
    shown += PAGE;
    redraw();
  });
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      language = button.dataset.language;
      for (const one of document.querySelectorAll("[data-language]")) one.setAttribute("aria-pressed", String(one === button));
      showUse();
    });
  }
  by("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(by("snippet").textContent);
      by("copy").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(by("snippet")); // no clipboard without HTTPS or localhost
      by("copy").textContent = "Selected";
    }
    setTimeout(() => { by("copy").textContent = "Copy"; }, 1500);
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input, select, textarea") || document.querySelector("dialog[open]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    by("question").select();
  });
  by("sign-in").addEventListener("cancel", (event) => event.preventDefault()); // nothing can be shown without it
  const unfold = () => { by("settings").open = wide.matches; };
  wide.addEventListener("change", unfold);
  unfold();
  followPicks(by("columns"));
  new ResizeObserver(() => drawLines(rows.left, rows.right, shown)).observe(by("columns"));
}

startTheme();
wire();
onTokenNeeded(askForToken);
showValues();
await watchModels((models, nowReady) => {
  offerModels(models);
  if (nowReady.length && waitsForModel) search();
});
await start();
by("question").focus();
