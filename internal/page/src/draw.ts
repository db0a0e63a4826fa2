// SPDX-License-Identifier: BSD-3-Clause

import { Colours, strokesOf, tints } from "./colour.ts";
import type { Area, Band, Drawing, Link, Node, Pipe, Status, Track } from "./data.ts";
import { s } from "./dom.ts";
import { key, type Model, muchSlower } from "./model.ts";
import type { Metric } from "./state.ts";
import { Names } from "./names.ts";
import { Pill } from "./pill.ts";
import type { Shape, Sketch } from "./sketch.ts";
import { dress, pathOf, stroke, Strokes, trace } from "./strokes.ts";
import { tag } from "./tags.ts";
import { count } from "./text.ts";

/** A path that is drawn over the others. */
export interface Strip {
  path: number;
  colour: string;
}

/** That of a station's circle. */
const radius = 5.5;

/** The drawing: every station and stroke stands where picture.Place put it. It has
 * its stations and strokes once sketch or finish was called. */
export class Scene {
  readonly root = s("g", { class: "scene" });
  readonly drawing: Drawing;
  private readonly nodes = new Map<string, SVGGElement>();
  private readonly links: { link: Link; group: SVGGElement; line: SVGPathElement; pale: boolean }[] = [];
  private readonly tracks: { track: Track; links: Link[]; line: SVGPathElement }[] = [];
  private readonly delays: Pill[] = [];
  private readonly labels: Names;
  private readonly pipes: { text: SVGTextElement; pipe: Pipe }[] = [];
  private readonly strokes = s("g", { class: "links" });
  private readonly stations = s("g", { class: "nodes" });
  private readonly strips = s("g", { class: "strips" });
  /** What lies below the strokes, the lowest first. */
  private readonly ground: { like: SVGElement; shape: Shape }[] = [];
  private readonly names: { text: SVGTextElement; name: string; x: number; y: number; w: number }[] = [];

  constructor(private readonly model: Model, readonly colours: Colours) {
    const d = (this.drawing = model.page.drawing);
    this.labels = new Names(d);
    const bands = s("g", { class: "bands" });
    for (const b of d.bands) bands.append(this.band(b));
    const lines = s("g", { class: "lines" });
    for (const c of d.columns.slice(1)) {
      const x = c.x + c.w / 2;
      lines.append(this.below(s("path", { d: `M${x} 0V${d.height}` }), (pen) => {
        pen.moveTo(x, 0);
        pen.lineTo(x, d.height);
      }));
    }
    const pipes = s("g", { class: "pipes" });
    for (const p of d.pipes) {
      const text = s("text", { x: p.x, y: p.y + 4 }, p.label);
      const d = p.strokes.map(pathOf).join("");
      const shape = (pen: CanvasPath) => p.strokes.forEach((stroke) => trace(pen, stroke));
      this.pipes.push({ text, pipe: p });
      pipes.append(s("g", { class: p.hidden ? "pipe hidden" : "pipe", "data-tip": p.detail },
        this.below(s("path", { class: "wall", d }), shape), this.below(s("path", { d }), shape), text));
    }
    const labels = s("g", { class: "labels" });
    for (const l of d.links) this.delay(l, labels);
    const marks = s("g", { class: "marks" });
    for (const m of d.marks) {
      marks.append(s("g", { class: m.certain ? "nat" : "nat maybe", "data-tip": m.detail },
        s("path", { d: `M${m.x} ${m.top}V${m.bottom}` }),
        s("rect", { x: m.x - 19, y: m.bottom - 17, width: 38, height: 16, rx: 3 }),
        s("text", { x: m.x, y: m.bottom - 5 }, m.certain ? "NAT" : "NAT?")));
    }
    this.root.append(bands, lines, pipes, this.strokes, this.strips, marks, this.stations, this.runs(), labels);
  }

