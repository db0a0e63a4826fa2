// SPDX-License-Identifier: BSD-3-Clause

import type { Node } from "./data.ts";
import type { Model } from "./model.ts";

/** The station that an arrow key leads to: along the links, or within a TTL.
 * Without one to start from it is the first that is shown. */
export function step(m: Model, from: string | null, arrow: string, shown: (ttl: number) => boolean): Node | undefined {
  const all = m.page.drawing.nodes.filter((n) => shown(n.ttl));
  const n = from === null ? undefined : m.nodes.get(m.bars.get(from) ?? from);
  if (!n || !shown(n.ttl)) return [...all].sort((a, b) => a.ttl - b.ttl || a.y - b.y)[0];
  if (arrow === "ArrowRight" || arrow === "ArrowLeft") {
    const right = arrow === "ArrowRight";
    const ends = [...((right ? m.outOf : m.into).get(n.id) ?? [])].sort((a, b) => b.flows - a.flows).map((l) => m.nodes.get(right ? l.to : l.from));
    return ends.find((x) => x && shown(x.ttl));
  }
  const column = all.filter((x) => x.ttl === n.ttl).sort((a, b) => a.y - b.y);
  return column[column.indexOf(n) + (arrow === "ArrowDown" ? 1 : -1)];
}
