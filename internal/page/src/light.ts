// SPDX-License-Identifier: BSD-3-Clause

import type { Colours } from "./colour.ts";
import type { Link, Node } from "./data.ts";
import type { Strip } from "./draw.ts";
import type { Model, Pick } from "./model.ts";
import { metricOf, type State } from "./state.ts";

/** More strips than these beside each other are no longer told apart. */
const mostStrips = 8;

/** What is to be seen of a drawing, and what is pale. */
export interface Light {
  link(l: Link): boolean;
  node(n: Node): boolean;
  /** Whether it is what was sought. */
  found(n: Node): boolean;
  strips: Strip[];
  /** The paths of the list, and those of them that are picked. */
  rows: Set<number>;
  chosen: number[];
}

/** Says what the state, or the mouse, leaves out. */
export function light(m: Model, colours: Colours, now: State, hover: Pick | null): Light {
  const matching = now.query.trim() ? m.matching(now.query) : null;
  const pick = hover ?? now.pick;
  let lit: Set<number> | null = matching;
  if (pick && m.exists(pick)) {
    const through = new Set(m.pathsThrough(pick));
    if (!hover && now.other !== null) through.add(now.other);
    lit = through;
  }
  const has = (here: Pick) => lit === null || [...m.pathsThrough(here)].some((p) => lit.has(p));
  const enough = (l: Link) => 100 * l.share >= now.share && 100 * (l.lost ?? 0) >= now.loss && (now.delay === 0 || (l.delta_us ?? 0) >= 1000 * now.delay);
  const limited = now.share > 0 || now.loss > 0 || now.delay > 0;
  const chosen = now.pick?.kind === "path" ? [now.pick.id, ...(now.other === null ? [] : [now.other])] : [];
  const through = now.pick && now.pick.kind !== "path" ? m.pathsThrough(now.pick) : null;
  const all = matching ?? new Set(m.paths.keys());
  return {
    link: (l) => enough(l) && has({ kind: "link", from: l.from, to: l.to }),
    node: (n) => {
      if (pick?.kind === "node" && (pick.id === n.id || m.bars.get(pick.id) === n.id)) return true;
      if (!has({ kind: "node", id: n.id }) && !(lit === null && n.kind === "source")) return n.unreached === true && lit === null;
      return !limited || [...(m.into.get(n.id) ?? []), ...(m.outOf.get(n.id) ?? [])].some(enough);
    },
    found: (n) => matching !== null && [n, ...(n.members ?? [])].some((x) => m.nodeMatches(x, now.query)),
    strips: strips(m, colours, now, hover, lit),
    rows: through ? new Set([...all].filter((p) => through.has(p))) : all,
    chosen,
  };
}

/** Which paths are drawn over the others. */
function strips(m: Model, colours: Colours, now: State, hover: Pick | null, lit: Set<number> | null): Strip[] {
  if (hover?.kind === "path") return [{ path: hover.id, colour: metricOf(now, m.merged) === "path" ? colours.path(hover.id) : "one" }];
  if (!hover && now.pick?.kind === "path") {
    const one: Strip = { path: now.pick.id, colour: "one" };
    return now.other === null ? [one] : [one, { path: now.other, colour: "two" }];
  }
  if (metricOf(now, m.merged) !== "path") return [];
  const ids = [...m.paths.keys()].filter((id) => lit === null || lit.has(id));
  return ids.length <= mostStrips ? ids.map((id) => ({ path: id, colour: colours.path(id) })) : [];
}

/** The class of a path's key in the list. */
export function keyOf(colours: Colours, id: number, now: State, chosen: number[]): string {
  if (chosen[0] === id) return "one";
  if (chosen[1] === id) return "two";
  return metricOf(now, colours.model.merged) === "path" ? colours.path(id) : colours.model.paths.get(id)?.status ?? "";
}