  /** Draws what finish draws, with nothing pale: on a canvas what there is much of,
   * and a few elements over that. Letters and stations are so many times their own
   * size; only names in the window, which may be null, are written. It has to be in
   * the document. */
  sketch(on: Sketch, metric: Metric, times: number, window: Area | null) {
    const m = this.model;
    const links = new Strokes();
    const tracks = new Strokes();
    for (const l of m.page.drawing.links) links.add(this.colours.link(l, metric), l);
    for (const { track, links } of this.tracksOf()) tracks.add(this.colours.track(links, metric), track);
    const strokes = [...links.drawn(), ...tracks.drawn()];
    const circles = new Map<string, { like: SVGGElement; shapes: Shape[] }>();
    const others: SVGGElement[] = [];
    for (const n of m.page.drawing.nodes) {
      if (!isPlain(n)) {
        others.push(this.node(n));
        continue;
      }
      const style = nodeClass(n, m.into.get(n.id));
      let alike = circles.get(style);
      if (!alike) circles.set(style, (alike = { like: s("g", { class: style }, s("circle", { class: "s" })), shapes: [] }));
      alike.shapes.push((pen) => pen.arc(n.x + n.w / 2, n.y, radius * times, 0, 2 * Math.PI));
      if (!window || n.x + n.w < window.x || n.x > window.x + window.w || n.y + n.below < window.y || n.y - n.above > window.y + window.h) continue;
      const g = s("g", { class: style, transform: place(n) });
      this.labels.write(n, g);
      others.push(g);
    }
    this.strokes.replaceChildren(...strokes.map((x) => x.like));
    this.stations.replaceChildren(...[...circles.values()].map((x) => x.like));
    for (const { like, shape } of this.ground) if (like.checkVisibility()) on.draw([shape], like);
    for (const { like, strokes: alike } of strokes) on.draw(alike.map((stroke) => (pen) => trace(pen, stroke)), like);
    for (const { like, shapes } of circles.values()) on.draw(shapes, like.firstElementChild!, times);
    this.strokes.replaceChildren();
    this.stations.replaceChildren(...others);
  }

  /** Draws every stroke and station as an element of its own, instead of a sketch
   * of them. */
  finish(metric: Metric) {
    const d = this.model.page.drawing;
    for (const l of d.links) this.link(l);
    for (const { track, links } of this.tracksOf()) this.tracks.push({ track, links, line: stroke(track) });
    this.paint(metric);
    this.stations.replaceChildren(...d.nodes.map((n) => this.node(n)));
    this.uncover(this.labels.times);
  }

  /** What strokes of links have in common, with the links. */
  private tracksOf(): { track: Track; links: Link[] }[] {
    const m = this.model;
    return m.page.drawing.nodes.flatMap((n) => [
      ...(n.in ? [{ track: n.in, links: m.into.get(n.id) ?? [] }] : []),
      ...(n.out ? [{ track: n.out, links: m.outOf.get(n.id) ?? [] }] : []),
    ]);
  }

  /** Notes the shape of an element that lies below the strokes. */
  private below<E extends SVGElement>(like: E, shape: Shape): E {
    this.ground.push({ like, shape });
    return like;
  }

  private band(b: Band): SVGGElement {
    const g = s("g", { class: `band ${b.tint < 0 ? "unknown" : `as${b.tint % tints}`}` });
    for (const a of b.areas) g.append(this.below(s("rect", { x: a.x, y: a.y, width: a.w, height: a.h }), (pen) => pen.rect(a.x, a.y, a.w, a.h)));
    for (const a of b.areas) {
      if (!a.named) continue;
      const text = s("text", { x: a.x + 8, y: a.y + 15 });
      g.append(text);
      this.names.push({ text, name: b.name, x: a.x, y: a.y, w: a.w });
    }
    return g;
  }

  /** Fits what is written to how large the drawing is seen; stations are so many
   * times their own size. */
  letter(times: number, scale: number) {
    if (!this.labels.fit(scale, times)) return;
    const letters = this.labels.times;
    this.root.style.setProperty("--t", letters.toFixed(3));
    for (const n of this.names) {
      const most = Math.floor((n.w - 12) / (7.4 * letters));
      const r = [...n.name];
      n.text.textContent = r.length <= most ? n.name : most < 4 ? "" : `${r.slice(0, most - 1).join("").trim()}…`;
      n.text.setAttribute("y", String(n.y + 3 + 12 * letters));
    }
    for (const { text, pipe } of this.pipes) {
      text.textContent = letters < 1.6 ? pipe.label : "MPLS";
      text.setAttribute("y", String(pipe.y + 4 + 7 * (letters - 1)));
    }
    for (const [id, g] of this.nodes) this.labels.write(this.model.nodes.get(id)!, g);
    this.uncover(letters);
  }

