// Light or dark: the system's, until somebody chooses.
import { by } from "./dom.js";

const KEY = "qrerank-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be switched off
  }
}

function apply() {
  const theme = stored() ?? (system.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme;
  by("theme").textContent = theme === "dark" ? "Light" : "Dark";
  return theme;
}

export function startTheme() {
  apply();
  system.addEventListener("change", apply);
  by("theme").addEventListener("click", () => {
    const next = apply() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, next);
    } catch { /* then for this view only */ }
    apply();
    document.documentElement.dataset.theme = next;
    by("theme").textContent = next === "dark" ? "Light" : "Dark";
  });
}
