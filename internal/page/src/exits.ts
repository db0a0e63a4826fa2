// SPDX-License-Identifier: BSD-3-Clause

import { ask } from "./ask.ts";
import type { Exit, ExitBranch, Node } from "./data.ts";
import { h } from "./dom.ts";
import { signOf } from "./draw.ts";
import type { Model } from "./model.ts";
import { count, percent, sentence } from "./text.ts";

/** How many ways out are told one by one. */
const most = 8;

/** Where paths leave an AS by several ways, in words, while nothing is picked. */
export function exitStory(m: Model): Element[] {
  const all = m.page.exits;
  if (all.length === 0) return [];
  const ul = h("ul", { class: "story exits" });
  for (const x of all) ul.append(told(m, x, true));
  if (m.page.more_exits) ul.append(h("li", { class: "quiet" }, `and ${count(m.page.more_exits, "more exit")}`));
  return [h("h3", {}, `Exits${m.page.heading.measuring ? " so far" : ""}`), ul];
}

/** What leaves at a station, or enters by it. */
export function exitsAt(m: Model, n: Node): Element[] {
  const own = new Set([n.id, ...(n.stations ?? []), ...(n.members ?? []).map((x) => x.id)]);
  const here = (ids: string[]) => ids.some((id) => own.has(id));
  const out: Element[] = [];
  const add = (title: string, items: Element[]) => {
    if (items.length > 0) out.push(h("h3", {}, title), h("ul", { class: "story exits" }, ...items));
  };
  const all = m.page.exits;
  const near = all.filter((x) => x.near !== undefined && own.has(x.near));
  add("Exits from here on", near.map((x) => told(m, x, false)));
  const leaving = all.filter((x) => !near.includes(x) && x.branches.some((b) => here(b.leave)));
  add("Exits by it", leaving.map((x) => told(m, x, true, (b) => here(b.leave))));
  const entering = all.filter((x) => x.branches.some((b) => here(b.enter)));
  add("Behind an exit", entering.map((x) => beside(m, x, here)));
  return out;
}

/** One exit: its class and how sure that is, where, and by which ways. */
function told(m: Model, x: Exit, where: boolean, only: (b: ExitBranch) => boolean = () => true): Element {
  const li = h("li", {}, h("b", {}, `${x.status ? `${signOf(x.status)} ` : ""}${x.word}`), ` (${x.sure})`);
  if (x.status) li.append(h("div", {}, x.status === "gone" ? "So it was before; no longer." : "It was not so before."));
  if (where) li.append(h("div", {}, "paths part at ", x.near === undefined ? "a hop that does not answer" : station(m, x.near), `, in ${x.from}`));
  const shown = x.branches.filter(only);
  const ways = h("ul", { class: "ways" });
  for (const b of shown.slice(0, most)) ways.append(h("li", {}, ...way(m, x, b)));
  if (shown.length > most) ways.append(h("li", { class: "quiet" }, `and ${shown.length - most} more`));
  li.append(ways, h("div", { class: "quiet" }, sentence(x.evidence.join("; "))));
  return li;
}

/** One way out, and what it rests on. */
function way(m: Model, x: Exit, b: ExitBranch): (Element | string)[] {
  const several = new Set(x.branches.map((o) => o.leave.join())).size > 1;
  return [
    `${b.as ?? "AS not known"}${b.ixp ? ` at ${b.ixp}` : ""}: `, ...(several ? [...stations(m, b.leave), " → "] : []), ...stations(m, b.enter),
    h("div", { class: "quiet num" }, `${flows(x, b)}; ${b.as_path ? `AS path ${b.as_path}; ` : ""}${b.known}`),
  ];
}

/** Says of a first hop behind an exit which others there are. */
function beside(m: Model, x: Exit, here: (ids: string[]) => boolean): Element {
  const ids = (part: (b: ExitBranch) => string[]) => [...new Set(x.branches.flatMap(part))];
  const others = ids((b) => b.enter).filter((id) => !here([id]));
  const own = x.branches.find((b) => here(b.enter))!;
  const enter = ids((b) => b.enter);
  const at = enter.findIndex((id) => here([id])) + 1;
  const what = x.class === "ixp-parallel" ? `port ${at} of ${enter.length} parallel ports of ${own.as ?? "one member"}${own.ixp ? ` at ${own.ixp}` : ""}` : `one of ${count(enter.length, "way")} out of ${x.from}`;
  const li = h("li", {}, what, ` (${x.class === "undetermined" ? `${x.word}: ` : ""}${x.sure})`);
  if (others.length > 0) {
    li.append(h("div", {}, "beside ", ...stations(m, others.slice(0, most)), others.length > most ? ` and ${others.length - most} more` : ""));
  }
  li.append(h("div", { class: "quiet num" }, flows(x, own)));
  return li;
}

function flows(x: Exit, b: ExitBranch): string {
  return x.destinations ? `${count(b.flows, "flow")} to ${b.destinations === 1 ? "1 address" : `${b.destinations} addresses`}` : `${count(b.flows, "flow")}, ${percent(b.share)}`;
}

function station(m: Model, id: string): Element {
  return ask(m.name(id), { kind: "node", id }, { class: "link" });
}

function stations(m: Model, ids: string[]): (Element | string)[] {
  if (ids.length === 0) return ["a hop that does not answer"];
  return ids.flatMap((id, i) => (i === 0 ? [station(m, id)] : [", ", station(m, id)]));
}

/** What the tip of a station says of exits. */
export function exitTip(m: Model, n: Node): string[] {
  return (n.tags ?? []).flatMap((t) => {
    const x = m.page.exits[t.exit];
    if (!x) return [];
    const became = t.status === "gone" ? ", no longer" : t.status === "new" ? ", new" : "";
    return [t.kind === "port" ? `${t.label} of ${x.branches[0]?.as ?? "one member"}` : `exits: ${x.word} (${x.sure})${became}`];
  });
}

/** The rows of a table of all ways out. */
export function exitRows(m: Model): (string | Element)[][] {
  return m.page.exits.flatMap((x) => x.branches.map((b) => [
    x.near === undefined ? "a silent hop" : station(m, x.near), cell(stations(m, b.leave)), cell(stations(m, b.enter)), b.as ?? "not known", b.ixp ?? "", `${x.word}${x.status ? `, ${x.status}` : ""}`, x.sure,
    String(b.flows), x.destinations ? String(b.destinations) : percent(b.share), b.as_path, b.known, x.evidence.join("; "),
  ]));
}

function cell(parts: (Element | string)[]): Element {
  return h("span", {}, ...parts);
}
