// SPDX-License-Identifier: BSD-3-Clause

// Elements are made here, and text gets into them as text only.

type Child = Element | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | undefined>;

const svgNamespace = "http://www.w3.org/2000/svg";

function fill(e: Element, attributes: Attributes, children: Child[]) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) e.setAttribute(name, value === true ? "" : String(value));
  }
  for (const c of children) if (c) e.append(c);
}

/** Makes an element of HTML. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  fill(e, attributes, children);
  return e;
}

/** Makes an element of SVG. */
export function s<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  const e = document.createElementNS(svgNamespace, tag);
  fill(e, attributes, children);
  return e;
}

/** Makes a button that does something. */
export function button(text: string, attributes: Attributes, act: (e: MouseEvent) => void): HTMLButtonElement {
  const b = h("button", { type: "button", ...attributes }, text);
  b.addEventListener("click", act);
  return b;
}

/** Says something to those who listen to the page instead of looking at it. */
export function say(text: string) {
  const live = document.getElementById("live");
  if (live) live.textContent = text;
}

/** Calls once when the page is on the screen, or before the first thing that its
 * user does. */
export function afterPaint(f: () => void) {
  const hands = ["pointermove", "pointerdown", "wheel", "keydown", "focusin"];
  const once = () => {
    clearTimeout(timer);
    paints.disconnect();
    for (const type of hands) removeEventListener(type, once, true);
    f();
  };
  const timer = setTimeout(once, 500); // a tab behind others is not painted
  const paints = new PerformanceObserver(once);
  paints.observe({ type: "paint", buffered: true });
  for (const type of hands) addEventListener(type, once, true);
}
