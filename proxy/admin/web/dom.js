// Elements from values. Text only ever becomes text: the page's policy allows no markup from strings.
const SVG = "http://www.w3.org/2000/svg";

export const by = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const draw = (tag, attributes = {}) => fill(document.createElementNS(SVG, tag), attributes, []);

/** Replaces the options of a select or datalist; `options` are [value, label] or plain values. */
export function setOptions(element, options, chosen) {
  element.replaceChildren(...options.map((option) => {
    const [value, label] = Array.isArray(option) ? option : [option, option];
    return make("option", { value }, label);
  }));
  if (chosen !== undefined) element.value = chosen;
}
