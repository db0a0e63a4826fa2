// SPDX-License-Identifier: BSD-3-Clause

import type { Model, Pick } from "./model.ts";

/** Finds in new data what was picked in those before; null if it is gone. A path
 * is the one that its first flow takes now, as paths may be numbered anew. */
export function follow(pick: Pick | null, before: Model, now: Model): Pick | null {
  if (pick?.kind === "path") {
    const id = followPath(pick.id, before, now);
    return id === null ? null : { kind: "path", id };
  }
  return pick && now.exists(pick) ? pick : null;
}

export function followPath(id: number | null, before: Model, now: Model): number | null {
  const flow = id === null ? undefined : before.paths.get(id)?.flows[0];
  if (flow === undefined) return null;
  return now.page.paths.find((p) => p.flows.includes(flow))?.id ?? null;
}
