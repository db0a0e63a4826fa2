// SPDX-License-Identifier: BSD-3-Clause

import type { Drawing, Link, Node } from "./data.ts";
import { endText } from "./draw.ts";
import { ask } from "./ask.ts";
import { byTTL } from "./cut.ts";
import { h } from "./dom.ts";
import { exitStory } from "./exits.ts";
import type { Model } from "./model.ts";
import { count, ms, percent, ranges, sentence } from "./text.ts";

/** What stands out, in words, while nothing is picked: how many paths, where they
 * part, which link is slow, what is lost and where nothing answers. */
export function summary(m: Model): Element[] {
  const d = staying(m.page.drawing);
  const ul = h("ul", { class: "story" });
  const add = (bad: boolean, ...parts: (Element | string)[]) => ul.append(h("li", bad ? { class: "bad" } : {}, ...parts));
  const node = (id: string) => ask(m.name(id), { kind: "node", id }, { class: "link" });
  const link = (l: Link) => h("div", {}, ask(`${m.name(l.from)} → ${m.name(l.to)}`, { kind: "link", from: l.from, to: l.to }, { class: "link" }));
  const difference = changes(m);
  if (difference.length > 0) add(false, "As it is now: ", m.page.heading.shape);
  else add(false, m.page.heading.shape);

  const parting = forks(m);
  for (const f of parting.slice(0, 6)) {
    const kinds = [...new Set(f.nodes.map((n) => m.detail(n.id).balancer).filter(Boolean))];
    const how = kinds.length === 1 ? `, ${kinds[0]!.replace("-", " ")}` : "";
    const into = f.least === f.most ? `${f.most} next hops` : `${f.least} to ${f.most} next hops`;
    const part = f.ttl > 0 && byTTL(d) ? `TTL ${f.ttl}: paths part at ` : "Paths part at ";
    if (f.nodes.length === 1) add(false, part, node(f.nodes[0]!.id), ` into ${into}${how}`);
    else add(false, `${part}${f.nodes.length} stations, each into ${into}${how}`);
  }
  const more = parting.length - 6;
  if (more > 0) add(false, `They part in ${count(more, "more column")}.`);

  const timed = d.links.filter((l) => l.delta_us !== undefined).sort((a, b) => b.delta_us! - a.delta_us!);
  const slow = timed[0];
  if (slow) {
    const adds = `+${ms(slow.delta_us!)} (${slow.samples} ${slow.samples === 1 ? "reply" : "replies"})`;
    const what = slow.bundle > 1 ? `Slowest of ${slow.bundle} links` : "Slowest link";
    add(false, d.links.some((l) => l.label && !l.lost) ? `${what}: ${adds}` : `No link is much slower than others; the slowest: ${adds}`, link(slow));
  }

  const lossy = d.links.filter((l) => l.lost);
  for (const l of lossy.slice(0, 5)) {
    add(true, h("span", { class: "loss" }, `${percent(l.lost!)} lost`), " from this link on, to the destination", link(l));
  }
  if (lossy.length === 0) add(false, noLoss(m));

  const silent = d.nodes.flatMap((n) => n.members ?? [n]).filter((n) => n.kind === "silent");
  if (silent.length > 0) add(false, `No answer from ${count(silent.length, "hop")}, at TTL ${ranges(silent.map((n) => n.ttl))}.`);
  const stuck = d.nodes.flatMap((n) => n.members ?? [n]).filter((n) => n.ends?.length);
  for (const n of stuck.slice(0, 5)) {
    add(false, n.ends!.map((e) => `${count(e.flows, "flow")} no further: ${endText(e.reason)}`).join("; "), h("div", {}, "after ", node(n.id)));
  }
  if (stuck.length > 5) add(false, `More flows end at ${count(stuck.length - 5, "other hop")}.`);
  if (silent.length + stuck.length === 0 && m.page.heading.reached > 0) add(false, "Every hop answered.");
  for (const mark of d.marks.slice(0, 3)) add(false, sentence(mark.detail));
  for (const pipe of d.pipes.slice(0, 3)) add(false, sentence(pipe.detail));
  const exchanges = new Set(d.nodes.map((n) => n.ixp).filter(Boolean));
  if (exchanges.size > 0) add(false, `Exchange points: ${[...exchanges].join(", ")}.`);
  const heading = difference.length > 0 ? h("h3", {}, "What stands out") : h("div", { class: "top" }, h("h2", { tabindex: -1 }, "What stands out"));
  return [...difference, heading, ul, ...exitStory(m)];
}

