// SPDX-License-Identifier: BSD-3-Clause

import type { Detail, Flow, Link, Node, Page, Path } from "./data.ts";

/** What is picked: a station, a link, or a path. */
export type Pick = { kind: "node"; id: string } | { kind: "link"; from: string; to: string } | { kind: "path"; id: number };

/** A round trip along a path, and how far it went. */
export interface End {
  median: number;
  p95: number;
  replies: number;
  ttl: number;
  /** Whether it was the destination that answered. */
  whole: boolean;
}

/** The data with what is asked of them again and again. */
export class Model {
  /** Stations by ID, those in bars included. */
  readonly nodes = new Map<string, Node>();
  /** The bar that a station is drawn in, by its ID. */
  readonly bars = new Map<string, string>();
  readonly links = new Map<string, Link>();
  readonly paths = new Map<number, Path>();
  /** Stations that are drawn on each path, by the path's ID. */
  readonly drawn = new Map<number, string[]>();
  readonly flows = new Map<number, Flow>();
  readonly into = new Map<string, Link[]>();
  readonly outOf = new Map<string, Link[]>();
  private readonly through = new Map<string, Set<number>>();
  /** IDs of the paths along a link, by the ID of its first end and its last. */
  private readonly along = new Map<string, Map<string, Set<number>>>();
  private passed = false;
  private usual: number | undefined; // round trip of half of the paths at most
  private readonly words = new Map<number, string>();

  /** Whether it shows two results. */
  readonly merged: boolean;

  constructor(readonly page: Page) {
    const d = page.drawing;
    this.merged = d.merged === true;
    for (const n of d.nodes) {
      this.nodes.set(n.id, n);
      for (const m of n.members ?? []) {
        this.nodes.set(m.id, m);
        this.bars.set(m.id, n.id);
      }
    }
    for (const l of d.links) {
      this.links.set(key(l.from, l.to), l);
      push(this.into, l.to, l);
      push(this.outOf, l.from, l);
    }
    for (const f of page.flows) this.flows.set(f.id, f);
    for (const p of page.paths) this.paths.set(p.id, p);
    for (const p of d.paths) this.drawn.set(p.id, p.nodes);
  }

  /** Notes what each path passes when it is first asked for: it takes as long as
   * all the rest. */
  private passing() {
    if (this.passed) return;
    this.passed = true;
    for (const p of this.page.paths) this.follow(p);
  }

  private follow(p: Path) {
    for (const id of p.nodes) visit(this.through, id, p.id);
    const drawn = this.drawn.get(p.id) ?? [];
    let before: string | undefined;
    for (const id of drawn) {
      if (this.bars.size > 0) visit(this.through, id, p.id);
      if (before !== undefined) {
        let to = this.along.get(before);
        if (!to) this.along.set(before, (to = new Map()));
        visit(to, id, p.id);
      }
      before = id;
    }
  }

  detail(id: string): Detail {
    return this.page.details[id] ?? {};
  }

  /** IDs of the paths through what is picked. */
  pathsThrough(pick: Pick): Set<number> {
    if (pick.kind !== "path") this.passing();
    switch (pick.kind) {
      case "path":
        return new Set([pick.id]);
      case "link":
        return this.along.get(pick.from)?.get(pick.to) ?? new Set();
      case "node":
        return this.through.get(pick.id) ?? new Set();
    }
  }

  exists(pick: Pick): boolean {
    switch (pick.kind) {
      case "path":
        return this.paths.has(pick.id);
      case "link":
        return this.links.has(key(pick.from, pick.to));
      case "node":
        return this.nodes.has(pick.id);
    }
  }

  /** IDs of the paths that have all words of a query. */
  matching(query: string): Set<number> {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const out = new Set<number>();
    for (const [id, p] of this.paths) {
      const text = this.words.get(id) ?? this.wordsOf(p);
      this.words.set(id, text);
      if (words.every((w) => text.includes(/^\d{1,5}$/.test(w) ? ` ${w}` : w))) out.add(id);
    }
    return out;
  }

  /** Whether a station has all words of a query itself. */
  nodeMatches(n: Node, query: string): boolean {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const text = nodeWords(n);
    return words.length > 0 && words.every((w) => text.includes(/^\d{1,5}$/.test(w) ? ` ${w}` : w));
  }

  private wordsOf(p: Path): string {
    const out = new Set<string>();
    for (const id of p.nodes) {
      const n = this.nodes.get(id);
      if (n) out.add(nodeWords(n));
    }
    for (const f of p.flows) {
      const flow = this.flows.get(f);
      if (flow) out.add(` ${flow.src_port} ${flow.dst_port} ${flow.to ?? ""} `);
    }
    return [...out].join("\n");
  }

  /** The ASes along a path, each once in a row. */
  asPath(p: Path): number[] {
    const out: number[] = [];
    for (const id of p.nodes) {
      const asn = this.nodes.get(id)?.asn ?? 0;
      if (asn !== 0 && out[out.length - 1] !== asn) out.push(asn);
    }
    return out;
  }

  /** What a station is called in one line. */
  name(id: string): string {
    const n = this.nodes.get(id);
    if (!n) return id;
    if (n.kind === "group") return n.name || (n.asn ? `AS${n.asn}` : "owner not known");
    switch (n.kind) {
      case "silent":
        return `silent hop at TTL ${n.ttl}`;
      case "bar":
        return `${n.members?.length ?? 0} next hops at TTL ${n.ttl}`;
      case "source":
        return n.hostname || n.address || this.page.heading.source || "source";
    }
    return n.hostname || n.address || id;
  }

  /** The round trip at the last hop of a path that answered its flows. It is that
   * of the whole path only if that hop is the destination. */
  end(p: Path): End | undefined {
    for (let i = p.replies.length - 1; i >= 0; i--) {
      const replies = p.replies[i]!;
      if (replies === 0) continue;
      return { median: p.median_us[i]!, p95: p.p95_us[i]!, replies, ttl: p.last_ttl ?? i + 1, whole: p.at_end === true };
    }
    return undefined;
  }

  /** Whether a path takes much longer than most. */
  slow(p: Path): boolean {
    const took = (x: Path) => {
      const end = this.end(x);
      return end?.whole ? end.median : undefined;
    };
    if (this.usual === undefined) {
      const all = this.page.paths.map(took).filter((t) => t !== undefined).sort((a, b) => a - b);
      this.usual = all[Math.floor((all.length - 1) / 2)] ?? 0;
    }
    return muchSlower(took(p) ?? 0, this.usual);
  }
}

/** Whether a round trip stands out from what is usual beside it, in microseconds. */
export function muchSlower(took: number, usual: number): boolean {
  return took >= Math.max(1.5 * usual, usual + 5000);
}

/** Names a link. */
export function key(from: string, to: string): string {
  return `${from}~${to}`;
}

function push<T>(map: Map<string, T[]>, k: string, v: T) {
  const list = map.get(k);
  if (list) list.push(v);
  else map.set(k, [v]);
}

function visit(passed: Map<string, Set<number>>, what: string, path: number) {
  const paths = passed.get(what);
  if (paths) paths.add(path);
  else passed.set(what, new Set([path]));
}

function nodeWords(n: Node): string {
  const as = n.asn ? `as${n.asn} ${n.asn} ${n.as_name ?? ""}` : "";
  return ` ${n.address ?? ""} ${n.hostname ?? ""} ${as} ${n.ixp ?? ""} ${n.city ?? ""} ${n.kind === "silent" ? "silent *" : ""} `.toLowerCase();
}
