// SPDX-License-Identifier: BSD-3-Clause

import { levels } from "./colour.ts";
import { h, s } from "./dom.ts";
import type { Colours } from "./colour.ts";
import type { Model } from "./model.ts";
import type { Metric } from "./state.ts";
import { tagLegend } from "./tags.ts";
import { ms } from "./text.ts";

const steps = [1, 5, 20, 60]; // milliseconds: picture.LevelFrom

/** Says what colours and signs mean, and only those that are there. */
export function legend(m: Model, colours: Colours, metric: Metric): Element[] {
  const d = m.page.drawing;
  const out: Element[] = [];
  const add = (meaning: string, w: number, ...parts: SVGElement[]) =>
    out.push(h("span", {}, s("svg", { class: "picture", width: w, height: 16, viewBox: `0 -8 ${w} 16`, "aria-hidden": "true" }, ...parts), meaning));
  const stroke = (c: string, path = "M2 0H26", wide = 4) => {
    const line = s("path", { class: c, d: path });
    line.style.setProperty("--w", String(wide));
    return s("g", { class: "links" }, line);
  };
  const scale = () => Array.from({ length: levels }, (_, i) => stroke(`d${i}`, `M${2 + 14 * i} 0h12`, 5));
  const has = (kind: string) => d.nodes.some((n) => n.kind === kind);
  if (m.merged) {
    if (metric === "change") add("unchanged", 28, stroke("na"));
    const sign = (c: string, text: string) => s("text", { class: `sign ${c}`, x: 14, y: 5, "text-anchor": "middle" }, text);
    if (d.links.some((l) => l.status === "gone") || d.nodes.some((n) => n.status === "gone")) add("gone", 28, stroke("na gone"), sign("gone", "−"));
    if (d.links.some((l) => l.status === "new") || d.nodes.some((n) => n.status === "new")) add("new", 28, stroke("na new"), sign("new", "+"));
  }
  switch (metric) {
    case "change":
      break;
    case "delta":
      add(`delay that a link adds: up to ${steps.join(", ")} ms, and more`, 14 * levels + 2, ...scale());
      if (d.links.some((l) => l.level < 0 && !l.inferred)) add("delay N/A", 28, stroke("na"));
      break;
    case "rtt":
      add(`median round trip, in steps of ${ms(colours.longest / levels)}`, 14 * levels + 2, ...scale());
      break;
    case "loss":
      if (!d.links.some((l) => l.lost)) add("no loss that is sure to persist", 28, stroke("shared"));
      if (d.nodes.some((n) => n.verdict === "local")) add("answers less than it forwards: no loss", 16, s("g", { class: "byloss" }, s("g", { class: "node local" }, s("circle", { class: "s", cx: 8, cy: 0, r: 5.5 }))));
      break;
    case "path":
      add("one path each", 44, stroke("p0", "M2 0h12"), stroke("p1", "M16 0h12"), stroke("p2", "M30 0h12"));
      add("shared by several", 28, stroke("shared"));
      break;
    case "as":
      for (const b of d.bands.filter((b) => b.tint >= 0).slice(0, 6)) add(b.name.length > 28 ? `${b.name.slice(0, 27)}…` : b.name, 28, stroke(`a${b.tint % 6}`));
      add("between two owners", 28, stroke("border"));
      if (d.bands.length === 0) add("owners are not known", 28, stroke("na"));
      break;
  }
  if (metric !== "change" && d.links.some((l) => l.lost)) add("loss that persists to the destination", 28, stroke("lossy"));
  if (d.links.some((l) => l.inferred)) add("inferred", 28, stroke("na inferred", "M2 0H26", 3));
  add("share of flows", 40, stroke("shared", "M2 0h12", 1.5), stroke("shared", "M14 0h12", 4), stroke("shared", "M26 0h12", 8));
  if (has("silent")) add("no answer", 16, s("g", { class: "silent" }, s("circle", { class: "s", cx: 8, cy: 0, r: 5.5 })));
  if (has("exchange")) add("exchange point", 18, s("g", { class: "exchange" }, s("path", { class: "s", d: "M9 -7l7 7l-7 7l-7 -7z" })));
  if (has("group")) add("stations of one owner or place", 22, s("g", { class: "group" }, s("rect", { class: "s", x: 2, y: -6.5, width: 18, height: 13, rx: 6.5 })));
  if (has("bar")) add("many next hops", 20, s("g", { class: "bar" }, s("rect", { class: "s", x: 1, y: -7, width: 18, height: 14, rx: 3 }), s("path", { class: "rods", d: "M4 -3h9M4 0h6M4 3h10" })));
  tagLegend(m, add);
  if (d.marks.length > 0) add("address translation", 10, s("g", { class: "nat" }, s("path", { d: "M5 -8V8" })));
  if (d.pipes.length > 0) add("tunnel", 34, s("g", { class: "pipe", transform: "scale(.7)" }, s("path", { class: "wall", d: "M12 0H36" }), s("path", { d: "M12 0H36" })));
  return out;
}
