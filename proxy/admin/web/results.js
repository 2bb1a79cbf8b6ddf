// The two lists, and one hit in full. What the rows hold is ranking.js's.
import { by, make } from "./dom.js";
import { score } from "./numbers.js";

function moveOf(row, shown) {
  if (row.from === undefined) {
    if (row.to === undefined || row.to === null || row.to <= shown) return null;
    return make("span", { class: "move", title: `Reranked it is number ${row.to}` }, `↓${row.to - row.rank}`);
  }
  if (row.from === null) return make("span", { class: "move up", title: "Not among the hits in vector order" }, "new");
  const by = row.from - row.rank;
  const title = `Number ${row.from} in vector order`;
  if (by === 0) return make("span", { class: "move", title, "aria-label": "not moved" }, "=");
  return make("span", { class: by > 0 ? "move up" : "move", title, "aria-label": `${by > 0 ? "up" : "down"} ${Math.abs(by)}` }, by > 0 ? `↑${by}` : `↓${-by}`);
}

// [label, value] with the number that the order follows first.
function scoresOf(row) {
  if (row.vector_score === undefined) return [["vector", row.score]];
  const mixed = row.rerank_score !== undefined && Math.abs(row.rerank_score - row.score) > 1e-9;
  return [...(mixed ? [["score", row.score]] : []), ["model", row.rerank_score], ["vector", row.vector_score]];
}

function card(row, shown, compared) {
  const numbers = scoresOf(row).map(([label, value], index) =>
    make("span", { class: index === 0 ? "main" : undefined }, label, make("b", {}, score(value))));
  const out = compared && row.from === undefined && (row.to === null || row.to > shown);
  return make("li", {}, make("button", { type: "button", class: out ? "hit left-out" : "hit", "data-id": row.id, onclick: () => showHit(row) },
    make("span", { class: "rank" }, row.rank),
    make("span", { class: "title" }, row.title),
    make("span", { class: "numbers" }, ...numbers),
    compared ? moveOf(row, shown) : null,
    make("span", { class: "text" }, snippet(row))));
}

// The text without the title that it often begins with.
function snippet(row) {
  const lines = row.text.split("\n");
  const rest = lines.length > 1 && lines[0].includes(row.title) ? lines.slice(1).join(" ") : row.text;
  return rest.slice(0, 400);
}

function showHit(row) {
  by("hit-head").textContent = row.title;
  const facts = [["id", row.id], ...scoresOf(row).map(([label, value]) => [`${label} score`, value ?? "none: no text"])];
  if (row.from !== undefined) facts.push(["in vector order", row.from ?? "not among the hits"]);
  else if (row.to !== undefined && row.to !== null) facts.push(["reranked", row.to]);
  by("hit-body").replaceChildren(
    make("dl", {}, ...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))])),
    make("p", {}, row.text || "This point has no text to judge."),
    make("pre", { tabindex: "0", "aria-label": "Payload" }, JSON.stringify(row.payload ?? null, null, 2)));
  by("hit").showModal();
}

/** Shows the first `shown` of each side; `right` empty: vector order alone. */
export function showLists(left, right, shown, compared) {
  by("columns").classList.toggle("single", !compared);
  for (const part of document.querySelectorAll("#columns .right, #lines")) part.toggleAttribute("hidden", !compared);
  by("left").replaceChildren(...left.slice(0, shown).map((row) => card(row, shown, compared)));
  by("right").replaceChildren(...right.slice(0, shown).map((row) => card(row, shown, compared)));
  by("columns").hidden = false;
}
