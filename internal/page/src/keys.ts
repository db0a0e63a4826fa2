// SPDX-License-Identifier: BSD-3-Clause

import { button, h } from "./dom.ts";

const help: [string, string][] = [
  ["/", "find by address, name, AS or port"],
  ["p", "to the list of paths"],
  ["d", "to the drawing"],
  ["← → ↑ ↓", "in the drawing: along the links, and within a TTL"],
  ["Enter", "isolate the path or station; Shift and Enter compares a path"],
  ["Esc", "back: nothing picked, nothing sought"],
  ["+ − 0", "nearer, farther, all of it"],
  ["c", "colour by the next figure"],
  ["g  s  t", "AS bands, silent hops, table"],
  ["l", "live: keep the picture as it is, or go on"],
  ["?", "this list"],
];

/** The list of keys. */
export function helpDialog(): HTMLDialogElement {
  const dl = h("dl");
  for (const [keys, what] of help) dl.append(h("dt", {}, ...keys.split(/\s+/).map((k) => h("kbd", {}, k))), h("dd", {}, what));
  const d = h("dialog", { "aria-label": "Keys" }, h("h2", {}, "Keys"), dl,
    h("p", { class: "quiet" }, "The mouse drags and scales the drawing, two fingers do the same. A click isolates what it is on, Shift and a click on a second path compares the two. The address holds the view: a copy of it shows the same."),
    button("Close", {}, () => d.close()));
  return d;
}

/** What keys do wherever the focus is, unless it is where text is written. */
export function listenForKeys(actions: Record<string, () => void>) {
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    const at = e.target instanceof Element ? e.target : document.body;
    if (at.closest("dialog")) return;
    if (at.closest("input, select, textarea") && e.key !== "Escape") return;
    const act = actions[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  });
}
