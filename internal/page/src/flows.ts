// SPDX-License-Identifier: BSD-3-Clause

import type { Page } from "./data.ts";
import type { Model } from "./model.ts";
import { count, ranges } from "./text.ts";

/** Says what the flows of some paths differ in: their source ports, or where they
 * go, of no more than so many letters. */
export function flowsOf(m: Model, paths: Iterable<number>, letters: number): { name: string; text: string } {
  const flows = [...paths].flatMap((id) => m.paths.get(id)?.flows ?? []).flatMap((id) => m.flows.get(id) ?? []);
  if (addresses(m.page) < 2) return { name: "Source ports", text: cut(ranges(flows.map((f) => f.src_port)), letters) };
  return { name: "Flows to", text: cut([...new Set(flows.map((f) => f.to ?? m.page.heading.address))].join(", "), letters) };
}

/** How many addresses flows go to. */
export function addresses(page: Page): number {
  return new Set(page.flows.map((f) => f.to ?? "")).size;
}

/** Counts all flows, and the addresses they go to. */
export function allFlows(page: Page): string {
  const n = addresses(page);
  return `${count(page.flows.length, "flow")}${n > 1 ? ` to ${n} addresses` : ""}`;
}

function cut(list: string, letters: number): string {
  return list.length > letters ? `${list.slice(0, list.lastIndexOf(",", letters))}, …` : list;
}
