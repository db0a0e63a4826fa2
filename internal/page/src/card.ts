// SPDX-License-Identifier: BSD-3-Clause

import { commands } from "./commands.ts";
import { endText } from "./draw.ts";
import type { Detail, Link, Node, Path, Status } from "./data.ts";
import { ask } from "./ask.ts";
import { h, s, say } from "./dom.ts";
import { exitsAt } from "./exits.ts";
import { addresses, flowsOf } from "./flows.ts";
import { key, type Model, type Pick } from "./model.ts";
import { count, lossOf, ms, percent, ranges, verdict } from "./text.ts";

/** Copies a text, also where the page came from disk. */
export async function copy(text: string) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "unseen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`Copied: ${text}`);
}

/** Copies what a button is for, and says so on it for a moment. */
export function copyBy(b: HTMLButtonElement, text: string) {
  void copy(text);
  const was = b.textContent;
  if (was === "Copied") return;
  b.textContent = "Copied";
  setTimeout(() => (b.textContent = was), 1200);
}

function copyButton(name: string, text: string): HTMLButtonElement {
  return h("button", { type: "button", title: text, "data-copy": text }, `Copy ${name}`);
}

type Row = [string, string | Element | undefined | null | false];

function facts(rows: Row[]): HTMLDListElement {
  const dl = h("dl");
  for (const [name, value] of rows) if (value) dl.append(h("dt", {}, name), h("dd", {}, value));
  return dl;
}

function top(title: string): HTMLDivElement {
  return h("div", { class: "top" }, h("h2", { tabindex: -1 }, title), ask("Close", null, { title: "Esc" }));
}

function nodeLink(m: Model, id: string): HTMLButtonElement {
  return ask(m.name(id), { kind: "node", id }, { class: "link" });
}

/** Ports of the flows of some paths, or where these go. */
function portsOf(m: Model, paths: Set<number>): string {
  return flowsOf(m, paths, 160).text;
}

/** The same as a line. */
function portsLine(m: Model, paths: Set<number>): Element[] {
  const { name, text } = flowsOf(m, paths, 160);
  return m.page.heading.protocol === "icmp" && name === "Source ports" ? [] : [h("p", { class: "quiet num" }, `${name} ${text}`)];
}

function pathLinks(m: Model, paths: Set<number>): HTMLElement {
  const box = h("div", { class: "copies" });
  const ids = [...paths];
  for (const id of ids.slice(0, 40)) box.append(ask(String(id), { kind: "path", id }, { "aria-label": `Path ${id}` }));
  if (ids.length > 40) box.append(h("span", { class: "quiet" }, `and ${ids.length - 40} more`));
  if (m.page.paths.length === 0) box.append(h("span", { class: "quiet" }, "none"));
  return box;
}

/** A card for what is picked. */
export function cardFor(m: Model, pick: Pick, other: number | null): Element[] {
  switch (pick.kind) {
    case "node":
      return nodeCard(m, m.nodes.get(pick.id)!);
    case "link":
      return linkCard(m, m.links.get(key(pick.from, pick.to))!);
    case "path": {
      const a = m.paths.get(pick.id)!;
      const b = other === null ? undefined : m.paths.get(other);
      return b ? compareCard(m, a, b) : pathCard(m, a);
    }
  }
}

/** What became of something between two results. */
function became(m: Model, x: { status?: Status; flows: number | number[]; before?: { flows: number } }): Row[] {
  if (!m.merged) return [];
  const flows = typeof x.flows === "number" ? x.flows : x.flows.length;
  switch (x.status) {
    case "gone":
      return [["Change", h("b", { class: "is-regression" }, "− gone; its figures are from before")]];
    case "new":
      return [["Change", h("b", {}, "+ new")]];
  }
  if (!x.before) return [];
  return [["Change", "none"], ["Flows before", x.before.flows === flows ? "as many" : String(x.before.flows)]];
}

