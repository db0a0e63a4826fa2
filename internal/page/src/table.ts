// SPDX-License-Identifier: BSD-3-Clause

import { ask } from "./ask.ts";
import { h } from "./dom.ts";
import { exitRows } from "./exits.ts";
import type { Model } from "./model.ts";
import { lossOf, ms, percent, sentence } from "./text.ts";

/** A table has no more rows than these, which a browser shows in a second. */
const most = 2000;

/** The drawing as two tables: its stations and its links, at the TTLs shown. */
export function tables(m: Model, shown: (ttl: number) => boolean): Element[] {
  const d = m.page.drawing;
  const nodes = h("tbody");
  const all = d.nodes.filter((n) => shown(n.ttl)).flatMap((n) => n.members ?? [n]).sort((a, b) => a.ttl - b.ttl);
  for (const n of all.slice(0, most)) {
    nodes.append(row(
      n.kind === "source" ? "" : String(n.ttl), ask(n.address ?? m.name(n.id), { kind: "node", id: n.id }, { class: "link" }), n.hostname ?? "",
      n.asn ? `AS${n.asn} ${n.as_name ?? ""}` : "", `${n.unreached ? "not reached" : n.kind}${n.status ? `, ${n.status}` : ""}`, String(n.flows), percent(n.share),
      n.replies > 0 ? ms(n.rtt_us.median) : "N/A", n.replies > 0 ? ms(n.rtt_us.p95) : "N/A", n.replies > 0 ? lossOf(n.sent, n.replies) : "N/A",
      n.verdict === "persists" ? "persists" : n.verdict === "local" ? "of its answers only" : "",
    ));
  }
  const links = h("tbody");
  const drawn = d.links.filter((l) => [l.from, l.to].every((id) => shown(m.nodes.get(id)?.ttl ?? 0)));
  for (const l of drawn.slice(0, most)) {
    links.append(row(
      ask(m.name(l.from), { kind: "node", id: l.from }, { class: "link" }), ask(m.name(l.to), { kind: "node", id: l.to }, { class: "link" }),
      `${l.inferred ? "inferred" : l.bundle > 1 ? `${l.bundle} links` : "seen"}${l.status ? `, ${l.status}` : ""}`, String(l.flows), percent(l.share),
      l.delta_us === undefined ? "N/A" : `+${ms(l.delta_us)}`, String(l.samples), l.lost ? percent(l.lost) : "none",
    ));
  }
  return [
    ...(d.too_large ? [h("p", { class: "trouble" }, `${sentence(d.too_large)} Here it is as tables.`)] : []),
    h("table", {}, caption("Stations", all.length), head("TTL", "Address", "Name", "AS", "Kind", "Flows", "Share", "Median", "p95", "Loss", "What it means"), nodes),
    h("table", {}, caption("Links", drawn.length), head("From", "To", "Kind", "Flows", "Share", "Delay added", "Replies", "Loss that persists"), links),
    ...exits(m),
  ];
}

/** The ways out of ASes, where there are several. */
function exits(m: Model): Element[] {
  const rows = exitRows(m);
  if (rows.length === 0) return [];
  return [h("table", {}, caption("Exits", rows.length), head("Paths part at", "Leave by", "Enter by", "Next AS", "Exchange", "Class", "How sure, or why not", "Flows", m.page.exits.some((x) => x.destinations) ? "Addresses" : "Share", "AS path", "Next AS known by", "Evidence"),
    h("tbody", {}, ...rows.slice(0, most).map((cells) => row(...cells))))];
}

function caption(name: string, rows: number) {
  return h("caption", {}, rows <= most ? `${name} (${rows})` : `${name} (the first ${most} of ${rows}: Filter chooses TTLs, and Export has all paths)`);
}

const figures = new Set(["TTL", "Flows", "Share", "Median", "p95", "Delay added", "Replies", "Addresses"]);

function head(...names: string[]) {
  return h("thead", {}, h("tr", {}, ...names.map((n) => h("th", figures.has(n) ? { scope: "col", class: "num" } : { scope: "col" }, n))));
}

function row(...cells: (string | Element)[]) {
  return h("tr", {}, ...cells.map((c) => h("td", typeof c === "string" && (c === "N/A" || /^[+\d]/.test(c) && !c.includes(" of ")) ? { class: "num" } : {}, c)));
}
