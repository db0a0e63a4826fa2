// SPDX-License-Identifier: BSD-3-Clause

import type { Drawing, Stroke } from "./data.ts";

const most = 5;

/** How many times its height a drawing that is wide and low may have in this
 * window. A telephone shows as much of it as can be told apart, others all of it. */
export function roomFor(d: Drawing): number {
  if (d.too_large) return 1;
  const [width, height] = innerWidth <= 820 ? [Math.max(innerWidth, 0.2 * d.width), 0.55 * innerHeight] : [innerWidth - 600, innerHeight - 230];
  const times = Math.min(most, Math.max(1, (0.8 * d.width * height) / (width * d.height)));
  return times < 1.1 ? 1 : times;
}

/** Makes a drawing so many times as high, once. Stations keep their order and
 * their places from left to right; only what lies between them grows. */
export function stretch(d: Drawing, times: number) {
  if (times === 1) return;
  const y = (v: number) => Math.round(v * times);
  d.height = y(d.height);
  for (const n of d.nodes) {
    n.y = y(n.y);
    for (const t of [n.in, n.out]) if (t) strokeTimes(t.stroke, y);
  }
  for (const l of d.links) {
    if (l.label_y !== undefined) l.label_y = y(l.label_y);
    strokeTimes(l.stroke, y);
  }
  for (const b of d.bands) {
    for (const a of b.areas) {
      const top = y(a.y);
      a.h = y(a.y + a.h) - top;
      a.y = top;
    }
  }
  for (const m of d.marks) [m.top, m.bottom] = [y(m.top), y(m.bottom)];
  for (const p of d.pipes) {
    // Its label is as far below its station as before.
    const n = d.nodes.find((x) => x.id === p.nodes[0]);
    p.y = n ? p.y - Math.round(n.y / times) + n.y : y(p.y);
    for (const stroke of p.strokes) strokeTimes(stroke, y);
  }
}

function strokeTimes(stroke: Stroke, y: (v: number) => number) {
  for (let i = 1; i < stroke.length; i += 2) stroke[i] = y(stroke[i]!);
}
