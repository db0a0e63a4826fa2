// SPDX-License-Identifier: BSD-3-Clause

import { h } from "./dom.ts";
import type { Place } from "./view.ts";

/** The first picture of a large drawing, on a canvas below where the drawing will
 * be: a browser has it on the screen in half the time that elements take. How a
 * shape looks is asked of an element, so that the style is in one place. */
export class Sketch {
  readonly root = h("canvas", { class: "sketch", hidden: true });
  private readonly pen = this.root.getContext("2d")!;

  /** Begins a picture of a window in which the drawing begins somewhere. */
  begin({ k, x, y }: Place, size: { w: number; h: number }) {
    const dots = devicePixelRatio;
    this.root.width = Math.round(size.w * dots);
    this.root.height = Math.round(size.h * dots);
    this.root.style.width = `${size.w}px`;
    this.root.style.height = `${size.h}px`;
    this.root.hidden = false;
    this.pen.setTransform(dots * k, 0, 0, dots * k, dots * x, dots * y);
  }

  /** Draws shapes, given as paths of SVG, like an element of the document. Its style
   * makes strokes so many times wider. */
  draw(shapes: string[], like: Element, times = 1) {
    const style = getComputedStyle(like);
    const pen = this.pen;
    const lengths = (text: string) => (text === "none" ? [] : text.split(/[ ,]+/).map((n) => times * parseFloat(n)));
    pen.fillStyle = style.fill;
    pen.strokeStyle = style.stroke;
    pen.lineWidth = lengths(style.strokeWidth)[0] ?? 1;
    pen.setLineDash(lengths(style.strokeDasharray));
    pen.lineCap = style.strokeLinecap as CanvasLineCap;
    pen.lineJoin = style.strokeLinejoin as CanvasLineJoin;
    for (const d of shapes) { // one by one: a browser takes much longer for all of them at once
      const shape = new Path2D(d);
      pen.globalAlpha = Number(style.fillOpacity);
      if (style.fill !== "none") pen.fill(shape);
      pen.globalAlpha = Number(style.strokeOpacity);
      if (style.stroke !== "none") pen.stroke(shape);
    }
  }

  /** Takes the picture away. */
  end() {
    this.root.hidden = true;
    this.root.width = this.root.height = 0;
  }
}

/** The shape of an element of SVG that is a path or a rectangle. */
export function shapeOf(e: Element): string {
  const [x, y, w, h] = ["x", "y", "width", "height"].map((name) => e.getAttribute(name));
  return e.getAttribute("d") ?? `M${x} ${y}h${w}v${h}h-${w}z`;
}
