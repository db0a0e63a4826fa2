// SPDX-License-Identifier: BSD-3-Clause

import { type Grouping, groupings } from "./data.ts";
import type { Pick } from "./model.ts";

export const metrics = ["change", "delta", "rtt", "loss", "path", "as"] as const;
export type Metric = (typeof metrics)[number];
export const themes = ["auto", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

/** How the page is looked at. All of it stands in the address behind the #, so
 * that a link shows what its sender saw. */
export interface State {
  /** Null for what the page shows best: see metricOf. */
  colour: Metric | null;
  bands: boolean;
  silent: boolean;
  table: boolean;
  theme: Theme;
  query: string;
  /** Links with less than these are pale; in percent, and in milliseconds. */
  share: number;
  loss: number;
  delay: number;
  /** TTLs of the first and the last column that is shown; 0 for all. */
  from: number;
  to: number;
  group: Grouping | null;
  pick: Pick | null;
  /** The path that the picked one is compared with. */
  other: number | null;
  /** Scale and upper left corner, in pixels of the drawing; null for all of it. */
  view: { k: number; x: number; y: number } | null;
}

export const initial: State = {
  colour: null, bands: true, silent: true, table: false, theme: "auto", query: "",
  share: 0, loss: 0, delay: 0, from: 0, to: 0, group: null, pick: null, other: null, view: null,
};

const numbers = ["share", "loss", "delay", "from", "to"] as const;

/** Writes what is not as at first. */
export function write(s: State): string {
  const p = new URLSearchParams();
  if (s.colour) p.set("colour", s.colour);
  if (!s.bands) p.set("bands", "off");
  if (!s.silent) p.set("silent", "folded");
  if (s.table) p.set("table", "on");
  if (s.theme !== initial.theme) p.set("theme", s.theme);
  if (s.query) p.set("find", s.query);
  for (const name of numbers) if (s[name] > 0) p.set(name, String(s[name]));
  if (s.group) p.set("group", s.group);
  if (s.pick?.kind === "node") p.set("node", s.pick.id);
  if (s.pick?.kind === "link") p.set("link", `${s.pick.from}~${s.pick.to}`);
  if (s.pick?.kind === "path") p.set("path", String(s.pick.id));
  if (s.other !== null) p.set("with", String(s.other));
  if (s.view) p.set("view", `${s.view.k.toFixed(3)},${Math.round(s.view.x)},${Math.round(s.view.y)}`);
  return p.toString();
}

/** Reads what write wrote, and leaves out what it cannot have written. */
export function read(text: string): State {
  const p = new URLSearchParams(text.replace(/^#/, ""));
  const s: State = { ...initial };
  s.colour = metrics.find((m) => m === p.get("colour")) ?? s.colour;
  s.theme = themes.find((t) => t === p.get("theme")) ?? s.theme;
  s.bands = p.get("bands") !== "off";
  s.silent = p.get("silent") !== "folded";
  s.table = p.get("table") === "on";
  s.query = p.get("find") ?? "";
  for (const name of numbers) {
    const n = Number(p.get(name));
    if (n > 0 && n < 1e6) s[name] = n;
  }
  s.group = groupings.find((g) => g === p.get("group")) ?? null;
  const number = (name: string) => (/^\d{1,9}$/.test(p.get(name) ?? "") ? Number(p.get(name)) : null);
  const path = number("path");
  const link = p.get("link")?.split("~");
  if (p.has("node")) s.pick = { kind: "node", id: p.get("node")! };
  else if (link?.length === 2) s.pick = { kind: "link", from: link[0]!, to: link[1]! };
  else if (path !== null) {
    s.pick = { kind: "path", id: path };
    s.other = number("with");
  }
  const [k, x, y] = (p.get("view") ?? "").split(",").map(Number);
  if (k !== undefined && x !== undefined && y !== undefined && k > 0.01 && k < 20 && Math.abs(x) < 1e6 && Math.abs(y) < 1e6) s.view = { k, x, y };
  return s;
}

/** The metrics that a page has colours for: what changed only where it shows two
 * results. The first is what it is shown by at first. */
export function metricsOf(merged: boolean): readonly Metric[] {
  return merged ? metrics : metrics.filter((m) => m !== "change");
}

/** What colours show. */
export function metricOf(s: State, merged: boolean): Metric {
  const all = metricsOf(merged);
  return all.find((m) => m === s.colour) ?? all[0]!;
}

/** The state, and who wants to hear of changes. */
export class Store {
  private listeners: ((now: State, before: State) => void)[] = [];
  private timer = 0;

  constructor(public now: State) {
    window.addEventListener("hashchange", () => {
      if (location.hash.replace(/^#/, "") !== write(this.now)) this.change(read(location.hash));
    });
  }

  listen(f: (now: State, before: State) => void) {
    this.listeners.push(f);
  }

  set(part: Partial<State>) {
    this.change({ ...this.now, ...part });
    this.remember();
  }

  /** Sets what those who listen know already. */
  keep(part: Partial<State>) {
    this.now = { ...this.now, ...part };
    this.remember();
  }

  private remember() {
    clearTimeout(this.timer); // browsers limit how often an address may change
    this.timer = window.setTimeout(() => history.replaceState(null, "", `#${write(this.now)}`), 120);
  }

  private change(next: State) {
    const before = this.now;
    this.now = next;
    for (const f of this.listeners) f(next, before);
  }
}
