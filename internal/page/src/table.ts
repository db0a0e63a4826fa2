// SPDX-License-Identifier: BSD-3-Clause

import { button, h } from "./dom.ts";
import type { Model, Pick } from "./model.ts";
import { lossOf, ms, percent } from "./text.ts";

/** The drawing as two tables: all of its stations and all of its links. */
export function tables(m: Model, go: (pick: Pick) => void): Element[] {
  const d = m.page.drawing;
  const nodes = h("tbody");
  const all = d.nodes.flatMap((n) => (n.members ? n.members : [n])).sort((a, b) => a.ttl - b.ttl);
  for (const n of all) {
    nodes.append(row(
      n.kind === "source" ? "" : String(n.ttl), button(n.address ?? m.name(n.id), { class: "link" }, () => go({ kind: "node", id: n.id })), n.hostname ?? "",
      n.asn ? `AS${n.asn} ${n.as_name ?? ""}` : "", n.unreached ? "not reached" : n.kind, String(n.flows), percent(n.share),
      n.replies > 0 ? ms(n.rtt_us.median) : "N/A", n.replies > 0 ? ms(n.rtt_us.p95) : "N/A", n.replies > 0 ? lossOf(n.sent, n.replies) : "N/A",
      n.verdict === "persists" ? "persists" : n.verdict === "local" ? "of its answers only" : "",
    ));
  }
  const links = h("tbody");
  for (const l of d.links) {
    links.append(row(
      button(m.name(l.from), { class: "link" }, () => go({ kind: "node", id: l.from })), button(m.name(l.to), { class: "link" }, () => go({ kind: "node", id: l.to })),
      l.inferred ? "inferred" : l.bundle > 1 ? `${l.bundle} links` : "seen", String(l.flows), percent(l.share),
      l.delta_us === undefined ? "N/A" : `+${ms(l.delta_us)}`, String(l.samples), l.lost ? percent(l.lost) : "none",
    ));
  }
  return [
    h("table", {}, h("caption", {}, `Stations (${all.length})`), head("TTL", "Address", "Name", "AS", "Kind", "Flows", "Share", "Median", "p95", "Loss", "What it means"), nodes),
    h("table", {}, h("caption", {}, `Links (${d.links.length})`), head("From", "To", "Kind", "Flows", "Share", "Delay added", "Replies", "Loss that persists"), links),
  ];
}

const figures = new Set(["TTL", "Flows", "Share", "Median", "p95", "Delay added", "Replies"]);

function head(...names: string[]) {
  return h("thead", {}, h("tr", {}, ...names.map((n) => h("th", figures.has(n) ? { scope: "col", class: "num" } : { scope: "col" }, n))));
}

function row(...cells: (string | Element)[]) {
  return h("tr", {}, ...cells.map((c) => h("td", typeof c === "string" && (c === "N/A" || /^[+\d]/.test(c) && !c.includes(" of ")) ? { class: "num" } : {}, c)));
}
