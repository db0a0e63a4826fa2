// SPDX-License-Identifier: BSD-3-Clause

// What a click asks for stands in attributes, and one listener of the part reads
// them: so elements can be exchanged at any time.

import { h } from "./dom.ts";
import type { Pick } from "./model.ts";

/** Makes a button that picks something, or nothing. */
export function ask(text: string, pick: Pick | null, attributes: Record<string, string> = {}): HTMLButtonElement {
  return h("button", { type: "button", "data-ask": JSON.stringify(pick), ...attributes }, text);
}

/** Has a part do what clicks on its buttons ask for. */
export function answer(part: Element, go: (pick: Pick | null) => void, copy?: (b: HTMLButtonElement, text: string) => void) {
  part.addEventListener("click", (e) => {
    const b = (e.target as Element).closest("button");
    const pick = b?.getAttribute("data-ask");
    const text = b?.getAttribute("data-copy");
    if (typeof pick === "string") go(JSON.parse(pick) as Pick | null);
    else if (b && typeof text === "string") copy?.(b, text);
  });
}