function rtt(n: Node): string {
  const r = n.rtt_us;
  return n.replies === 0 ? "N/A" : `${ms(r.median)} median, p95 ${ms(r.p95)}, ${ms(r.min)} to ${ms(r.max)}`;
}

function as(n: Node, d: Detail): string {
  if (!n.asn) return "";
  const more = d.asns && d.asns.length > 1 ? ` (announced by ${d.asns.map((a) => `AS${a}`).join(", ")})` : "";
  return `AS${n.asn} ${n.as_name ?? ""}${more}`;
}

function said(text: string | undefined, source: string | undefined): string {
  return text ? (source ? `${text} (says ${source})` : text) : "";
}

function nodeCard(m: Model, n: Node): Element[] {
  const d = m.detail(n.id);
  const paths = m.pathsThrough({ kind: "node", id: n.id });
  const titles: Record<string, string> = { silent: `Silent hop at TTL ${n.ttl}`, bar: `${n.members?.length ?? 0} next hops at TTL ${n.ttl}`, group: m.name(n.id), source: `Source ${m.name(n.id)}` };
  const out: Element[] = [top(titles[n.kind] ?? m.name(n.id))];
  if (n.unreached) out.push(h("p", {}, "The destination answered nothing. No link leads to it, as nobody knows what the last one is."));
  const sent = n.sent > 0;
  out.push(facts([
    ["Address", n.address && h("span", { class: "mono" }, n.address)],
    ["Name", said(n.hostname, d.name_source)],
    ["Kind", n.kind === "exchange" ? "router at an exchange point" : n.kind === "destination" ? "destination" : null],
    ["TTL", n.kind === "source" ? "" : n.kind === "group" ? ranges((n.members ?? []).map((x) => x.ttl)) : String(n.ttl)],
    ["Interface", [n.interface ? `index ${n.interface}` : "", ...(d.in ?? [])].filter(Boolean).join(", ")],
    ["AS", said(as(n, d), d.origin_source)],
    ["Prefix", d.prefix && h("span", { class: "mono" }, d.prefix)],
    ["Exchange", said([n.ixp, d.lan].filter(Boolean).join(", "), d.lan_source)],
    ["Place", said([n.city, n.country].filter(Boolean).join(", "), d.place_source)],
    ["Hidden", n.hidden ? count(n.hidden, "hop") : ""],
    ["Flows", n.kind === "source" ? String(n.flows) : `${n.flows}, ${percent(n.share)} of ${n.kind === "group" ? "all" : "those at this TTL"}`],
    ...became(m, n),
    ["Round trip before", n.before?.replies ? `${ms(n.before.rtt_us?.median ?? 0)} median` : ""],
    ["Answered before", n.before?.sent ? `${n.before.replies ?? 0} of ${count(n.before.sent, "packet")}` : ""],
    ["Round trip", sent ? (n.kind === "bar" || n.kind === "group" ? `${n.replies > 0 ? `${ms(n.rtt_us.min)} to ${ms(n.rtt_us.max)}` : "N/A"}` : rtt(n)) : ""],
    ["Answered", sent ? `${n.replies} of ${count(n.sent, "packet")}` : ""],
    ["Loss", sent && n.replies > 0 && n.replies < n.sent ? lossText(n, d) : ""],
    ["Ends here", (n.ends ?? []).map((e) => `${count(e.flows, "flow")}: ${endText(e.reason)}`).join("; ")],
    ["Balances", d.balancer ? `${d.balancer.replace("-", " ")}, up to ${d.width} wide` : d.width ? `paths part here, up to ${d.width} wide` : ""],
    ["Answers", (d.answers ?? []).map((a) => `${a.count} × ${a.kind.replace(/-/g, " ")}${a.type || a.code ? ` (ICMP ${a.type}/${a.code})` : ""}`).join(", ")],
    ["Way back", d.reply_ttls?.length ? `${ranges(d.reply_ttls.map(hopsBack))} hops, if replies start at TTL 64, 128 or 255` : ""],
    ["TOS as quoted", d.tos?.length ? `${d.tos.join(", ")}, not the ${m.page.heading.tos ?? 0} that was sent` : ""],
    ["MPLS", d.mpls?.length ? `${d.mpls.join("; ")} (label/class/TTL)` : ""],
  ]));
  if (n.kind === "silent") out.push(h("p", { class: "quiet" }, "No answer to any packet. Whoever stands here forwards them all the same."));
  if (d.recent_us && d.recent_us.length > 2) out.push(h("h3", {}, `Round trips, ${d.recent_us.length} in the order of sending`), spark(d.recent_us));
  out.push(...exitsAt(m, n));
  if (n.members) out.push(...memberTable(n));
  const near = (title: string, links: Link[] | undefined, end: (l: Link) => string) => {
    if (!links?.length) return;
    out.push(h("h3", {}, title));
    const ul = h("ul", { class: "story" });
    for (const l of [...links].sort((a, b) => b.flows - a.flows).slice(0, 24)) {
      ul.append(h("li", { class: l.lost ? "bad" : "" }, ask(m.name(end(l)), { kind: "link", from: l.from, to: l.to }, { class: "link" }),
        h("div", { class: "quiet num" }, `${count(l.flows, "flow")}, ${delta(l)}`)));
    }
    if (links.length > 24) ul.append(h("li", {}, `and ${links.length - 24} more`));
    out.push(ul);
  };
  near("Links to it", m.into.get(n.id), (l) => l.from);
  near("Links from it", m.outOf.get(n.id), (l) => l.to);
  if (n.kind !== "source") out.push(h("h3", {}, `Paths through it (${paths.size})`), pathLinks(m, paths));
  if (n.kind !== "source") out.push(...portsLine(m, paths));
  const copies = h("div", { class: "copies" });
  if (n.address) copies.append(copyButton("address", n.address));
  if (n.hostname) copies.append(copyButton("name", n.hostname));
  if (copies.childElementCount) out.push(h("h3", {}, "Copy"), copies);
  return out;
}

