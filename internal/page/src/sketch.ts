// SPDX-License-Identifier: BSD-3-Clause

import { h } from "./dom.ts";
import type { Place, Size } from "./view.ts";

/** How many dots wide a stroke is that may as well have one. */
const thin = 1.2;

/** Leads a pen along a shape. */
export type Shape = (pen: CanvasPath) => void;

/** The first picture of a large drawing, on a canvas below where the drawing will
 * be: a browser has it on the screen in half the time that elements take. How a
 * shape looks is asked of an element, so that the style is in one place. */
export class Sketch {
  readonly root = h("canvas", { class: "sketch", hidden: true });
  private readonly pen = this.root.getContext("2d")!;
  private size: Size = { w: 0, h: 0 };
  private dot = 1; // in units of the drawing

  /** Begins a picture of a window in which the drawing begins somewhere. */
  begin({ k, x, y }: Place, size: Size) {
    this.size = size;
    const dots = devicePixelRatio;
    this.root.width = Math.round(size.w * dots);
    this.root.height = Math.round(size.h * dots);
    this.root.style.width = `${size.w}px`;
    this.root.style.height = `${size.h}px`;
    this.root.hidden = false;
    this.dot = 1 / (dots * k);
    this.pen.setTransform(dots * k, 0, 0, dots * k, dots * x, dots * y);
  }

  /** Draws shapes like an element of the document. Its style makes strokes so many
   * times wider. */
  draw(shapes: Shape[], like: Element, times = 1) {
    const style = getComputedStyle(like);
    const { fill, stroke, fillOpacity, strokeOpacity } = style;
    const pen = this.pen;
    const lengths = (text: string) => (text === "none" ? [] : text.split(/[ ,]+/).map((n) => times * parseFloat(n)));
    pen.fillStyle = fill;
    pen.strokeStyle = stroke;
    const width = lengths(style.strokeWidth)[0] ?? 1;
    // A browser draws lines of one dot in an eighth of the time of any that are wider.
    pen.lineWidth = width < thin * this.dot ? this.dot : width;
    pen.setLineDash(lengths(style.strokeDasharray));
    pen.lineCap = style.strokeLinecap as CanvasLineCap;
    pen.lineJoin = style.strokeLinejoin as CanvasLineJoin;
    for (const shape of shapes) { // one by one: a browser takes much longer for all of them at once
      pen.beginPath();
      shape(pen);
      pen.globalAlpha = Number(fillOpacity);
      if (fill !== "none") pen.fill();
      pen.globalAlpha = Number(strokeOpacity);
      if (stroke !== "none") pen.stroke();
    }
  }

  /** Whether it is as large as a window. */
  fits(size: Size): boolean {
    return size.w === this.size.w && size.h === this.size.h;
  }

  /** Takes the picture away. */
  end() {
    this.root.hidden = true;
    this.root.width = this.root.height = 0;
  }
}
