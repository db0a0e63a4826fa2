// SPDX-License-Identifier: BSD-3-Clause

import type { Link, Node } from "./data.ts";
import { s } from "./dom.ts";
import type { Box } from "./names.ts";

/** What stands out of a link, on a ground of its own: on its bend, or below a link
 * that has none, where no names are. */
export class Pill {
  readonly root: SVGGElement;
  private readonly width: number;
  private readonly level: boolean;
  /** Where its link has an axis for itself: on the side of its beginning, of its end. */
  private readonly own: { from: boolean; to: boolean };
  /** How wide its link's bend is, and half of how high. */
  private readonly bend: number;
  private readonly rise: number;
  /** Where its middle is. */
  private x: number;
  private y: number;

  constructor(readonly link: Link, from: Node | undefined, to: Node | undefined) {
    const text = link.label ?? "";
    this.x = link.label_x ?? 0;
    this.y = link.label_y ?? 0;
    this.width = 7.9 * text.length + 12;
    this.level = from?.y === to?.y;
    this.own = { from: from !== undefined && !from.out, to: to !== undefined && !to.in };
    this.bend = from && to ? to.x - from.x - from.w : 0;
    this.rise = from && to ? (to.y - from.y) / 2 : 0;
    this.root = s("g", { class: link.lost ? "delay loss" : "delay" },
      s("rect", { x: -this.width / 2, y: -8.5, width: this.width, height: 17, rx: 8.5 }), s("text", { x: 0, y: 4 }, text));
  }

  /** Puts it where it hides least: of stations with their names, and of those that
   * stand already. */
  place(times: number, boxes: { x: number; box: Box }[], others: Pill[]) {
    const width = (this.width / 2 + 1) * times;
    const height = 9.5 * times;
    let best = Infinity;
    const { label_x = 0, label_y = 0 } = this.link;
    const half = this.bend / 2;
    const spots = this.level ? [[0, 14 * times], [0, -14 * times]] : [0, 0.2, -0.2, 0.36, -0.36, 0.46, -0.46].map((f) => [along(f) * half, f * 2 * this.rise]);
    if (!this.level && this.own.to) spots.push([half + 0.7 * width, this.rise + 15 * times]);
    if (!this.level && this.own.from) spots.push([-half - 0.7 * width, 15 * times - this.rise]);
    for (const [dx, dy] of spots) {
      const x = label_x + dx!;
      const y = label_y + dy!;
      let hidden = 0;
      for (const { x: middle, box } of boxes) {
        const across = Math.min(x + width, 2 * middle - box.left) - Math.max(x - width, box.left);
        const down = Math.min(y + height, box.bottom) - Math.max(y - height, box.top);
        if (across > 0 && down > 0) hidden += across * down;
      }
      for (const o of others) if (o.covers(x, y, this.width, times)) hidden += width * height * 4;
      if (hidden >= best) continue;
      best = hidden;
      this.x = x;
      this.y = y;
    }
    this.root.setAttribute("transform", `translate(${this.x.toFixed(1)} ${this.y.toFixed(1)}) scale(${times.toFixed(3)})`);
  }

  /** Whether another one would stand on it. */
  covers(x: number, y: number, width: number, times: number): boolean {
    return Math.abs(x - this.x) < ((width + this.width) / 2 + 2) * times && Math.abs(y - this.y) < 19 * times;
  }

  /** Whether it stands on another one. */
  on(others: Pill[], times: number): boolean {
    return others.some((o) => o.covers(this.x, this.y, this.width, times));
  }
}

/** How far from the middle, from −1 to 1, a bend is that is so much of its rise
 * above the middle, from −0.5 to 0.5: picture.bend is a curve whose height is
 * 3t² − 2t³ where its length is about t. */
function along(rise: number): number {
  let t = 0.5 + rise;
  for (let i = 0; i < 6; i++) t -= (3 * t * t - 2 * t * t * t - 0.5 - rise) / Math.max(0.2, 6 * t * (1 - t));
  const u = 1 - t;
  // x of a cubic from 0 over ½ and ½ to 1.
  return 2 * (1.5 * u * u * t + 1.5 * u * t * t + t * t * t) - 1;
}