function lossText(n: Node, d: Detail): string {
  const means = d.limited ? "it limits the rate of its answers: no loss of the path" : verdict(n.verdict);
  return lossOf(n.sent, n.replies) + (means ? `; ${means}` : "");
}

function hopsBack(ttl: number): number {
  return (ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255) - ttl + 1;
}

function delta(l: Link): string {
  return l.delta_us === undefined ? "delay N/A" : `+${ms(l.delta_us)}`;
}

function spark(values: number[]): SVGSVGElement {
  const most = Math.max(1, ...values);
  const w = 280;
  const step = w / Math.max(1, values.length - 1);
  let line = "";
  let lost = "";
  let pen = false;
  values.forEach((v, i) => {
    const x = (i * step).toFixed(1);
    if (v < 0) {
      lost += `M${x} 40v-7`;
      pen = false;
      return;
    }
    line += `${pen ? "L" : "M"}${x} ${(36 - (32 * v) / most).toFixed(1)}`;
    if (!pen && (values[i + 1] ?? -1) < 0) line += "h1";
    pen = true;
  });
  const text = `Round trips up to ${ms(most)}, ${count(values.filter((v) => v < 0).length, "packet")} without an answer`;
  return s("svg", { class: "spark", viewBox: `0 0 ${w} 40`, preserveAspectRatio: "none", role: "img", "aria-label": text }, s("path", { d: line }), s("path", { class: "lost", d: lost }));
}

