// Where the time of both searches went, as bars on one scale.
import { by, make } from "./dom.js";
import { milliseconds } from "./numbers.js";

const STAGES = ["upstream", "inference", "tokenize", "queue", "compute"];
const MEANING = {
  upstream: "Qdrant's search", inference: "the question's vector", tokenize: "texts to tokens", queue: "waiting for the model", compute: "the model",
};

function bar(label, parts, total, longest) {
  const pieces = parts.filter(([, time]) => time > 0).map(([stage, time]) => {
    const piece = make("i", { class: `s-${stage}`, title: `${stage}: ${milliseconds(time)}` });
    piece.style.width = `${(100 * time) / longest}%`;
    return piece;
  });
  return [make("span", {}, label), make("span", { class: "bar", "aria-hidden": "true" }, ...pieces), make("span", { class: "total num" }, milliseconds(total))];
}

export function showTimes(answer) {
  const { vector, reranked } = answer;
  const timing = reranked?.timing;
  const longest = Math.max(vector.wall_ms, reranked?.wall_ms ?? 0, 1);
  const rows = bar("Vector order", [["upstream", vector.wall_ms]], vector.wall_ms, longest);
  if (reranked?.status === 200) {
    const parts = timing ? STAGES.filter((stage) => stage in timing).map((stage) => [stage, timing[stage]]) : [["upstream", reranked.wall_ms]];
    rows.push(...bar("Reranked", parts, reranked.wall_ms, longest));
    rows.push(make("span", { class: "legend num" }, ...parts.map(([stage, time]) =>
      make("span", { title: MEANING[stage] }, make("i", { class: `s-${stage}` }), `${stage} `, make("b", {}, milliseconds(time))))));
  }
  by("times").replaceChildren(...rows);
  by("times").hidden = false;
}
