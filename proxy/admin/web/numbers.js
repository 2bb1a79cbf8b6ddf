// Numbers for people. Pure.
export function milliseconds(value) {
  if (value >= 999.5) return `${(value / 1000).toFixed(2)} s`;
  return value >= 9.95 ? `${Math.round(value)} ms` : `${value.toFixed(1)} ms`;
}

export const score = (value) => (typeof value === "number" ? value.toFixed(3) : "–");

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; value /= 1024) ++unit;
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
