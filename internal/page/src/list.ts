// SPDX-License-Identifier: BSD-3-Clause

import { h } from "./dom.ts";
import type { Path } from "./data.ts";
import type { Model } from "./model.ts";
import { count, ms, percent } from "./text.ts";

/** How many rows there are when the page is first painted: as many as a window
 * may show. */
const first = () => Math.ceil(innerHeight / 60);

/** What the list of paths reports. */
export interface ListActions {
  query(text: string): void;
  pick(path: number, compare: boolean): void;
  hover(path: number | null): void;
}

/** The list of paths, and the field that filters everything. */
export class List {
  readonly root = h("nav", { class: "list", "aria-label": "Paths" });
  readonly field = h("input", { type: "search", id: "find", placeholder: "Address, name, AS, port", "aria-label": "Find paths by address, name, AS or port", autocomplete: "off", spellcheck: "false" });
  readonly rows = h("ul", { class: "rows", role: "listbox", tabindex: 0, "aria-label": "Paths", "aria-multiselectable": "true" });
  private readonly many = h("p", { class: "many", role: "status" });
  private readonly row = new Map<number, HTMLLIElement>();
  private shown: number[] = [];
  private current = 0;

  constructor(private readonly model: Model, private readonly act: ListActions) {
    this.field.addEventListener("input", () => act.query(this.field.value));
    this.field.addEventListener("keydown", (e) => {
      if (e.key === "ArrowDown" || e.key === "Enter") {
        e.preventDefault();
        this.rows.focus();
      }
    });
    this.fill(first());
    this.rows.addEventListener("keydown", (e) => this.key(e));
    this.rows.addEventListener("focus", () => this.go(this.current));
    this.root.append(h("div", { class: "find" }, this.field), this.many, this.rows);
  }

  /** Makes the rows of so many paths that are not there. Many rows take longer
   * than the drawing, and the first of them fill the window. */
  fill(most = Infinity) {
    for (const p of this.model.page.paths) {
      if (this.row.size >= most) return;
      if (this.row.has(p.id)) continue;
      const li = this.make(p);
      this.row.set(p.id, li);
      this.rows.append(li);
    }
  }

  private make(p: Path): HTMLLIElement {
    const last = this.model.last(p);
    const as = this.model.asPath(p);
    const loss = p.loss === undefined ? h("span", { class: "quiet" }, "loss N/A") : h("span", { class: p.verdict.includes("persists") ? "loss" : "quiet" }, p.loss > 0 ? `${percent(p.loss)} lost` : "no loss");
    const li = h("li", { class: "row", role: "option", id: `path-${p.id}`, "aria-selected": "false" },
      h("span", { class: "key" }),
      h("span", {}, h("span", { class: "what" }, `Path ${p.id} `), h("span", { class: "quiet" }, `${p.length} hops${p.reached ? "" : `, ${p.end ?? "not reached"}`}`)),
      h("span", { class: "figure num" }, last ? ms(last.median) : "N/A"),
      h("span", { class: "more num" }, h("span", {}, this.model.page.heading.protocol === "icmp" ? count(p.flows.length, "flow") : `port ${this.model.ports(p)}`), h("span", {}, last ? `p95 ${ms(last.p95)}` : "")),
      h("span", { class: "more num" }, h("span", {}, as.length > 0 ? as.map((n) => `AS${n}`).join(" ") : count(p.flows.length, "flow")), loss));
    li.addEventListener("click", (e) => this.act.pick(p.id, e.shiftKey));
    li.addEventListener("mousedown", (e) => e.shiftKey && e.preventDefault()); // or text is selected
    li.addEventListener("mouseenter", () => this.act.hover(p.id));
    li.addEventListener("mouseleave", () => this.act.hover(null));
    return li;
  }

  private key(e: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e6, End: 1e6 }[e.key];
    if (step !== undefined) {
      e.preventDefault();
      this.go(this.current + step);
      const id = this.shown[this.current];
      if (id !== undefined) this.act.hover(id);
    } else if (e.key === "Enter" || e.key === " ") {
      e.preventDefault();
      const id = this.shown[this.current];
      if (id !== undefined) this.act.pick(id, e.shiftKey);
    }
  }

  private go(to: number) {
    this.row.get(this.shown[this.current] ?? -1)?.classList.remove("current");
    this.current = Math.max(0, Math.min(this.shown.length - 1, to));
    const li = this.row.get(this.shown[this.current] ?? -1);
    li?.classList.add("current");
    li?.scrollIntoView({ block: "nearest" });
    if (li) this.rows.setAttribute("aria-activedescendant", li.id);
  }

  /** Shows the paths given, and which of them are picked. */
  update(shown: Set<number>, picked: number[], key: (path: number) => string, query: string) {
    const was = this.shown[this.current];
    this.shown = [];
    for (const [id, li] of this.row) {
      li.hidden = !shown.has(id);
      if (!li.hidden) this.shown.push(id);
      li.setAttribute("aria-selected", String(picked.includes(id)));
      li.firstElementChild!.setAttribute("class", `key ${key(id)}`);
    }
    this.current = Math.max(0, this.shown.indexOf(was ?? -1));
    const all = this.model.paths.size;
    this.many.textContent = shown.size === all ? count(all, "path") : `${shown.size} of ${count(all, "path")}`;
    if (this.field.value !== query) this.field.value = query;
  }

  /** Marks rows of paths through what the mouse is on. */
  highlight(paths: Set<number> | null) {
    for (const [id, li] of this.row) li.classList.toggle("hover", paths?.has(id) ?? false);
  }
}
