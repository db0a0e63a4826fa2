// SPDX-License-Identifier: BSD-3-Clause

import { answer } from "./ask.ts";
import { cardFor, copy, copyBy } from "./card.ts";
import { Colours } from "./colour.ts";
import { spanOf, veil, within } from "./cut.ts";
import { type Drawing, groupedBy, type Page, undrawn } from "./data.ts";
import { afterPaint, button, h, s, say } from "./dom.ts";
import { Scene } from "./draw.ts";
import { asCSV, asPNG, drawingAsSVG, save, svgBlob } from "./export.ts";
import { follow, followPath } from "./follow.ts";
import { Header } from "./header.ts";
import { helpDialog, listenForKeys } from "./keys.ts";
import { legend } from "./legend.ts";
import { keyOf, light } from "./light.ts";
import { List } from "./list.ts";
import { key, Model, type Pick } from "./model.ts";
import { exchange } from "./morph.ts";
import { Press } from "./press.ts";
import type { Progress } from "./progress.ts";
import { type Metric, metricOf, metricsOf, type State, type Store, write } from "./state.ts";
import { roomFor, stretch } from "./stretch.ts";
import { Sketch } from "./sketch.ts";
import { summary } from "./summary.ts";
import { tables } from "./table.ts";
import { linkTip, nodeTip, Tip } from "./tip.ts";
import { drop, Tools } from "./tools.ts";
import { type Place, View } from "./view.ts";
import { step } from "./walk.ts";

/** Drawings of no more stations are there at once. */
const small = 150;

/** What a page that is served has more than one from disk. */
export interface Served {
  banner: Element;
  progress: Progress;
}

/** The page: it keeps all parts at what the state says, and at the data that came
 * last. What the user has done stays when other data come. */
export class App {
  readonly parts: Element[];
  private model: Model;
  private colours: Colours;
  private scene: Scene;
  private readonly view: View;
  private readonly list: List;
  private readonly tools: Tools;
  private readonly header: Header;
  private readonly tip = new Tip();
  private readonly help = helpDialog();
  private readonly press = new Press();
  private readonly sketch = new Sketch();
  private readonly svg = s("svg", {
    class: "picture", tabindex: 0, role: "application", "aria-roledescription": "drawing", "aria-describedby": "how",
    "aria-label": "Drawing of all paths", "aria-details": "twin",
  });
  private readonly card = h("aside", { class: "card", "aria-label": "Details", tabindex: 0 });
  private readonly twin = h("div", { class: "twin", id: "twin", role: "region", "aria-label": "All stations and links", tabindex: 0, hidden: true });
  private readonly legend = h("div", { class: "legend" });
  private readonly zoom: HTMLElement;
  /** What saves the drawing as it is shown. */
  private readonly pictures = [button("SVG, as shown", {}, () => this.export("svg")), button("PNG, as shown", {}, () => this.export("png"))];
  private cursor: string | null = null;
  private hover: Pick | null = null;
  private far = 0;
  /** Whether it is the user's hand that changes the view. */
  private moving = false;
  /** Whether stations and strokes are still to be drawn, or are a sketch. */
  private sketched = false;
  /** How many times its own height a drawing is high. */
  private readonly heights = new WeakMap<Drawing, number>();

