// SPDX-License-Identifier: BSD-3-Clause

import type { Drawing, Node } from "./data.ts";
import { s } from "./dom.ts";

/** How wide a letter is on average, and how high a line, of the smallest size. */
const letter = 6.7;
const thin = 6.2; // where it is not bold
const line = 13;
const step = 1.15;

/** The room that a station's names have, in pixels of the drawing. */
interface Room {
  width: number;
  /** From its axis up to what is above it. */
  above: number;
  /** Whether the name of an owner may stand there, too. */
  owner: boolean;
}

/** A station with its names. */
export interface Box {
  left: number;
  top: number;
  bottom: number;
}

/** The names above stations. Letters have nearly one size on the screen, however
 * far away the drawing is: names are as long, and as many, as there is room for. */
export class Names {
  /** How many times their smallest size letters are in the drawing. */
  times = 1;
  /** How many times larger stations are drawn. */
  private stations = 1;
  private readonly room = new Map<string, Room>();
  private readonly columns: Node[][] = [];
  private readonly lines = new Map<number, number>();
  private readonly boxes = new Map<string, Box>();

  constructor(d: Drawing) {
    d.columns.forEach((c, i) => {
      const before = d.columns[i - 1];
      const after = d.columns[i + 1];
      const left = before ? (c.x - before.x - before.w) / 3 : c.x;
      const right = after ? (after.x - c.x - c.w) / 3 : d.width - c.x - c.w;
      const width = c.w + 2 * Math.min(left, right);
      const nodes = d.nodes.filter((n) => n.ttl === c.ttl).sort((a, b) => a.y - b.y);
      this.columns.push(nodes);
      nodes.forEach((n, j) => {
        const over = nodes[j - 1];
        this.room.set(n.id, { width, above: over ? n.y - over.y - Math.max(0, over.below - 10) : n.y, owner: d.bands.length > 0 && over?.asn !== n.asn });
      });
    });
  }

  /** Takes how large the drawing is seen, and how many times larger stations are
   * drawn, and says whether names have to be written again. */
  fit(scale: number, stations: number): boolean {
    const times = step ** Math.max(0, Math.ceil(Math.log(1 / scale) / Math.log(step)));
    if (times === this.times && stations === this.stations && this.lines.size > 0) return false;
    this.times = times;
    this.stations = stations;
    for (const nodes of this.columns) {
      // As many lines for all of a column: its first and its last have more room.
      let most = 4;
      for (const n of nodes) {
        const r = this.room.get(n.id)!;
        const top = this.foot(n) + (n.kind === "bar" ? 4 : 5.5 * stations) + (r.owner ? line * times : 0);
        most = Math.min(most, Math.floor((r.above - top) / (line * times)));
      }
      for (const n of nodes) this.lines.set(n.ttl, Math.max(0, most));
    }
    return true;
  }

  /** How far above its axis the names of a station begin. */
  private foot(n: Node): number {
    return n.kind === "bar" ? n.below + 5 : 7 * this.stations + 3;
  }

  /** Writes the names of a station into it, in place of those before. */
  write(n: Node, g: SVGGElement) {
    for (const e of g.querySelectorAll(":scope > .label")) e.remove();
    const all = n.lines ?? [];
    const end = n.kind === "source" || n.kind === "destination";
    const most = Math.max(this.lines.get(n.ttl) ?? 0, end ? 1 : 0);
    // The name goes before the round trip, and that before the address.
    const shown = all.length <= most || n.kind === "bar" ? all.slice(0, most) : most > 1 ? [all[0]!, ...all.slice(all.length - most + 1)] : all.slice(0, most);
    const fitting = shown.map((text, i) => {
      const bold = i === 0 && n.hostname !== undefined;
      const letters = Math.floor((this.room.get(n.id)?.width ?? n.w) / ((bold ? letter : thin) * this.times));
      return { text: n.kind === "silent" ? silence(letters) : shorten(text, letters, bold ? "name" : text === n.address ? "address" : "figure"), first: i === 0 };
    }).filter((l, _, lines) => l.text && lines[0]!.text);
    fitting.forEach((l, i) => {
      const style = !l.first ? "label more" : n.hostname === undefined && n.address ? "label address" : "label";
      g.append(s("text", { class: style, x: 0, y: -this.foot(n) - line * this.times * (fitting.length - 1 - i) }, l.text));
    });
    this.boxes.set(n.id, {
      left: n.x + n.w / 2 - 0.5 * letter * this.times * Math.max(0, ...fitting.map((l) => l.text.length)),
      top: n.y - this.foot(n) - line * this.times * fitting.length,
      bottom: n.y + 5.5 * this.stations,
    });
  }

  /** Where stations with their names stand: symmetric around their middle. */
  boxesAt(ttl: number): { x: number; box: Box }[] {
    const column = this.columns.find((c) => c[0]?.ttl === ttl) ?? [];
    return column.flatMap((n) => {
      const box = this.boxes.get(n.id);
      return box ? [{ x: n.x + n.w / 2, box }] : [];
    });
  }
}

function silence(letters: number): string {
  return letters >= 9 ? "no answer" : letters >= 6 ? "silent" : "*";
}

/** Leaves out the end of a name, or the beginning of an address, that is too long.
 * Of a name its first part is left at least; all goes where too little would be left
 * to tell it from others, and figures go whole. */
function shorten(text: string, letters: number, what: "name" | "address" | "figure"): string {
  const r = [...text];
  if (r.length <= letters) return text;
  if (what === "figure") return "";
  if (letters < 6) {
    const first = text.split(".")[0]!;
    return what === "name" && first.length <= letters ? first : "";
  }
  return what === "address" ? `…${r.slice(r.length - letters + 1).join("").replace(/^[.:]/, "")}` : `${r.slice(0, letters - 1).join("").trim()}…`;
}
