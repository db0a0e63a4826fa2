// SPDX-License-Identifier: BSD-3-Clause

import type { Status, Stroke } from "./data.ts";
import { s } from "./dom.ts";

/** What a stroke of a link or a track is drawn by. */
interface Line {
  width: number;
  stroke: Stroke;
  inferred?: boolean;
  status?: Status;
}

/** What leads from point to point. */
interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  bezierCurveTo(x1: number, y1: number, x2: number, y2: number, x: number, y: number): void;
}

/** Leads a pen along a stroke: level between two points of one height, and between
 * others along a curve that begins and ends level. */
export function trace(pen: Pen, stroke: Stroke) {
  pen.moveTo(stroke[0]!, stroke[1]!);
  for (let i = 2; i < stroke.length; i += 2) {
    const [before, from, x, y] = [stroke[i - 2]!, stroke[i - 1]!, stroke[i]!, stroke[i + 1]!];
    const middle = (before + x) / 2;
    if (from === y) pen.lineTo(x, y);
    else pen.bezierCurveTo(middle, from, middle, y, x, y);
  }
}

/** A stroke as a path of SVG. */
export function pathOf(stroke: Stroke): string {
  let path = "";
  trace({
    moveTo: (x, y) => (path += `M${x} ${y}`),
    lineTo: (x) => (path += `H${x}`),
    bezierCurveTo: (x1, y1, x2, y2, x, y) => (path += `C${x1} ${y1} ${x2} ${y2} ${x} ${y}`),
  }, stroke);
  return path;
}

/** The classes of colours from the lowest to the highest layer, by their first
 * letters: what is slow or lost is never covered by what is not. */
const layers = ["na", "sh", "bo", "a", "p", "d", "lo"];

/** Says how a stroke looks, and sorts by what lies over what: thin strokes over
 * wide ones of a colour. */
function layerOf(colour: string, l: Line): string {
  const layer = layers.findIndex((c) => colour.startsWith(c));
  return `${layer}${colour} ${l.inferred ? "inferred" : "seen"} ${l.status ?? ""} ${(100 - l.width).toFixed(1)}`;
}

function classOf(colour: string, l: Line): string {
  return `${colour}${l.inferred ? " inferred" : ""}${l.status ? ` ${l.status}` : ""}`;
}

/** Makes the element of a stroke, of no colour. */
export function stroke(l: Line): SVGPathElement {
  const line = pen(l);
  line.setAttribute("d", pathOf(l.stroke));
  return line;
}

/** Makes an element that is as wide as a stroke. */
function pen(l: Line): SVGPathElement {
  const line = s("path");
  line.style.setProperty("--w", String(l.width));
  return line;
}

/** Gives a stroke its colour, and returns the layer that it belongs to. */
export function dress(line: SVGPathElement, colour: string, l: Line): string {
  line.setAttribute("class", classOf(colour, l));
  return layerOf(colour, l);
}

/** Strokes by what they look like. */
export class Strokes {
  private readonly alike = new Map<string, { like: SVGPathElement; strokes: Stroke[] }>();

  add(colour: string, l: Line) {
    const layer = layerOf(colour, l);
    const one = this.alike.get(layer);
    if (one) {
      one.strokes.push(l.stroke);
      return;
    }
    const like = pen(l);
    dress(like, colour, l);
    this.alike.set(layer, { like, strokes: [l.stroke] });
  }

  /** Strokes that look the same, and an element that does; the lowest first. */
  drawn(): { like: SVGPathElement; strokes: Stroke[] }[] {
    return [...this.alike].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  }
}
