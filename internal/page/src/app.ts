// SPDX-License-Identifier: BSD-3-Clause

import { cardFor } from "./card.ts";
import { Colours } from "./colour.ts";
import type { Link, Node, Page } from "./data.ts";
import { afterPaint, button, h, s, say } from "./dom.ts";
import { Scene, type Strip } from "./draw.ts";
import { asCSV, asPNG, drawingAsSVG, save, svgBlob } from "./export.ts";
import { header } from "./header.ts";
import { helpDialog, listenForKeys } from "./keys.ts";
import { legend } from "./legend.ts";
import { List } from "./list.ts";
import { key, Model, type Pick } from "./model.ts";
import { metrics, type State, type Store } from "./state.ts";
import { summary } from "./summary.ts";
import { tables } from "./table.ts";
import { linkTip, nodeTip, Tip } from "./tip.ts";
import { drop, Tools } from "./tools.ts";
import { type Place, View } from "./view.ts";

/** More strips than these beside each other are no longer told apart. */
const mostStrips = 8;

/** Drawings of no more stations are there at once. */
const small = 150;

/** The page: it keeps all parts at what the state says. */
export class App {
  readonly parts: Element[];
  private readonly model: Model;
  private readonly colours: Colours;
  private readonly scene: Scene;
  private readonly view: View;
  private readonly list: List;
  private readonly tools: Tools;
  private readonly tip = new Tip();
  private readonly help = helpDialog();
  private readonly svg = s("svg", {
    class: "picture", tabindex: 0, role: "application", "aria-roledescription": "drawing", "aria-describedby": "how",
    "aria-label": "Drawing of all paths", "aria-details": "twin",
  });
  private readonly card = h("aside", { class: "card", "aria-label": "Details", tabindex: 0 });
  private readonly twin = h("div", { class: "twin", id: "twin", role: "region", "aria-label": "All stations and links", tabindex: 0, hidden: true });
  private readonly legend = h("div", { class: "legend" });
  private readonly zoom: HTMLElement;
  private cursor: string | null = null;
  private hover: Pick | null = null;
  private far = 0;
  /** Whether there is a sketch in place of stations and strokes. */
  private sketched = false;
  /** Whether it is the user's hand that changes the view. */
  private moving = false;

  /** times is how many times its own height the drawing is high. */
  constructor(page: Page, private readonly store: Store, private readonly times: number) {
    const m = (this.model = new Model(page));
    this.colours = new Colours(m);
    this.scene = new Scene(m, this.colours);
    this.view = new View(this.svg, this.scene.root, page.drawing.columns, page.drawing, (byHand) => this.moved(byHand));
    this.list = new List(m, {
      query: (query) => store.set({ query }),
      pick: (id, compare) => this.pickPath(id, compare),
      hover: (id) => this.over(id === null ? null : { kind: "path", id }),
    });
    const exports = drop("Export", "", button("SVG, as shown", {}, () => this.export("svg")), button("PNG, as shown", {}, () => this.export("png")), button("CSV, all paths", {}, () => this.export("csv")));
    this.tools = new Tools(store, { bands: page.drawing.bands.length > 0, silent: page.drawing.nodes.some((n) => n.kind === "silent") }, exports, button("Keys", { title: "?", "aria-haspopup": "dialog" }, () => this.help.showModal()));
    this.zoom = h("div", { class: "zoom", role: "group", "aria-label": "Scale" },
      button("+", { "aria-label": "Nearer" }, () => this.view.scale(1.4)), button("−", { "aria-label": "Farther" }, () => this.view.scale(1 / 1.4)),
      button("⤢", { "aria-label": "Fit", title: "0" }, () => this.fit()));
    const head = header(m);
    this.parts = [
      h("div", { class: "app" }, head, this.tools.root, this.list.root,
        h("main", { class: "stage" }, this.svg, this.twin, this.zoom, this.legend,
          h("p", { class: "unseen", id: "how" }, "Arrow keys go from station to station, Enter isolates one, t shows everything as a table."),
          h("p", { class: "unseen", id: "live", role: "status", "aria-live": "polite" })), this.card),
      this.tip.root, this.help,
    ];
    this.listen();
  }

