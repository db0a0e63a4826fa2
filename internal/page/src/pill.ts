// SPDX-License-Identifier: BSD-3-Clause

import type { Link, Node } from "./data.ts";
import { s } from "./dom.ts";

/** What stands out of a link, on a ground of its own: on its bend, or below a link
 * that has none, where no names are. */
export class Pill {
  readonly root: SVGGElement;
  private readonly x: number;
  private readonly y: number;
  private readonly width: number;
  private readonly level: boolean;

  constructor(readonly link: Link, from: Node | undefined, to: Node | undefined) {
    const text = link.label ?? "";
    this.x = link.label_x;
    this.y = link.label_y;
    this.width = 7 * text.length + 10;
    this.level = from?.y === to?.y;
    this.root = s("g", { class: link.lost ? "delay loss" : "delay" },
      s("rect", { x: -this.width / 2, y: -8.5, width: this.width, height: 17, rx: 8.5 }), s("text", { x: 0, y: 4 }, text));
    this.scale(1);
  }

  scale(times: number) {
    this.root.setAttribute("transform", `translate(${this.x} ${this.y + this.drop(times)}) scale(${times.toFixed(3)})`);
  }

  /** Whether it would stand on another one. */
  covers(o: Pill, times: number): boolean {
    return Math.abs(o.x - this.x) < ((o.width + this.width) / 2 + 2) * times && Math.abs(o.y + o.drop(times) - this.y - this.drop(times)) < 19 * times;
  }

  private drop(times: number): number {
    return this.level ? 14 * times : 0;
  }
}