  constructor(private page: Page, private readonly store: Store, private readonly served: Served | null) {
    const m = (this.model = this.modelOf(page));
    this.colours = new Colours(m);
    this.scene = this.sceneOf(m);
    this.view = new View(this.svg, (byHand) => this.moved(byHand));
    this.list = new List(m, {
      query: (query) => store.set({ query }),
      pick: (id, compare) => this.pickPath(id, compare),
      hover: (id) => this.over(id === null ? null : { kind: "path", id }),
    });
    const exports = drop("Export", "", ...this.pictures, button("CSV, all paths", {}, () => this.export("csv")),
      ...(served ? [button("Copy link to this view", {}, () => void copy(new URL(`#${write(store.now)}`, location.href).href))] : []));
    this.tools = new Tools(store, exports, button("Keys", { title: "?", "aria-haspopup": "dialog" }, () => this.help.showModal()));
    this.zoom = h("div", { class: "zoom", role: "group", "aria-label": "Scale" },
      button("+", { "aria-label": "Nearer" }, () => this.view.scale(1.4)), button("−", { "aria-label": "Farther" }, () => this.view.scale(1 / 1.4)),
      button("⤢", { "aria-label": "Fit", title: "0" }, () => this.fit()));
    this.header = new Header(served?.banner ?? null, served?.progress.root ?? null);
    this.parts = [
      h("div", { class: "app" }, this.header.root, this.tools.root, this.list.root,
        h("main", { class: "stage" }, this.sketch.root, this.svg, this.twin, this.zoom, this.legend,
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
    this.showAll(true);
    this.store.listen((next, before) => this.update(next, before));
    new ResizeObserver(() => {
      if (!this.sketch.fits(this.view.window)) this.finish();
      if (this.store.now.view === null) this.fitView();
    }).observe(this.svg);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.finish();
      this.dress(this.store.now);
    });
  }

  /** Draws stations and strokes. Of a large drawing with nothing pale there is a
   * sketch first, which looks the same, and nothing beside it. */
  private draw() {
    const now = this.store.now;
    const pale = this.model.page.drawing.too_large || now.pick || now.query.trim() || now.share > 0 || now.loss > 0 || now.delay > 0 || now.table || this.svg.classList.contains("striped");
    if (this.model.page.drawing.nodes.length <= small || pale) {
      this.finish();
      return;
    }
    const { begin, window, area } = this.view;
    this.view.open();
    this.svg.classList.add("sketched");
    this.sketch.begin(begin, window);
    this.scene.sketch(this.sketch, this.metric(now), this.far, this.far > 1.35 ? null : area);
    afterPaint(() => this.finish());
  }

  /** Draws what is to be drawn, or what a sketch stands for, and says it in words
   * beside it. */
  private finish() {
    if (!this.sketched) return;
    this.sketched = false;
    this.svg.classList.remove("sketched");
    this.sketch.end();
    if (!this.model.page.drawing.too_large) this.scene.finish(this.metric(this.store.now));
    this.list.take(this.model);
    this.tell(this.store.now);
    this.lightUp();
  }

  /** Says on the right all that is known of what is picked, or what stands out. */
  private tell(now: State) {
    const m = this.model;
    const pick = now.pick && m.exists(now.pick) ? now.pick : null;
    exchange(this.card, pick ? cardFor(m, pick, now.other) : summary(m));
  }

  /** Takes other data in place of those that are shown; not while the user holds
   * something that they could take away. */
  take(page: Page) {
    this.press.free(() => {
      this.page = page;
      this.renew();
    });
  }

  /** Shows the data anew: all that the user did stays, if it can. */
  private renew() {
    const before = this.model;
    const m = (this.model = this.modelOf(this.page));
    this.colours = new Colours(m);
    this.scene = this.sceneOf(m);
    const now = this.store.now;
    const pick = follow(now.pick, before, m);
    const other = pick?.kind === "path" ? followPath(now.other, before, m) : null;
    if (now.pick && !pick) say("What was picked is no longer in the picture.");
    if (JSON.stringify([pick, other]) !== JSON.stringify([now.pick, now.other])) this.store.keep({ pick, other });
    this.hover = follow(this.hover, before, m);
    if (this.cursor !== null && !m.nodes.has(this.cursor)) this.cursor = null;
    this.showAll(false);
    if (this.hover) this.tip.again(this.tipOf(this.hover));
    else this.tip.hide();
  }

  /** The drawing of a model: an empty one if it is too large to draw. Then the tables
   * stand in its place. */
  private sceneOf(m: Model): Scene {
    return new Scene(m.page.drawing.too_large ? new Model(undrawn(m.page)) : m, this.colours);
  }

  /** Makes a model of data, of a drawing that is as high as there is room. A
   * drawing that the user has moved stays as high as it is. */
  private modelOf(page: Page): Model {
    const shown = groupedBy(page, this.store.now.group);
    const d = shown.drawing;
    if (!this.heights.has(d)) {
      const before = this.store.now.view && this.model ? this.heights.get(this.model.page.drawing) : undefined;
      const times = d.too_large ? 1 : (before ?? roomFor(d));
      stretch(d, times);
      this.heights.set(d, times);
    }
    return new Model(shown);
  }

  /** Shows the data: at first as soon as can be. */
  private showAll(first: boolean) {
    const m = this.model;
    const d = m.page.drawing;
    if (this.served) document.title = `${m.page.title} · traceflow`;
    this.header.update(m);
    this.served?.progress.update(m);
    this.tools.offer(this.page, d);
    this.view.take(this.scene.root, this.scene.drawing.columns, this.scene.drawing);
    for (const b of this.pictures) b.hidden = d.too_large !== undefined;
    this.far = 0;
    this.sketched = false;
    this.update(this.store.now, null);
    this.look(this.store.now);
    this.sketched = true;
    if (first) this.draw();
    else this.finish();
    this.view.open();
  }

  /** Goes to where the state says. */
  private look(now: State) {
    if (now.view) this.view.go(this.placeOf(now.view), false);
    else this.fitView();
  }

  private update(now: State, before: State | null) {
    this.finish();
    const changed = (...names: (keyof State)[]) => before === null || names.some((n) => now[n] !== before[n]);
    if (before && changed("group")) {
      this.renew();
      return;
    }
    const m = this.model;
    if (changed("theme")) this.dress(now);
    if (changed("colour")) {
      const metric = this.metric(now);
      this.scene.paint(metric);
      exchange(this.legend, legend(m, this.colours, metric));
      this.svg.classList.toggle("byloss", metric === "loss");
    }
    this.svg.classList.toggle("nobands", !now.bands);
    this.svg.classList.toggle("nosilent", !now.silent);
    if (changed("from", "to")) this.cut(now);
    if (changed("table", "from", "to")) this.showTable(now.table);
    if (before && changed("pick", "other")) {
      this.tell(now);
      this.card.scrollTop = 0;
    }
    if (changed("view", "from", "to") && before && !this.moving) this.look(now);
    if (changed("pick", "other", "query", "share", "loss", "delay", "colour", "silent")) this.lightUp();
    this.tools.update(now);
  }

  /** Makes pale what the state, or the mouse, leaves out. */
  private lightUp() {
    const now = this.store.now;
    const m = this.model;
    const l = light(m, this.colours, now, this.hover);
    this.scene.light(l.link, l.node, l.found);
    this.scene.lay(l.strips);
    this.svg.classList.toggle("striped", l.strips.length > 0);
    const picked = now.pick?.kind === "node" ? (m.bars.get(now.pick.id) ?? now.pick.id) : now.pick?.kind === "link" ? key(now.pick.from, now.pick.to) : null;
    this.scene.mark(this.cursor, picked);
    this.list.update(l.rows, l.chosen, (id) => keyOf(this.colours, id, now, l.chosen), now.query);
    this.list.highlight(this.hover && this.hover.kind !== "path" ? m.pathsThrough(this.hover) : null);
  }

  private dress(now: State) {
    const dark = now.theme === "dark" || (now.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
  }

  /** Hides the columns that are not to be shown. */
  private cut(now: State) {
    const d = this.model.page.drawing;
    this.scene.root.querySelector(".veil")?.remove();
    this.scene.root.append(veil(d, spanOf(d, now)));
  }

  private showTable(wanted: boolean) {
    const d = this.model.page.drawing;
    const yes = wanted || d.too_large !== undefined;
    exchange(this.twin, yes ? tables(this.model, within(d, this.store.now)) : []);
    this.hideForTable(yes);
  }

  private hideForTable(yes: boolean) {
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
    this.fitView();
    this.store.set({ view: null });
  }

  private fitView() {
    this.view.fit(spanOf(this.model.page.drawing, this.store.now));
  }

  /** What colours show. */
  private metric(now: State): Metric {
    return metricOf(now, this.model.merged);
  }

  private nextMetric() {
    const all = metricsOf(this.model.merged);
    const next = (all.indexOf(this.metric(this.store.now)) + 1) % all.length;
    this.store.set({ colour: next === 0 ? null : all[next]! });
  }

  private get times(): number {
    return this.heights.get(this.model.page.drawing) ?? 1;
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
      const shown = !this.twin.hidden;
      if (shown) this.hideForTable(false); // what is not shown has no colours
      this.svg.style.setProperty("--m", "1"); // a file is looked at from near
      this.scene.letter(1, 1);
      const svg = drawingAsSVG(this.model, this.scene.root);
      this.svg.style.setProperty("--m", String(this.far));
      this.scene.letter(this.far, this.view.place.k);
      if (shown) this.hideForTable(true);
      save(name, kind === "svg" ? svgBlob(svg) : await asPNG(svg));
    }
    say(`Saved ${name}`);
  }

  private tipOf(pick: Pick): string {
    if (pick.kind === "node") return nodeTip(this.model, this.model.nodes.get(pick.id)!);
    if (pick.kind === "link") return linkTip(this.model, this.model.links.get(key(pick.from, pick.to))!);
    return "";
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
      const at = e.target as Element;
      const pick = what(at);
      this.over(pick);
      const text = pick ? this.tipOf(pick) : at.closest("[data-tip]")?.getAttribute("data-tip");
      if (text) this.tip.show(text, e.clientX, e.clientY);
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
    for (const part of [this.card, this.twin]) answer(part, (pick) => this.go(pick), copyBy);
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
      l: () => this.served?.progress.toggle(),
      t: () => this.store.set({ table: !this.store.now.table }),
      c: () => this.nextMetric(),
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
    const at = this.cursor ?? (this.store.now.pick?.kind === "node" ? this.store.now.pick.id : null);
    if (e.key === "Enter" && at !== null && m.nodes.has(at)) {
      e.preventDefault();
      this.go({ kind: "node", id: m.bars.get(at) ?? at });
      return;
    }
    if (!/^Arrow/.test(e.key)) return;
    e.preventDefault();
    const to = step(m, at, e.key, within(m.page.drawing, this.store.now));
    if (!to) return;
    this.cursor = to.id;
    this.scene.mark(to.id, null);
    this.view.show(to.x + to.w / 2, to.y);
    say(nodeTip(m, to).replace(/\n/g, ", "));
  }
}