function memberTable(of: Node): Element[] {
  const members = of.members ?? [];
  const body = h("tbody");
  for (const n of [...members].sort((a, b) => b.flows - a.flows || b.rtt_us.median - a.rtt_us.median)) {
    body.append(h("tr", {}, h("td", {}, ask(n.hostname || n.address || "silent hop", { kind: "node", id: n.id }, { class: "link" })),
      h("td", { class: "num" }, String(n.flows)), h("td", { class: "num" }, n.replies > 0 ? ms(n.rtt_us.median) : "N/A"),
      h("td", { class: "num" }, n.sent > 0 ? percent(1 - n.replies / n.sent) : "N/A")));
  }
  if (of.kind !== "bar") {
    const title = count(members.length, "station");
    return [h("h3", {}, title), tableOf(title, "Station", body)];
  }
  const flows = members.map((n) => n.flows);
  const mean = flows.reduce((a, b) => a + b, 0) / Math.max(1, flows.length);
  return [
    h("h3", {}, `${members.length} next hops, ${mean.toFixed(1)} flows each on average, ${Math.min(...flows)} to ${Math.max(...flows)}`),
    tableOf("Next hops", "Next hop", body),
  ];
}

function tableOf(name: string, first: string, body: Element): Element {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name },
    h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, first), h("th", { class: "num" }, "Flows"), h("th", { class: "num" }, "Median"), h("th", { class: "num" }, "Loss"))), body));
}

function linkCard(m: Model, l: Link): Element[] {
  const paths = m.pathsThrough({ kind: "link", from: l.from, to: l.to });
  const beside = m.outOf.get(l.from)?.length ?? 1;
  const all = (m.outOf.get(l.from) ?? []).reduce((sum, x) => sum + x.flows, 0);
  const why = l.inferred ? "an end is inferred or silent" : l.samples === 0 ? "an end did not answer" : "the farther end answered sooner, so the difference says nothing";
  return [
    top(l.bundle > 1 ? `${l.bundle} links` : "Link"),
    facts([
      ["From", nodeLink(m, l.from)],
      ["To", nodeLink(m, l.to)],
      ["Flows", `${l.flows}, ${percent(l.share)} of those between these TTLs`],
      ...became(m, l),
      ["Delay before", l.before?.delta_us === undefined ? "" : ms(l.before.delta_us)],
      ["Of its node", beside > 1 && l.bundle === 1 ? `${percent(l.flows / Math.max(1, all))} of ${count(all, "flow")} that go on from there; ${beside} equal shares would be ${percent(1 / beside)}` : ""],
      ["Delay added", l.delta_us === undefined ? `N/A: ${why}` : `${ms(l.delta_us)}${l.bundle > 1 ? " at most" : " (median)"}`],
      ["Sample", l.samples > 0 ? `${l.samples} ${l.samples === 1 ? "reply" : "replies"} of the end that gave fewer` : ""],
      ["Loss", l.lost ? h("span", { class: "loss" }, `${percent(l.lost)} begins here and persists to the destination`) : "none that begins here and persists"],
      ["Inferred", l.inferred ? "nobody said that the two are neighbours" : ""],
    ]),
    h("h3", {}, `Paths that take it (${paths.size})`),
    pathLinks(m, paths),
    ...portsLine(m, paths),
    h("h3", {}, "Copy"),
    h("div", { class: "copies" }, copyButton("ends", `${m.nodes.get(l.from)?.address ?? m.name(l.from)} > ${m.nodes.get(l.to)?.address ?? m.name(l.to)}`), copyButton(addresses(m.page) > 1 ? "addresses" : "ports", portsOf(m, paths))),
  ];
}

