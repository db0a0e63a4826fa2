// SPDX-License-Identifier: BSD-3-Clause

import type { Link, Stroke } from "./data.ts";
import { key, type Model } from "./model.ts";
import type { Metric } from "./state.ts";
import { pathOf } from "./strokes.ts";

/** How many colours paths and ASes have in turn. */
export const hues = 8;
export const tints = 6;
export const levels = 5;

/** Says which class of the style a link has, by what its colour shows. Loss that
 * persists is red whatever else is shown, and nothing else is. */
export class Colours {
  /** The longest median round trip, in microseconds. */
  readonly longest: number;
  private readonly tint = new Map<number, number>();

  constructor(readonly model: Model) {
    let longest = 1;
    for (const n of model.page.drawing.nodes) longest = Math.max(longest, n.rtt_us.median);
    this.longest = longest;
    for (const b of model.page.drawing.bands) if (b.tint >= 0) this.tint.set(b.asn, b.tint % tints);
  }

  link(l: Link, metric: Metric): string {
    if (metric === "change") return "na"; // its status says the rest
    if (l.lost) return "lossy";
    switch (metric) {
      case "delta":
        return l.level < 0 ? "na" : `d${l.level}`;
      case "rtt": {
        const to = this.model.nodes.get(l.to);
        return to && to.replies > 0 ? `d${this.level(to.rtt_us.median)}` : "na";
      }
      case "loss":
        return l.inferred ? "na" : "shared";
      case "path": {
        const paths = this.model.pathsThrough({ kind: "link", from: l.from, to: l.to });
        return paths.size === 1 ? this.path([...paths][0]!) : "shared";
      }
      case "as": {
        const a = this.model.nodes.get(l.from)?.asn ?? 0;
        const b = this.model.nodes.get(l.to)?.asn ?? 0;
        if (a === 0 || b === 0) return "na";
        return a === b ? `a${this.tint.get(a) ?? 0}` : "border";
      }
    }
  }

  path(id: number): string {
    return `p${(id - 1) % hues}`;
  }

  level(rtt: number): number {
    return Math.min(levels - 1, Math.floor((levels * rtt) / (this.longest * 1.0001)));
  }

  /** The class of what several links share: that of most flows, or of paths none
   * in particular. */
  track(links: Link[], metric: Metric): string {
    const flows = new Map<string, number>();
    let best = "na";
    for (const l of links) {
      const c = this.link(l, metric);
      flows.set(c, (flows.get(c) ?? 0) + l.flows);
      if ((flows.get(c) ?? 0) > (flows.get(best) ?? 0)) best = c;
    }
    if (metric === "path" && flows.size > 1) return "shared";
    return best === "lossy" && flows.size > 1 ? "shared" : best;
  }
}

/** The strokes of a path, links and what they share with others: those that were
 * seen, and those that are inferred. */
export function strokesOf(model: Model, path: number): { seen: string; inferred: string } {
  const nodes = model.drawn.get(path) ?? [];
  const out = { seen: "", inferred: "" };
  const add = (stroke: Stroke | undefined, inferred: boolean | undefined) => {
    if (stroke) out[inferred ? "inferred" : "seen"] += pathOf(stroke);
  };
  nodes.forEach((id, i) => {
    const n = model.nodes.get(id);
    const before = model.links.get(key(nodes[i - 1] ?? "", id));
    const after = model.links.get(key(id, nodes[i + 1] ?? ""));
    add(before?.stroke, before?.inferred);
    if (before) add(n?.in?.stroke, before.inferred);
    if (after) add(n?.out?.stroke, after.inferred);
  });
  return out;
}
