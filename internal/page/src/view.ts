// SPDX-License-Identifier: BSD-3-Clause

import type { Area, Drawing } from "./data.ts";
import { s } from "./dom.ts";

export interface Place {
  k: number;
  x: number;
  y: number;
}

export interface Size {
  w: number;
  h: number;
}

/** A part of the drawing, from left to right. */
export interface Span {
  left: number;
  right: number;
}

type Column = Drawing["columns"][number];

const least = 0.03;
const most = 6;
const room = 28; // for the ruler

/** The window on the drawing: it is moved and scaled by mouse, touch and keys. */
export class View {
  place: Place = { k: 1, x: 0, y: 0 };
  /** Where in the window the drawing begins, in digits as they are written. */
  begin: Place = { k: 1, x: 0, y: 0 };
  private readonly fingers = new Map<number, { x: number; y: number }>();
  private readonly bar = s("g", { class: "ruler" });
  private ruler: SVGTextElement[] = [];
  private scene: SVGGElement | null = null;
  private shown: SVGGElement | null = null;
  private columns: Column[] = [];
  private size = { width: 1, height: 1 };
  private readonly label = s("text", { class: "ttl", x: 10, y: 18 }, "TTL");
  /** Whether the last press moved the drawing, and so was no click. */
  dragged = false;

  constructor(
    readonly svg: SVGSVGElement,
    private readonly moved: (byHand: boolean) => void,
  ) {
    svg.append(this.bar);
    svg.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    svg.addEventListener("pointerdown", (e) => this.down(e));
    svg.addEventListener("pointermove", (e) => this.move(e));
    for (const name of ["pointerup", "pointercancel"] as const) svg.addEventListener(name, (e) => this.fingers.delete(e.pointerId));
  }

  /** Takes a drawing, or another one. It is to be seen when the window has gone to
   * where it shall be, and open is called. */
  take(scene: SVGGElement, columns: Column[], size: { width: number; height: number }) {
    this.scene = scene;
    this.columns = columns;
    this.size = size;
    this.ruler = columns.slice(1).map((c) => s("text", { y: 18 }, c.label ?? String(c.ttl)));
    this.label.textContent = columns[0]?.label ?? "TTL";
    this.bar.replaceChildren(s("rect", { x: 0, y: 0, width: "100%", height: room - 2 }), ...this.ruler, this.label);
  }

  private get box() {
    return { w: this.svg.clientWidth || 800, h: (this.svg.clientHeight || 600) - room };
  }

  /** How large the window is. */
  get window(): Size {
    return { w: this.box.w, h: this.box.h + room };
  }

  /** What of the drawing is in the window. */
  get area(): Area {
    const { k, x, y } = this.place;
    return { x, y, w: this.box.w / k, h: this.box.h / k };
  }

  private wheel(e: WheelEvent) {
    e.preventDefault();
    const unit = e.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    if (e.shiftKey) {
      this.by(-(e.deltaX || e.deltaY) * unit, 0);
      return;
    }
    const r = this.svg.getBoundingClientRect();
    this.scale(Math.exp(-e.deltaY * unit * (e.ctrlKey ? 0.008 : 0.0015)), e.clientX - r.left, e.clientY - r.top);
  }

  private down(e: PointerEvent) {
    if (e.button !== 0) return;
    this.fingers.delete(e.pointerId);
    if (this.fingers.size === 0) this.dragged = false;
    this.fingers.set(e.pointerId, { x: e.clientX, y: e.clientY });
  }

