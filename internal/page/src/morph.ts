// SPDX-License-Identifier: BSD-3-Clause

/** Makes the children of an element like those given, and keeps what is like them
 * already: what has the focus, is scrolled or selected stays so. What is given
 * must have no listeners of its own, as an element that is kept has none of them:
 * what a click on it asks for stands in its attributes (see ask.ts). */
export function exchange(parent: Element, now: (Element | string)[]) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  children(parent, now.map((c) => (typeof c === "string" ? document.createTextNode(c) : c)));
  if (focused && focused !== parent && !focused.isConnected) refocus(parent, focused);
}

function children(parent: Element, now: ChildNode[]) {
  now.forEach((b, i) => {
    const a = parent.childNodes[i];
    if (!a) parent.append(b);
    else if (a instanceof Text && b instanceof Text) {
      if (a.data !== b.data) a.data = b.data;
    } else if (a instanceof Element && b instanceof Element && alike(a, b)) {
      if (!a.isEqualNode(b)) become(a, b);
    } else a.replaceWith(b);
  });
  while (parent.childNodes.length > now.length) parent.lastChild!.remove();
}

/** Whether one element can become another: what a click does must be the same. The
 * page's policy lets no attribute set a style. */
function alike(a: Element, b: Element): boolean {
  return a.localName === b.localName && a.id === b.id && ["data-ask", "data-copy", "style"].every((name) => a.getAttribute(name) === b.getAttribute(name));
}

function become(a: Element, b: Element) {
  for (const { name, value } of b.attributes) if (a.getAttribute(name) !== value) a.setAttribute(name, value);
  for (const { name } of [...a.attributes]) {
    // Whether details are open is the user's.
    if (name !== "open" && !b.hasAttribute(name)) a.removeAttribute(name);
  }
  children(a, [...b.childNodes]);
}

/** Gives the focus to what asks for the same as what has lost it. */
function refocus(parent: Element, lost: Element) {
  const ask = lost.getAttribute("data-ask");
  const next = ask === null ? undefined : [...parent.querySelectorAll<HTMLElement>("[data-ask]")].find((e) => e.getAttribute("data-ask") === ask);
  (next ?? (parent as HTMLElement)).focus({ preventScroll: true });
}