  /** Leaves out delays that would be written over others: losses go first, and
   * then the longest delays. */
  private uncover(times: number) {
    const worth = (l: Link) => (l.lost ? 1e12 : 0) + (l.delta_us ?? 0);
    const shown: Pill[] = [];
    for (const pill of [...this.delays].sort((a, b) => worth(b.link) - worth(a.link))) {
      const ttl = this.model.nodes.get(pill.link.from)?.ttl ?? 0;
      pill.place(times, [...this.labels.boxesAt(ttl), ...this.labels.boxesAt(ttl + 1)], shown);
      const covered = pill.on(shown, times);
      pill.root.classList.toggle("covered", covered);
      if (!covered) shown.push(pill);
    }
  }

  private delay(l: Link, labels: SVGGElement) {
    if (!l.label) return;
    const pill = new Pill(l, this.model.nodes.get(l.from), this.model.nodes.get(l.to));
    labels.append(pill.root);
    this.delays.push(pill);
  }

  private link(l: Link) {
    const line = stroke(l);
    const silent = this.model.nodes.get(l.from)?.kind === "silent" || this.model.nodes.get(l.to)?.kind === "silent";
    const hit = s("path", { class: "hit", d: pathOf(l.stroke) });
    const sign = l.status ? s("text", { class: `sign ${l.status}`, x: l.label_x, y: (l.label_y ?? 0) + 5 }, signOf(l.status)) : null;
    const group = s("g", { "data-l": key(l.from, l.to), class: silent ? "link silent" : "link" }, line, hit, sign);
    this.links.push({ link: l, group, line, pale: false });
  }

  private node(n: Node): SVGGElement {
    const g = s("g", { class: nodeClass(n, this.model.into.get(n.id)), "data-n": n.id, transform: place(n) },
      s("rect", { class: "hit", x: -Math.min(n.w / 2, 30), y: -12, width: Math.min(n.w, 60), height: 24 }));
    this.labels.write(n, g);
    this.stub(n, g);
    switch (n.kind) {
      case "source":
      case "destination":
        g.append(s("rect", { class: "s", x: -7, y: -7, width: 14, height: 14, rx: 1 }));
        break;
      case "exchange":
        g.append(s("path", { class: "s", d: "M0 -8l8 8l-8 8l-8 -8z" }));
        break;
      case "bar":
        this.bar(n, g);
        break;
      case "group":
        g.append(s("rect", { class: "s", x: -9, y: -6.5, width: 18, height: 13, rx: 6.5 }));
        break;
      default:
        g.append(s("circle", { class: "s", cx: 0, cy: 0, r: radius }));
    }
    tag(n, g);
    if (n.status) g.append(s("text", { class: `sign ${n.status}`, x: 13, y: 16 }, signOf(n.status)));
    this.nodes.set(n.id, g);
    return g;
  }

  /** Draws each node of a wide column as a line, as long as its share. */
  private bar(n: Node, g: SVGGElement) {
    g.append(s("rect", { class: "s", x: -n.w / 2, y: -n.below, width: n.w, height: 2 * n.below, rx: 6 }));
    const members = [...(n.members ?? [])].sort((a, b) => b.share - a.share);
    const most = members[0]?.share || 1;
    const pitch = (2 * n.below - 16) / Math.max(1, members.length);
    const rods = { rods: "", "rods slow": "", "rods silent": "" };
    const usual = members.map((m) => m.rtt_us.median).sort((a, b) => a - b)[Math.floor(members.length / 2)] ?? 0;
    const slow = (m: Node) => m.replies > 0 && muchSlower(m.rtt_us.median, usual);
    members.forEach((m, i) => {
      const y = (-n.below + 8 + pitch * (i + 0.5)).toFixed(1);
      rods[m.kind === "silent" ? "rods silent" : slow(m) ? "rods slow" : "rods"] += `M${-n.w / 2 + 10} ${y}h${(((n.w - 20) * m.share) / most).toFixed(1)}`;
    });
    for (const [kind, d] of Object.entries(rods)) {
      if (d) g.append(s("path", { class: kind, d, "stroke-width": Math.min(3, 0.6 * pitch).toFixed(2) }));
    }
  }

  private stub(n: Node, g: SVGGElement) {
    if (!n.ends?.length) return;
    const flows = n.ends.reduce((sum, e) => sum + e.flows, 0);
    const on = (this.model.outOf.get(n.id)?.length ?? 0) > 0;
    const stub = s("g", { class: "stub", "data-tip": `${count(flows, "flow")} no further` });
    if (on) stub.append(s("path", { d: "M0 3v13m-6 0h12" }));
    else stub.append(s("path", { d: `M0 0H${n.w / 2 + 8}m0 -7v14` }), s("text", { x: n.w / 2 + 14, y: 4 }, endText(n.ends[0]!.reason)));
    g.append(stub);
  }

