// SPDX-License-Identifier: BSD-3-Clause

import type { Node, Tag } from "./data.ts";
import { s } from "./dom.ts";
import { signOf } from "./draw.ts";
import type { Model } from "./model.ts";

/** How much room a tag has below its station: picture.TagHeight. */
const height = 18;

/** Writes below a station, into it, what leaves there. The style makes it larger
 * around the station's middle where all is far away. */
export function tag(n: Node, g: SVGGElement) {
  n.tags?.forEach((t, i) => {
    const label = labelOf(t);
    const w = widthOf(label);
    const top = n.kind === "bar" ? n.below + 4 + height * i : n.below - height * (n.tags!.length - i);
    g.append(s("g", { class: classOf(t) }, s("rect", { x: -w / 2, y: top, width: w, height: 15, rx: 3 }), s("text", { x: 0, y: top + 11 }, label)));
  });
}

function labelOf(t: Tag): string {
  return `${t.status ? `${signOf(t.status)} ` : ""}${t.label}`;
}

function widthOf(label: string): number {
  return 6 * label.length + 12;
}

function classOf(t: Tag): string {
  return `tag${t.certain ? "" : " maybe"}${t.status ? ` ${t.status}` : ""}`;
}

/** Says what tags mean, those that are there. */
export function tagLegend(m: Model, add: (meaning: string, w: number, ...parts: SVGElement[]) => void) {
  const all = m.page.drawing.nodes.flatMap((n) => n.tags ?? []);
  const sample = (meaning: string, label: string, like: string, there: boolean) => {
    const w = widthOf(label);
    if (there) add(meaning, w + 2, s("g", { class: like }, s("rect", { x: 1, y: -7, width: w, height: 14, rx: 3 }), s("text", { x: 1 + w / 2, y: 4 }, label)));
  };
  sample("an AS is left by several ways from here on", "exits", "tag", all.some((t) => t.kind === "exit" && t.certain));
  sample("the same, and why cannot be told", "exits?", "tag maybe", all.some((t) => !t.certain));
  sample("parallel ports of one member", "port", "tag", all.some((t) => t.kind === "port"));
}
