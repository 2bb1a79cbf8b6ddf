// From the two sides of a comparison to rows: which hit stands where, and how far it moved. Pure.
const TEXT_FIELDS = ["content", "text", "document", "page_content"];
const TITLE_FIELDS = ["title", "name", "headline", "heading", "subject", "filename", "url"];

const at = (payload, path) => path.split(".").reduce((value, key) => value?.[key], payload);
const isText = (value) => typeof value === "string" && value.trim() !== "";

/** The text that was judged, as far as a path of plain names tells. */
export function textOf(payload, fields) {
  if (!payload) return "";
  if (fields.length) return fields.map((path) => at(payload, path)).flat().filter(isText).join("\n");
  const known = TEXT_FIELDS.map((name) => payload[name]).flat().find(isText);
  return known ?? Object.values(payload).filter(isText).sort((a, b) => b.length - a.length)[0] ?? "";
}

export function titleOf(payload, text, id) {
  const key = TITLE_FIELDS.find((name) => isText(payload?.[name]));
  if (key) return payload[key];
  const first = text.split("\n", 1)[0].trim();
  return first ? first.slice(0, 120) : `Point ${id}`;
}

/** Rows for each side, and the hits that both have: [{id, from, to}], ranks from 1, null: not among the candidates. */
export function ranked(answer, fields) {
  const sideOf = (side) => (side?.points ?? []).map((point, index) => {
    const text = textOf(point.payload, fields);
    return { ...point, rank: index + 1, text, title: titleOf(point.payload, text, point.id) };
  });
  const left = sideOf(answer.vector);
  const right = sideOf(answer.reranked);
  const before = new Map(left.map((row) => [row.id, row.rank]));
  const after = new Map(right.map((row) => [row.id, row.rank]));
  for (const row of left) row.to = after.get(row.id) ?? null;
  for (const row of right) row.from = before.get(row.id) ?? null;
  return { left, right };
}

/** How much changed among the first `shown`: {moved, fresh}. `fresh` were not there in vector order. */
export function changes(right, shown) {
  const seen = right.slice(0, shown);
  return {
    shown: seen.length,
    moved: seen.filter((row) => row.from !== row.rank).length,
    fresh: seen.filter((row) => row.from === null || row.from > shown).length,
  };
}