  /** What stands for each run of silent hops while they are folded. */
  private runs(): SVGGElement {
    const g = s("g", { class: "runs" });
    const seen = new Set<string>();
    for (const nodes of this.model.drawn.values()) {
      for (let i = 0; i < nodes.length; i++) {
        let j = i;
        while (this.model.nodes.get(nodes[j] ?? "")?.kind === "silent") j++;
        if (j === i) continue;
        const run = nodes.slice(i, j);
        i = j;
        if (seen.has(run.join())) continue;
        seen.add(run.join());
        const middle = this.model.nodes.get(run[Math.floor((run.length - 1) / 2)]!)!;
        g.append(s("text", { x: middle.x + middle.w / 2, y: middle.y - 6 }, `${run.length} silent`));
      }
    }
    return g;
  }

  /** Colours every stroke. */
  paint(metric: Metric) {
    const links = this.links.map((l) => ({ element: l.group, layer: dress(l.line, this.colours.link(l.link, metric), l.link) }));
    const tracks = this.tracks.map((t) => ({ element: t.line, layer: dress(t.line, this.colours.track(t.links, metric), t.track) }));
    const over = (a: { layer: string }, b: { layer: string }) => (a.layer < b.layer ? -1 : a.layer > b.layer ? 1 : 0);
    this.strokes.replaceChildren(...[...links.sort(over), ...tracks.sort(over)].map((x) => x.element));
  }

  /** Makes pale what is not lit. */
  light(link: (l: Link) => boolean, node: (n: Node) => boolean, found: (n: Node) => boolean) {
    const dark = new Set<Link>();
    for (const l of this.links) {
      const pale = !link(l.link);
      if (pale) dark.add(l.link);
      if (pale !== l.pale) l.group.classList.toggle("dim", pale);
      l.pale = pale;
    }
    for (const { link, root } of this.delays) root.classList.toggle("dim", dark.has(link));
    for (const t of this.tracks) t.line.classList.toggle("dim", dark.size > 0 && t.links.every((l) => dark.has(l)));
    for (const [id, g] of this.nodes) {
      const n = this.model.nodes.get(id)!;
      g.classList.toggle("dim", !node(n));
      g.classList.toggle("found", found(n));
    }
  }

  /** Draws paths over all others, side by side. */
  lay(strips: Strip[]) {
    this.strips.replaceChildren(...strips.map((p, i) => {
      const { seen, inferred } = strokesOf(this.model, p.path);
      const shift = (i - (strips.length - 1) / 2) * 3.6;
      return s("g", { transform: `translate(0 ${shift})`, "data-path": p.path }, s("path", { class: "halo", d: seen + inferred }),
        seen ? s("path", { class: p.colour, d: seen }) : null, inferred ? s("path", { class: `${p.colour} inferred`, d: inferred }) : null);
    }));
  }

  /** Marks the station that the keyboard is at, and the one that is picked. */
  mark(cursor: string | null, picked: string | null) {
    for (const [id, g] of this.nodes) {
      g.classList.toggle("cursor", id === cursor);
      g.classList.toggle("picked", id === picked);
    }
    for (const l of this.links) l.group.classList.toggle("picked", key(l.link.from, l.link.to) === picked);
  }

  /** The element of a station. */
  element(id: string): SVGGElement | undefined {
    return this.nodes.get(id);
  }
}

/** A station is red where loss begins: behind it, too, packets are missing, but not
 * lost there. */
function nodeClass(n: Node, into: Link[] | undefined): string {
  let c = `node ${n.kind}`;
  if (n.unreached) c += " unreached";
  if (into?.some((l) => l.lost)) c += " lossy";
  if (n.verdict === "local") c += " local";
  if (n.status) c += ` ${n.status}`;
  return c;
}

/** Says whether a station is a circle and its name, and nothing else. */
function isPlain(n: Node): boolean {
  return (n.kind === "router" || n.kind === "silent") && !n.ends?.length && n.status === undefined && !n.tags;
}

function place(n: Node): string {
  return `translate(${n.x + n.w / 2} ${n.y})`;
}

/** Tells without colour what became of something. */
export function signOf(status: Status): string {
  return status === "gone" ? "−" : "+";
}

/** Says why flows got no further. */
export function endText(reason: string): string {
  switch (reason) {
    case "unreachable":
      return "refused";
    case "max-ttl":
      return "TTL limit";
    case "silent":
      return "silence";
  }
  return "cut short";
}
