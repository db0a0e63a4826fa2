// SPDX-License-Identifier: BSD-3-Clause

import type { Path } from "./data.ts";
import { h } from "./dom.ts";
import { signOf } from "./draw.ts";
import { flowsOf } from "./flows.ts";
import type { Model } from "./model.ts";
import { exchange } from "./morph.ts";
import { count, ms, percent } from "./text.ts";

/** What the list of paths reports. */
export interface ListActions {
  query(text: string): void;
  pick(path: number, compare: boolean): void;
  hover(path: number | null): void;
}

interface Row {
  li: HTMLLIElement;
  /** What the row says, to see whether it is still so. */
  says: string;
}

/** The list of paths, and the field that filters everything. */
export class List {
  readonly root = h("nav", { class: "list", "aria-label": "Paths" });
  readonly field = h("input", { type: "search", id: "find", placeholder: "Address, name, AS, port", "aria-label": "Find paths by address, name, AS or port", autocomplete: "off", spellcheck: "false" });
  readonly rows = h("ul", { class: "rows", role: "listbox", tabindex: 0, "aria-label": "Paths", "aria-multiselectable": "true" });
  private readonly many = h("p", { class: "many", role: "status" });
  private row = new Map<number, Row>();
  private shown: number[] = [];
  private current = 0;

  constructor(private model: Model, private readonly act: ListActions) {
    this.field.addEventListener("input", () => act.query(this.field.value));
    this.field.addEventListener("keydown", (e) => {
      if (e.key === "ArrowDown" || e.key === "Enter") {
        e.preventDefault();
        this.rows.focus();
      }
    });
    this.listen();
    this.root.append(h("div", { class: "find" }, this.field), this.many, this.rows);
  }

  private listen() {
    const at = (e: Event) => {
      const id = (e.target as Element).closest("li")?.id.replace("path-", "");
      return id === undefined ? null : Number(id);
    };
    this.rows.addEventListener("click", (e) => {
      const id = at(e);
      if (id !== null) this.act.pick(id, e.shiftKey);
    });
    this.rows.addEventListener("mousedown", (e) => e.shiftKey && e.preventDefault()); // or text is selected
    this.rows.addEventListener("mouseover", (e) => this.act.hover(at(e)));
    this.rows.addEventListener("mouseleave", () => this.act.hover(null));
    this.rows.addEventListener("keydown", (e) => this.key(e));
    this.rows.addEventListener("focus", () => this.go(this.current));
  }

  /** Takes data; rows that say the same as before stay as they are. */
  take(model: Model) {
    this.model = model;
    // While paths come and go nobody wants to hear of each.
    this.many.setAttribute("aria-live", model.page.heading.measuring ? "off" : "polite");
    const before = this.row;
    this.row = new Map();
    model.page.paths.forEach((p, i) => {
      const says = JSON.stringify([p, this.model.asPath(p)]);
      const row = before.get(p.id) ?? { li: h("li", { class: "row", role: "option", id: `path-${p.id}`, "aria-selected": "false" }, h("span", { class: "key" })), says: "" };
      before.delete(p.id);
      if (row.says !== says) {
        exchange(row.li, [row.li.firstElementChild!, ...this.cells(p)]);
        row.says = says;
      }
      this.row.set(p.id, row);
      if (this.rows.children[i] !== row.li) this.rows.insertBefore(row.li, this.rows.children[i] ?? null);
    });
    for (const { li } of before.values()) li.remove();
  }

  private cells(p: Path): HTMLElement[] {
    const end = this.model.end(p);
    const as = this.model.asPath(p);
    const loss = p.loss === undefined ? h("span", { class: "quiet" }, "loss N/A") : h("span", { class: p.verdict.includes("persists") ? "loss" : "quiet" }, p.loss > 0 ? `${percent(p.loss)} lost` : "no loss");
    const far = !end ? "" : end.whole ? `p95 ${ms(end.p95)}` : `to TTL ${end.ttl}: ${ms(end.median)}`;
    return [
      h("span", {}, h("span", { class: "what" }, `Path ${p.id} `), p.status ? h("span", { class: `status ${p.status}` }, `${signOf(p.status)} ${p.status} `) : null, h("span", { class: "quiet" }, `${p.length} hops${p.reached ? "" : `, ${p.end ?? "not reached"}`}`)),
      h("span", { class: this.model.slow(p) ? "figure num slow" : "figure num" }, end?.whole ? ms(end.median) : "N/A"),
      h("span", { class: "more num" }, h("span", {}, this.flows(p)), h("span", {}, far)),
      h("span", { class: "more num" }, h("span", {}, p.before ? `${count(p.flows.length, "flow")}${p.before.flows === p.flows.length ? ", as before" : `, before ${p.before.flows}`}` : as.length > 0 ? as.map((n) => `AS${n}`).join(" ") : count(p.flows.length, "flow")), loss),
    ];
  }

  private flows(p: Path): string {
    const { name, text } = flowsOf(this.model, [p.id], Infinity);
    if (p.flows.length === 0 || name === "Source ports" && this.model.page.heading.protocol === "icmp") return count(p.flows.length, "flow");
    return `${name === "Source ports" ? "port" : "to"} ${text}`;
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

  private at(index: number): HTMLLIElement | undefined {
    return this.row.get(this.shown[index] ?? -1)?.li;
  }

  private go(to: number) {
    this.at(this.current)?.classList.remove("current");
    this.current = Math.max(0, Math.min(this.shown.length - 1, to));
    const li = this.at(this.current);
    li?.classList.add("current");
    li?.scrollIntoView({ block: "nearest" });
    if (li) this.rows.setAttribute("aria-activedescendant", li.id);
  }

  /** Shows the paths given, and which of them are picked. */
  update(shown: Set<number>, picked: number[], key: (path: number) => string, query: string) {
    const was = this.shown[this.current];
    this.shown = [];
    for (const [id, { li }] of this.row) {
      li.hidden = !shown.has(id);
      if (!li.hidden) this.shown.push(id);
      li.setAttribute("aria-selected", String(picked.includes(id)));
      li.firstElementChild!.setAttribute("class", `key ${key(id)}`);
    }
    this.current = Math.max(0, this.shown.indexOf(was ?? -1));
    const all = this.model.paths.size;
    const many = shown.size === all ? count(all, "path") : `${shown.size} of ${count(all, "path")}`;
    if (this.many.textContent !== many) this.many.textContent = many;
    if (this.field.value !== query) this.field.value = query;
  }

  /** Marks rows of paths through what the mouse is on. */
  highlight(paths: Set<number> | null) {
    for (const [id, { li }] of this.row) li.classList.toggle("hover", paths?.has(id) ?? false);
  }
}