  private move(e: PointerEvent) {
    const was = this.fingers.get(e.pointerId);
    if (!was) return;
    const now = { x: e.clientX, y: e.clientY };
    if (!this.dragged && Math.hypot(now.x - was.x, now.y - was.y) < (e.pointerType === "touch" ? 9 : 4) && this.fingers.size === 1) return;
    if (!this.svg.hasPointerCapture(e.pointerId)) this.svg.setPointerCapture(e.pointerId);
    this.dragged = true;
    const other = [...this.fingers].find(([id]) => id !== e.pointerId)?.[1];
    this.fingers.set(e.pointerId, now);
    if (!other) {
      this.by(now.x - was.x, now.y - was.y);
      return;
    }
    const r = this.svg.getBoundingClientRect();
    const times = Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(was.x - other.x, was.y - other.y));
    this.by((now.x - was.x) / 2, (now.y - was.y) / 2);
    this.scale(times, (now.x + other.x) / 2 - r.left, (now.y + other.y) / 2 - r.top);
  }

  /** Puts the drawing into the window, in place of the one before. Until then it
   * costs no layout. */
  open() {
    if (this.scene === this.shown || !this.scene) return;
    if (this.shown) this.shown.replaceWith(this.scene);
    else this.svg.prepend(this.scene);
    this.shown = this.scene;
  }

  /** Moves the drawing by pixels of the screen. */
  by(dx: number, dy: number) {
    this.go({ k: this.place.k, x: this.place.x - dx / this.place.k, y: this.place.y - dy / this.place.k }, true);
  }

  /** Scales around a point of the screen; the middle without one. */
  scale(times: number, px = this.box.w / 2, py = room + this.box.h / 2) {
    const { k, x, y } = this.place;
    const next = Math.min(most, Math.max(least, k * times));
    this.go({ k: next, x: x + px / k - px / next, y: y + (py - room) / k - (py - room) / next }, true);
  }

  /** Shows all of the drawing, or what lies between two places from left to right;
   * on a small screen as much of it as can be read. */
  fit(span?: Span | null) {
    const { w, h } = this.box;
    const { height } = this.size;
    const left = span?.left ?? 0;
    const width = (span?.right ?? this.size.width) - left;
    const all = Math.min((w - 16) / width, (h - 16) / height, 1.4);
    const k = w < 620 ? Math.max(all, Math.min(0.2, (h - 16) / height)) : all;
    const x = left + (width * k <= w ? (width - w / k) / 2 : -8 / k);
    this.go({ k, x, y: (height - h / k) / 2 }, false);
  }

  /** Moves a point of the drawing into the window if it is not there. */
  show(x: number, y: number) {
    const { w, h } = this.box;
    const p = this.place;
    const sx = (x - p.x) * p.k;
    const sy = (y - p.y) * p.k;
    if (sx > 5 && sx < w - 5 && sy > 5 && sy < h - 5) return;
    const k = Math.max(p.k, 0.5);
    this.go({ k, x: x - w / 2 / k, y: y - h / 2 / k }, true);
  }

  go(place: Place, byHand: boolean) {
    const { w, h } = this.box;
    // Some of the drawing always stays in sight.
    const x = Math.min(this.size.width - 60 / place.k, Math.max((60 - w) / place.k, place.x));
    const y = Math.min(this.size.height - 60 / place.k, Math.max((60 - h) / place.k, place.y));
    this.place = { k: place.k, x, y };
    const { k } = place;
    const [left, top, scale] = [(-x * k).toFixed(2), (room - y * k).toFixed(2), k.toFixed(4)];
    this.begin = { k: Number(scale), x: Number(left), y: Number(top) };
    const transform = `translate(${left} ${top}) scale(${scale})`;
    if (this.scene?.getAttribute("transform") !== transform) { // or the browser lays everything out again
      this.scene?.setAttribute("transform", transform);
      this.rule();
    }
    this.moved(byHand);
  }

  /** Writes TTLs above their columns, as many as there is room for. */
  private rule() {
    const { k, x } = this.place;
    const pitch = (this.columns[1]?.w ?? 60) * k;
    const every = pitch > 16 ? 1 : pitch > 6 ? 2 : 5;
    this.ruler.forEach((t, i) => {
      const c = this.columns[i + 1]!;
      const at = (c.x + c.w / 2 - x) * k;
      t.setAttribute("x", at.toFixed(1));
      t.setAttribute("display", at < 38 || c.ttl % every !== 0 ? "none" : "inline");
    });
  }
}
