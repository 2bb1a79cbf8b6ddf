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

/** "312 of 1,180 MiB": never coarser than MiB, for it is to be seen moving. */
export function bytesOf(read, total) {
  const [size, unit] = total >= 2 ** 20 ? [2 ** 20, "MiB"] : [2 ** 10, "KiB"];
  const places = total < 10 * size ? 1 : 0;
  const number = (value) => (value / size).toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
  return `${number(read)} of ${number(total)} ${unit}`;
}

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