function pathCard(m: Model, p: Path): Element[] {
  const end = m.end(p);
  const flow = m.flows.get(p.flows[0] ?? -1);
  const as = m.asPath(p);
  const body = h("tbody");
  p.nodes.forEach((id, i) => {
    const n = m.nodes.get(id);
    if (!n) return;
    const at = i - 1;
    const sent = p.sent[at] ?? 0;
    const replies = p.replies[at] ?? 0;
    const bad = p.verdict[at] === "persists";
    body.append(h("tr", {}, h("td", { class: "num" }, i === 0 ? "" : String(n.ttl)), h("td", {}, nodeLink(m, id)),
      h("td", { class: "num" }, i === 0 ? "" : replies > 0 ? ms(p.median_us[at]!) : "N/A"),
      h("td", { class: bad ? "num loss" : "num" }, i === 0 || replies === 0 ? "" : sent > replies ? `${sent - replies} of ${sent}` : "0")));
  });
  const copies = h("div", { class: "copies" });
  for (const c of flow ? commands(m.page, flow) : []) copies.append(copyButton(c.name, c.text));
  return [
    top(`Path ${p.id}`),
    facts([
      ["Flows", `${p.flows.length} of ${m.page.flows.length}`],
      ...became(m, p),
      ["Round trip before", p.before?.median_us ? `${ms(p.before.median_us)} median` : ""],
      [flowsOf(m, [p.id], 160).name, m.page.heading.protocol === "icmp" && addresses(m.page) < 2 ? "" : portsOf(m, new Set([p.id]))],
      ["Length", count(p.length, "hop")],
      ["Reached", !p.reached ? `no: ${p.end ?? "not known why"}` : (p.sent.at(-1) ?? 0) > 0 ? "yes" : "as other flows do; its own were not sent so far"],
      ["Loss", p.loss === undefined ? "N/A: the destination does not tell" : p.loss > 0 ? h("span", { class: p.verdict.includes("persists") ? "loss" : "" }, percent(p.loss)) : "none"],
      ["Round trip", end ? `${end.whole ? "" : `N/A; to TTL ${end.ttl}: `}${ms(end.median)} median, p95 ${ms(end.p95)}, of ${end.replies} ${end.replies === 1 ? "reply" : "replies"}` : "N/A"],
      ["ASes", as.map((n) => `AS${n}`).join(" ")],
    ]),
    h("h3", {}, flow ? `Copy, for ${addresses(m.page) > 1 ? `the flow to ${flow.to ?? m.page.heading.address}` : `source port ${flow.src_port}`}` : "Copy"),
    copies,
    h("h3", {}, "Hops"),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { class: "num" }, "TTL"), h("th", {}, "Hop"), h("th", { class: "num" }, "Median"), h("th", { class: "num" }, "Lost"))), body),
    h("p", { class: "quiet" }, "Shift and click another path to compare."),
  ];
}

function compareCard(m: Model, a: Path, b: Path): Element[] {
  const body = h("tbody");
  const at = (p: Path) => new Map(p.nodes.map((id, i) => [m.nodes.get(id)?.ttl ?? i, { id, i: i - 1 }]));
  const [left, right] = [at(a), at(b)];
  let apart = 0;
  const rows = Math.max(...left.keys(), ...right.keys());
  for (let ttl = Math.min(...left.keys()); ttl <= rows; ttl++) {
    const [x, y] = [left.get(ttl), right.get(ttl)];
    if (!x && !y) continue;
    const differ = x?.id !== y?.id;
    if (differ) apart++;
    const cell = (p: Path, v: { id: string; i: number } | undefined) => h("td", {}, v ? nodeLink(m, v.id) : "", v && v.i >= 0 ? h("div", { class: "quiet num" }, (p.replies[v.i] ?? 0) > 0 ? ms(p.median_us[v.i]!) : "N/A") : null);
    body.append(h("tr", { class: differ ? "apart" : "" }, h("td", { class: "num" }, ttl === 0 ? "" : String(ttl)), cell(a, x), cell(b, y)));
  }
  const times = [a, b].map((p) => m.end(p)).map((e) => (e?.whole ? ms(e.median) : "N/A"));
  return [
    top(`Paths ${a.id} and ${b.id}`),
    facts([
      ["Differ", apart === 0 ? "nowhere" : `at ${count(apart, "TTL")}`],
      ["Length", `${a.length} and ${b.length} hops`],
      ["Round trip", times.every((t) => t === "N/A") ? "N/A" : `${times.join(" and ")} (median)`],
      ["Loss", [a, b].map((p) => (p.loss === undefined ? "N/A" : percent(p.loss))).join(" and ")],
    ]),
    h("h3", {}, "Hop by hop"),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { class: "num" }, "TTL"), h("th", {}, `Path ${a.id}`), h("th", {}, `Path ${b.id}`))), body),
  ];
}
