// The lines from where a hit stood to where it stands.
import { by, draw } from "./dom.js";

const DEPTH = 26; // pixels

const middleOf = (item, top) => {
  const box = item.getBoundingClientRect();
  return box.top - top + box.height / 2;
};

const path = (row, kind, d) => draw("path", { class: kind, "data-id": row.id, d });

function whole(row, kind, y1, y2, width) {
  const half = width / 2;
  return path(row, kind, `M0 ${y1}C${half} ${y1} ${half} ${y2} ${width} ${y2}`);
}

// A hit whose other place is not shown: a short line out of the depth, or into it.
const rising = (row, kind, y, width) => path(row, `${kind} beyond`, `M${width * 0.35} ${y + DEPTH}C${width * 0.65} ${y + DEPTH} ${width * 0.5} ${y} ${width} ${y}`);
const sinking = (row, y, width) => path(row, "down beyond", `M0 ${y}C${width * 0.5} ${y} ${width * 0.35} ${y + DEPTH} ${width * 0.65} ${y + DEPTH}`);

const directionOf = (row) => (row.from > row.rank ? "up" : row.from < row.rank ? "down" : "same");

/** Draws them anew for the cards that are there. */
export function drawLines(left, right, shown) {
  const svg = by("lines");
  const box = svg.getBoundingClientRect();
  if (svg.hasAttribute("hidden") || box.width === 0) return svg.replaceChildren();
  const places = (list) => new Map([...by(list).querySelectorAll(".hit")].map((card) => [card.dataset.id, middleOf(card, box.top)]));
  const before = places("left");
  const after = places("right");
  const paths = left.slice(0, shown).filter((row) => !after.has(row.id)).map((row) => sinking(row, before.get(row.id), box.width));
  for (const row of right.slice(0, shown)) {
    const [from, to] = [before.get(row.id), after.get(row.id)];
    paths.push(from === undefined ? rising(row, "up", to, box.width) : whole(row, directionOf(row), from, to, box.width));
  }
  svg.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
  svg.replaceChildren(...paths);
}

/** The line and the other card of the one under the pointer or the keyboard. */
export function followPicks(columns) {
  const pick = (event) => {
    const id = event.target.closest?.(".hit")?.dataset.id;
    by("lines").classList.toggle("picking", id !== undefined);
    for (const part of columns.querySelectorAll("[data-id]")) part.classList.toggle("hot", part.dataset.id === id);
  };
  for (const name of ["mouseover", "focusin"]) columns.addEventListener(name, pick);
  columns.addEventListener("mouseleave", () => pick({ target: document.activeElement }));
  columns.addEventListener("focusout", () => pick({ target: document.body }));
}