  /** Shows the page, once it is in the document. */
  start() {
    const now = this.store.now;
    if (now.pick && !this.model.exists(now.pick)) this.store.now = { ...now, pick: null, other: null };
    this.update(this.store.now, null);
    if (this.store.now.view) this.view.go(this.placeOf(this.store.now.view), false);
    else this.view.fit();
    this.draw();
    this.view.open();
    this.store.listen((next, before) => this.update(next, before));
    new ResizeObserver(() => this.store.now.view === null && this.view.fit()).observe(this.svg);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.dress(this.store.now));
  }

  /** Draws stations and strokes. Of a large drawing with nothing pale there is a
   * sketch first, which looks the same. */
  private draw() {
    const now = this.store.now;
    const pale = now.pick || now.query.trim() || now.share > 0 || now.loss > 0 || now.delay > 0;
    this.sketched = true;
    if (this.model.page.drawing.nodes.length <= small || pale) {
      this.finish();
      return;
    }
    this.scene.sketch(now.colour, this.far, this.far > 1.35 ? null : this.view.area);
    afterPaint(() => this.finish());
  }

  /** Draws what a sketch stands for. */
  private finish() {
    if (!this.sketched) return;
    this.sketched = false;
    this.scene.finish(this.store.now.colour);
    this.list.fill();
    this.lightUp();
  }

  private update(now: State, before: State | null) {
    this.finish();
    const changed = (...names: (keyof State)[]) => before === null || names.some((n) => now[n] !== before[n]);
    if (changed("theme")) this.dress(now);
    if (changed("colour")) {
      this.scene.paint(now.colour);
      this.legend.replaceChildren(...legend(this.model, this.colours, now.colour));
      this.svg.classList.toggle("byloss", now.colour === "loss");
    }
    this.svg.classList.toggle("nobands", !now.bands);
    this.svg.classList.toggle("nosilent", !now.silent);
    if (changed("table")) this.showTable(now.table);
    if (changed("pick", "other")) {
      const go = (pick: Pick | null) => this.go(pick);
      const pick = now.pick && this.model.exists(now.pick) ? now.pick : null;
      this.card.replaceChildren(...(pick ? cardFor(this.model, pick, now.other, go) : summary(this.model, go)));
      if (before) this.card.scrollTop = 0;
    }
    if (changed("view") && before && now.view && !this.moving) this.view.go(this.placeOf(now.view), false);
    if (changed("pick", "other", "query", "share", "loss", "delay", "colour", "silent")) this.lightUp();
    this.tools.update(now);
  }

  /** Makes pale what the state, or the mouse, leaves out. */
  private lightUp() {
    const now = this.store.now;
    const m = this.model;
    const matching = now.query.trim() ? m.matching(now.query) : null;
    const pick = this.hover ?? now.pick;
    let lit: Set<number> | null = matching;
    if (pick && m.exists(pick)) {
      const through = new Set(m.pathsThrough(pick));
      if (!this.hover && now.other !== null) through.add(now.other);
      lit = through;
    }
    const has = (here: Pick) => lit === null || [...m.pathsThrough(here)].some((p) => lit.has(p));
    const enough = (l: Link) => 100 * l.share >= now.share && 100 * (l.lost ?? 0) >= now.loss && (now.delay === 0 || (l.delta_us ?? 0) >= 1000 * now.delay);
    const limited = now.share > 0 || now.loss > 0 || now.delay > 0;
    const link = (l: Link) => enough(l) && has({ kind: "link", from: l.from, to: l.to });
    const node = (n: Node) => {
      const here: Pick = { kind: "node", id: n.id };
      if (pick?.kind === "node" && (pick.id === n.id || m.bars.get(pick.id) === n.id)) return true;
      if (!has(here) && !(lit === null && n.kind === "source")) return n.unreached === true && lit === null;
      return !limited || [...(m.into.get(n.id) ?? []), ...(m.outOf.get(n.id) ?? [])].some(enough);
    };
    const found = (n: Node) => matching !== null && [n, ...(n.members ?? [])].some((x) => m.nodeMatches(x, now.query));
    this.scene.light(link, node, found);
    const strips = this.strips(now, lit);
    this.scene.lay(strips);
    this.svg.classList.toggle("striped", strips.length > 0);
    const picked = now.pick?.kind === "node" ? (m.bars.get(now.pick.id) ?? now.pick.id) : now.pick?.kind === "link" ? key(now.pick.from, now.pick.to) : null;
    this.scene.mark(this.cursor, picked);
    const chosen = now.pick?.kind === "path" ? [now.pick.id, ...(now.other === null ? [] : [now.other])] : [];
    const through = now.pick && now.pick.kind !== "path" ? m.pathsThrough(now.pick) : null;
    const all = matching ?? new Set(m.paths.keys());
    const shown = through ? new Set([...all].filter((p) => through.has(p))) : all;
    this.list.update(shown, chosen, (id) => this.keyOf(id, now, chosen), now.query);
    this.list.highlight(this.hover && this.hover.kind !== "path" ? m.pathsThrough(this.hover) : null);
  }

  /** Which paths are drawn over the others. */
  private strips(now: State, lit: Set<number> | null): Strip[] {
    if (this.hover?.kind === "path") return [{ path: this.hover.id, colour: now.colour === "path" ? this.colours.path(this.hover.id) : "one" }];
    if (!this.hover && now.pick?.kind === "path") {
      const one: Strip = { path: now.pick.id, colour: "one" };
      return now.other === null ? [one] : [one, { path: now.other, colour: "two" }];
    }
    if (now.colour !== "path") return [];
    const ids = [...this.model.paths.keys()].filter((id) => lit === null || lit.has(id));
    return ids.length <= mostStrips ? ids.map((id) => ({ path: id, colour: this.colours.path(id) })) : [];
  }

  private keyOf(id: number, now: State, chosen: number[]): string {
    if (chosen[0] === id) return "one";
    if (chosen[1] === id) return "two";
    return now.colour === "path" ? this.colours.path(id) : "";
  }

  private dress(now: State) {
    const dark = now.theme === "dark" || (now.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
  }

  private showTable(yes: boolean) {
    if (yes && this.twin.childElementCount === 0) this.twin.append(...tables(this.model, (pick) => this.go(pick)));
    this.twin.hidden = !yes;
    this.svg.toggleAttribute("hidden", yes);
    this.legend.hidden = yes;
    this.zoom.hidden = yes;
  }

  /** Picks something, or nothing. */
  private go(pick: Pick | null) {
    this.hover = null;
    this.tip.hide();
    this.store.set({ pick, other: null });
    const id = pick?.kind === "node" ? pick.id : pick?.kind === "link" ? pick.to : null;
    const n = id ? this.model.nodes.get(this.model.bars.get(id) ?? id) : undefined;
    if (n) this.view.show(n.x + n.w / 2, n.y);
    if (pick) say(this.card.querySelector("h2")?.textContent ?? "");
  }

  private pickPath(id: number, compare: boolean) {
    const now = this.store.now;
    this.hover = null;
    if (compare && now.pick?.kind === "path" && now.pick.id !== id) this.store.set({ other: id });
    else if (now.pick?.kind === "path" && now.pick.id === id && now.other === null) this.go(null);
    else this.go({ kind: "path", id });
    say(this.card.querySelector("h2")?.textContent ?? "");
  }

  private over(pick: Pick | null) {
    if (JSON.stringify(pick) === JSON.stringify(this.hover)) return;
    this.hover = pick;
    this.lightUp();
  }

  private fit() {
    this.view.fit();
    this.store.set({ view: null });
  }

  /** The state has places in the drawing as it came: they are the same in every
   * window. */
  private placeOf(v: Place): Place {
    return { k: v.k, x: v.x, y: v.y * this.times };
  }

  /** Draws strokes and letters larger where all of it is far away. */
  private moved(byHand: boolean) {
    const { k } = this.view.place;
    const m = k > 0.6 ? 1 : k > 0.42 ? 1.35 : k > 0.28 ? 1.9 : k > 0.19 ? 2.8 : k > 0.12 ? 4 : 6;
    if (m !== this.far) {
      this.finish();
      this.far = m;
      this.svg.style.setProperty("--m", String(m));
    }
    this.scene.letter(m, k);
    if (!byHand) return;
    const { x, y } = this.view.place;
    this.moving = true;
    this.store.set({ view: { k, x, y: y / this.times } });
    this.moving = false;
  }

  private async export(kind: "svg" | "png" | "csv") {
    const name = `traceflow-${this.model.page.heading.address.replace(/[^0-9a-zA-Z.]/g, "-")}.${kind}`;
    if (kind === "csv") save(name, new Blob([asCSV(this.model)], { type: "text/csv" }));
    else {
      const shown = this.store.now.table;
      if (shown) this.showTable(false); // what is not shown has no colours
      this.svg.style.setProperty("--m", "1"); // a file is looked at from near
      this.scene.letter(1, 1);
      const svg = drawingAsSVG(this.model, this.scene.root);
      this.svg.style.setProperty("--m", String(this.far));
      this.scene.letter(this.far, this.view.place.k);
      if (shown) this.showTable(true);
      save(name, kind === "svg" ? svgBlob(svg) : await asPNG(svg));
    }
    say(`Saved ${name}`);
  }

  private listen() {
    const what = (at: Element | null): Pick | null => {
      const node = at?.closest("[data-n]")?.getAttribute("data-n");
      if (node) return { kind: "node", id: node };
      const link = at?.closest("[data-l]")?.getAttribute("data-l")?.split("~");
      return link ? { kind: "link", from: link[0]!, to: link[1]! } : null;
    };
    this.svg.addEventListener("pointermove", (e) => {
      if (e.pointerType === "touch" || e.buttons !== 0) return;
      const pick = what(e.target as Element);
      this.over(pick);
      const text = (e.target as Element).closest("[data-tip]")?.getAttribute("data-tip");
      if (pick?.kind === "node") this.tip.show(nodeTip(this.model, this.model.nodes.get(pick.id)!), e.clientX, e.clientY);
      else if (pick?.kind === "link") this.tip.show(linkTip(this.model, this.model.links.get(key(pick.from, pick.to))!), e.clientX, e.clientY);
      else if (text) this.tip.show(text, e.clientX, e.clientY);
      else this.tip.hide();
    });
    this.svg.addEventListener("pointerleave", () => {
      this.over(null);
      this.tip.hide();
    });
    this.svg.addEventListener("click", (e) => {
      if (this.view.dragged) return;
      // A press on a sketch was meant for what took its place.
      const pick = what(e.target as Element) ?? what(document.elementFromPoint(e.clientX, e.clientY));
      if (pick || this.store.now.pick) this.go(pick);
    });
    this.svg.addEventListener("keydown", (e) => this.walk(e));
    this.svg.addEventListener("blur", () => this.scene.mark(null, null));
    listenForKeys({
      "/": () => this.list.field.focus(),
      p: () => this.list.rows.focus(),
      d: () => this.svg.focus(),
      "?": () => this.help.showModal(),
      Escape: () => this.back(),
      "+": () => this.view.scale(1.3),
      "=": () => this.view.scale(1.3),
      "-": () => this.view.scale(1 / 1.3),
      "0": () => this.fit(),
      g: () => this.store.set({ bands: !this.store.now.bands }),
      s: () => this.store.set({ silent: !this.store.now.silent }),
      t: () => this.store.set({ table: !this.store.now.table }),
      c: () => this.store.set({ colour: metrics[(metrics.indexOf(this.store.now.colour) + 1) % metrics.length]! }),
    });
  }

  private back() {
    this.cursor = null;
    this.over(null);
    if (this.store.now.pick) this.go(null);
    else this.store.set({ query: "" });
    this.scene.mark(null, null);
  }

  /** Goes from station to station. */
  private walk(e: KeyboardEvent) {
    const m = this.model;
    const d = m.page.drawing;
    const at = this.cursor ?? (this.store.now.pick?.kind === "node" ? this.store.now.pick.id : null);
    const n = at === null ? undefined : m.nodes.get(m.bars.get(at) ?? at);
    if (e.key === "Enter" && n) {
      e.preventDefault();
      this.go({ kind: "node", id: n.id });
      return;
    }
    if (!/^Arrow/.test(e.key)) return;
    e.preventDefault();
    let next: string | undefined;
    if (!n) next = d.nodes.find((x) => x.kind === "source")?.id;
    else if (e.key === "ArrowRight" || e.key === "ArrowLeft") {
      const links = [...((e.key === "ArrowRight" ? m.outOf : m.into).get(n.id) ?? [])].sort((a, b) => b.flows - a.flows);
      next = e.key === "ArrowRight" ? links[0]?.to : links[0]?.from;
    } else {
      const column = d.nodes.filter((x) => x.ttl === n.ttl).sort((a, b) => a.y - b.y);
      next = column[column.indexOf(n) + (e.key === "ArrowDown" ? 1 : -1)]?.id;
    }
    const to = next === undefined ? undefined : m.nodes.get(next);
    if (!to) return;
    this.cursor = to.id;
    this.scene.mark(to.id, null);
    this.view.show(to.x + to.w / 2, to.y);
    say(nodeTip(m, to).replace(/\n/g, ", "));
  }
}
