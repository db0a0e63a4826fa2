// SPDX-License-Identifier: BSD-3-Clause

import type { Status } from "./data.ts";
import { s } from "./dom.ts";

/** What a stroke of a link or a track is drawn by. */
interface Stroke {
  width: number;
  stroke: string;
  inferred?: boolean;
  status?: Status;
}

/** The classes of colours from the lowest to the highest layer, by their first
 * letters: what is slow or lost is never covered by what is not. */
const layers = ["na", "sh", "bo", "a", "p", "d", "lo"];

/** Says how a stroke looks, and sorts by what lies over what: thin strokes over
 * wide ones of a colour. */
function layerOf(colour: string, l: Stroke): string {
  const layer = layers.findIndex((c) => colour.startsWith(c));
  return `${layer}${colour} ${l.inferred ? "inferred" : "seen"} ${l.status ?? ""} ${(100 - l.width).toFixed(1)}`;
}

function classOf(colour: string, l: Stroke): string {
  return `${colour}${l.inferred ? " inferred" : ""}${l.status ? ` ${l.status}` : ""}`;
}

/** Makes the element of a stroke, of no colour. */
export function stroke(l: Stroke): SVGPathElement {
  const line = s("path", { d: l.stroke });
  line.style.setProperty("--w", String(l.width));
  return line;
}

/** Gives a stroke its colour, and returns the layer that it belongs to. */
export function dress(line: SVGPathElement, colour: string, l: Stroke): string {
  line.setAttribute("class", classOf(colour, l));
  return layerOf(colour, l);
}

/** Strokes, of which those that look the same are one element in each place: a
 * browser paints its window in tiles, and all of an element for each that it
 * reaches. */
export class Strokes {
  private readonly alike = new Map<string, { colour: string; stroke: Stroke }>();

  add(colour: string, l: Stroke, place: number) {
    const layer = `${layerOf(colour, l)} ${place}`;
    const one = this.alike.get(layer);
    if (one) one.stroke.stroke += l.stroke;
    else this.alike.set(layer, { colour, stroke: { ...l } });
  }

  /** The elements, the lowest first. */
  drawn(): SVGPathElement[] {
    return [...this.alike].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => {
      const line = stroke(one.stroke);
      dress(line, one.colour, one.stroke);
      return line;
    });
  }
}