/** A drawing without what is gone: what stands out is so now. */
function staying(d: Drawing): Drawing {
  if (d.merged !== true) return d;
  return { ...d, nodes: d.nodes.filter((n) => n.status !== "gone"), links: d.links.filter((l) => l.status !== "gone") };
}

/** What changed between two results, the worst first. */
function changes(m: Model): Element[] {
  const d = m.page.heading.difference;
  if (!d) return [];
  const ul = h("ul", { class: "story" });
  for (const e of d.events) {
    ul.append(h("li", { class: `is-${e.severity}` }, h("b", { class: `is-${e.severity}` }, e.label), ` ${e.title}`,
      ...[e.evidence, e.follows && `with it: ${e.follows}`, e.targets].filter(Boolean).map((text) => h("div", { class: "quiet" }, text!))));
  }
  if (d.events.length === 0) ul.append(h("li", {}, "Nothing happened to this target."));
  if (d.more) ul.append(h("li", { class: "quiet" }, `${count(d.more, "event")} of other targets: traceflow diff shows all.`));
  for (const note of d.notes) ul.append(h("li", { class: "quiet" }, sentence(note)));
  return [h("div", { class: "top" }, h("h2", { tabindex: -1 }, "What changed")), ul];
}

/** Where paths part, by TTL. A first hop that did not answer is perhaps none of its
 * own, so silence makes no fork. */
function forks(m: Model) {
  const out = new Map<number, { ttl: number; nodes: Node[]; least: number; most: number }>();
  for (const n of staying(m.page.drawing).nodes) {
    const next = (m.outOf.get(n.id) ?? []).filter((l) => l.status !== "gone").filter((l) => n.kind !== "source" || m.nodes.get(l.to)?.kind !== "silent").reduce((sum, l) => sum + l.bundle, 0);
    if (next < 2 || n.kind === "silent" || n.kind === "bar") continue;
    const ttl = n.kind === "source" ? 0 : n.ttl;
    const f = out.get(ttl) ?? { ttl, nodes: [], least: next, most: next };
    f.nodes.push(n);
    [f.least, f.most] = [Math.min(f.least, next), Math.max(f.most, next)];
    out.set(ttl, f);
  }
  return [...out.values()].sort((a, b) => a.ttl - b.ttl);
}

/** What may be said of loss where none is known to persist. */
function noLoss(m: Model): string {
  const g = m.page.heading;
  const ends = m.page.paths.filter((p) => p.reached && p.verdict.at(-1) !== "local" && p.sent.at(-1)! > 0);
  const [sent, replies] = ends.reduce(([s, r], p) => [s + p.sent.at(-1)!, r + p.replies.at(-1)!], [0, 0]);
  if (replies === 0) return `Loss is not known: the destination ${g.reached > 0 ? "does not answer everything" : "answered nothing"}${g.measuring ? " so far" : ""}.`;
  if (replies < sent) return `${sent - replies} of ${count(sent, "packet")} to the destination got no answer: too few on each path to tell whether loss persists.`;
  const local = m.page.drawing.nodes.flatMap((n) => n.members ?? [n]).filter((n) => n.verdict === "local").length;
  return `No loss that persists to the destination${local > 0 ? `; ${count(local, "router")} ${local === 1 ? "answers" : "answer"} less than ${local === 1 ? "it forwards" : "they forward"}, which is no loss` : ""}.`;
}
