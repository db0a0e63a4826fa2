// SPDX-License-Identifier: BSD-3-Clause

import type { Drawing } from "./data.ts";
import { s } from "./dom.ts";
import type { State } from "./state.ts";
import type { Span } from "./view.ts";

const far = 20_000;

/** Says whether the columns of a drawing are TTLs: those of owners and of cities
 * only count. */
export function byTTL(d: Drawing): boolean {
  return d.by === undefined || d.by === "router";
}

/** Says whether what stands at a TTL is shown. */
export function within(d: Drawing, now: State): (ttl: number) => boolean {
  return (ttl) => !byTTL(d) || (ttl >= now.from && (now.to === 0 || ttl <= now.to));
}

/** The columns that are shown, from left to right; null if all of them are. */
export function spanOf(d: Drawing, now: State): Span | null {
  if (!byTTL(d) || (now.from === 0 && now.to === 0)) return null;
  const shown = d.columns.filter((c) => within(d, now)(c.ttl));
  const [first, last] = [shown[0], shown.at(-1)];
  return first && last ? { left: first.x, right: last.x + last.w } : null;
}

/** What lies over the columns that are not shown. */
export function veil(d: Drawing, span: Span | null): SVGGElement {
  const g = s("g", { class: "veil" });
  if (!span) return g;
  const side = (x: number, width: number) => width > 0 && g.append(s("rect", { x, y: -far, width, height: d.height + 2 * far }));
  if (span.left > (d.columns[0]?.x ?? 0)) side(-far, span.left + far);
  const end = d.columns.at(-1);
  if (end && span.right < end.x + end.w) side(span.right, far);
  return g;
}
