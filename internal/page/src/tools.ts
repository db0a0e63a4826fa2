// SPDX-License-Identifier: BSD-3-Clause

import { byTTL } from "./cut.ts";
import { type Drawing, type Grouping, groupings, type Page } from "./data.ts";
import { button, h } from "./dom.ts";
import { type Metric, metricOf, metricsOf, type State, type Store, type Theme, themes } from "./state.ts";

const metricNames: Record<Metric, string> = { change: "change", delta: "delay added", rtt: "round trip", loss: "loss", path: "path", as: "AS" };
const limits = [
  { name: "share", text: "Share of flows, at least", unit: "%", max: 50, step: 1 },
  { name: "loss", text: "Loss that persists, at least", unit: "%", max: 50, step: 1 },
  { name: "delay", text: "Delay added, at least", unit: "ms", max: 100, step: 1 },
] as const;
const groupNames: Record<Grouping, string> = { router: "router", as: "AS", city: "city" };

/** A button that opens what belongs to it below itself. */
export function drop(name: string, side: string, ...inside: Element[]): HTMLDivElement {
  const box = h("div", { class: side, hidden: true }, ...inside);
  const b = button(name, { "aria-expanded": "false", "aria-haspopup": "true" }, () => open(box.hidden === true));
  const open = (yes: boolean) => {
    box.hidden = !yes;
    b.setAttribute("aria-expanded", String(yes));
  };
  const root = h("div", { class: "drop" }, b, box);
  document.addEventListener("pointerdown", (e) => {
    if (!root.contains(e.target as globalThis.Node)) open(false);
  });
  root.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || box.hidden) return;
    e.stopPropagation();
    open(false);
    b.focus();
  });
  box.addEventListener("click", (e) => {
    if ((e.target as Element).closest("button")) open(false);
  });
  return root;
}

/** The switches above the drawing. */
export class Tools {
  readonly root = h("section", { class: "tools", "aria-label": "What is shown" });
  private readonly colour = h("select", { id: "colour" });
  private merged = false;
  private readonly theme = h("select", { "aria-label": "Light or dark" }, ...themes.map((t) => h("option", { value: t }, t)));
  private readonly toggles: { name: "bands" | "silent" | "table"; b: HTMLButtonElement }[] = [];
  private readonly show = h("span", { class: "quiet" }, "Show");
  private readonly bands: HTMLButtonElement;
  private readonly silent: HTMLButtonElement;
  private readonly group = h("select", { id: "group" });
  private readonly groups = h("label", { hidden: true }, "Group", this.group);
  private readonly from = h("input", { type: "range", id: "from", min: 1, max: 1, value: 1 });
  private readonly to = h("input", { type: "range", id: "to", min: 1, max: 1, value: 1 });
  private readonly ttls: HTMLElement[];
  /** What has nothing to do where only tables are shown. */
  private readonly drawn: HTMLElement[];
  private readonly fromOut = h("output", { class: "num" });
  private readonly toOut = h("output", { class: "num" });
  private readonly ranges: { name: (typeof limits)[number]["name"]; field: HTMLInputElement; out: HTMLElement; unit: string }[] = [];

  constructor(store: Store, ...menu: Element[]) {
    this.colour.addEventListener("change", () => store.set({ colour: this.colour.selectedIndex === 0 ? null : (this.colour.value as Metric) }));
    this.theme.addEventListener("change", () => store.set({ theme: this.theme.value as Theme }));
    const toggle = (name: "bands" | "silent" | "table", text: string, attributes = {}) => {
      const b = button(text, { "aria-pressed": "false", ...attributes }, () => store.set({ [name]: !store.now[name] }));
      this.toggles.push({ name, b });
      return b;
    };
    const sliders = limits.map((l) => {
      const out = h("output", { class: "num" });
      const field = h("input", { type: "range", min: 0, max: l.max, step: l.step, value: 0 });
      field.addEventListener("input", () => store.set({ [l.name]: Number(field.value) }));
      this.ranges.push({ name: l.name, field, out, unit: l.unit });
      return h("label", {}, l.text, out, field);
    });
    this.group.addEventListener("change", () => store.set({ group: groupings.find((g) => g === this.group.value) ?? null, view: null }));
    this.from.addEventListener("input", () => this.cut(store, Number(this.from.value), Math.max(Number(this.from.value), Number(this.to.value))));
    this.to.addEventListener("input", () => this.cut(store, Math.min(Number(this.from.value), Number(this.to.value)), Number(this.to.value)));
    this.bands = toggle("bands", "AS bands", { title: "The grounds in the colours of who owns the addresses (g)" });
    this.silent = toggle("silent", "Silent hops", { title: "Each hop that did not answer; if not, how many in a row there are (s)" });
    this.ttls = [h("label", {}, "Show from TTL", this.fromOut, this.from), h("label", {}, "to TTL", this.toOut, this.to)];
    const table = toggle("table", "Table", { title: "t", "aria-controls": "twin" });
    const colour = h("label", {}, "Colour", this.colour);
    const pale = h("p", { class: "quiet" }, "Links below are pale.");
    this.drawn = [colour, table, pale, ...sliders];
    this.root.append(
      colour,
      this.groups, this.show, this.bands, this.silent,
      drop("Filter", "left", ...sliders, pale, ...this.ttls),
      table,
      h("span", { class: "gap" }), ...menu, this.theme,
    );
  }

  /** Shows only the columns of some TTLs, and all of these. */
  private cut(store: Store, from: number, to: number) {
    store.set({ from: from <= 1 ? 0 : from, to: to >= Number(this.to.max) ? 0 : to, view: null });
  }

  /** Offers what there is to be chosen in the data. */
  offer(page: Page, drawing: Drawing) {
    this.merged = drawing.merged === true;
    const named = metricsOf(this.merged);
    if (this.colour.options.length !== named.length) this.colour.replaceChildren(...named.map((m) => h("option", { value: m }, metricNames[m])));
    this.bands.hidden = drawing.bands.length === 0;
    const only = drawing.too_large !== undefined;
    for (const e of this.drawn) e.hidden = only;
    this.silent.hidden = only || !drawing.nodes.some((n) => n.kind === "silent");
    this.show.hidden = this.bands.hidden === true && this.silent.hidden === true;
    const has = groupings.filter((g) => page.groups?.[g]);
    this.groups.hidden = has.length === 0;
    if (this.group.options.length !== 1 + has.length) {
      this.group.replaceChildren(h("option", { value: "" }, "none"), ...has.map((g) => h("option", { value: g }, groupNames[g])));
    }
    for (const l of this.ttls) l.hidden = !byTTL(drawing);
    const most = String(drawing.nodes.reduce((last, n) => Math.max(last, n.ttl), 1));
    this.from.max = most;
    this.to.max = most;
  }

  update(s: State) {
    this.colour.value = metricOf(s, this.merged);
    this.theme.value = s.theme;
    this.group.value = s.group ?? "";
    this.from.value = String(s.from || 1);
    this.to.value = s.to === 0 ? this.to.max : String(s.to);
    this.fromOut.textContent = this.from.value;
    this.toOut.textContent = this.to.value;
    for (const t of this.toggles) t.b.setAttribute("aria-pressed", String(s[t.name]));
    for (const r of this.ranges) {
      r.field.value = String(s[r.name]);
      r.out.textContent = s[r.name] > 0 ? `${s[r.name]} ${r.unit}` : "off";
    }
  }
}
