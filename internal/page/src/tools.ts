// SPDX-License-Identifier: BSD-3-Clause

import { button, h } from "./dom.ts";
import { type Metric, metrics, type State, type Store, type Theme, themes } from "./state.ts";

const metricNames: Record<Metric, string> = { delta: "delay added", rtt: "round trip", loss: "loss", path: "path", as: "AS" };
const limits = [
  { name: "share", text: "Share of flows, at least", unit: "%", max: 50, step: 1 },
  { name: "loss", text: "Loss that persists, at least", unit: "%", max: 50, step: 1 },
  { name: "delay", text: "Delay added, at least", unit: "ms", max: 100, step: 1 },
] as const;

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
  private readonly colour = h("select", { id: "colour" }, ...metrics.map((m) => h("option", { value: m }, metricNames[m])));
  private readonly theme = h("select", { "aria-label": "Light or dark" }, ...themes.map((t) => h("option", { value: t }, t)));
  private readonly toggles: { name: "bands" | "silent" | "table"; b: HTMLButtonElement }[] = [];
  private readonly ranges: { name: (typeof limits)[number]["name"]; field: HTMLInputElement; out: HTMLElement; unit: string }[] = [];

  constructor(store: Store, has: { bands: boolean; silent: boolean }, ...menu: Element[]) {
    this.colour.addEventListener("change", () => store.set({ colour: this.colour.value as Metric }));
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
    this.root.append(
      h("label", {}, "Colour", this.colour),
      h("span", { class: "quiet", hidden: !has.bands && !has.silent }, "Show"),
      toggle("bands", "AS bands", { title: "The grounds in the colours of who owns the addresses (g)", hidden: !has.bands }),
      toggle("silent", "Silent hops", { title: "Each hop that did not answer; if not, how many in a row there are (s)", hidden: !has.silent }),
      drop("Thresholds", "left", ...sliders, h("p", { class: "quiet" }, "Links below are pale.")),
      toggle("table", "Table", { title: "t", "aria-controls": "twin" }),
      h("span", { class: "gap" }), ...menu, this.theme,
    );
  }

  update(s: State) {
    this.colour.value = s.colour;
    this.theme.value = s.theme;
    for (const t of this.toggles) t.b.setAttribute("aria-pressed", String(s[t.name]));
    for (const r of this.ranges) {
      r.field.value = String(s[r.name]);
      r.out.textContent = s[r.name] > 0 ? `${s[r.name]} ${r.unit}` : "off";
    }
  }
}
