// SPDX-License-Identifier: BSD-3-Clause

import { h } from "./dom.ts";
import { addresses, allFlows } from "./flows.ts";
import type { Model } from "./model.ts";
import { exchange } from "./morph.ts";
import { count, ranges, utc } from "./text.ts";

/** Says from whom to whom, how, when, what was found, and how sure that is. */
export class Header {
  private readonly title = h("h1");
  private readonly rest = h("div", { class: "rest" });
  readonly root: HTMLElement;

  /** Above it and beside its title there may stand more. */
  constructor(above: Element | null, beside: Element | null) {
    this.root = h("header", { class: "head" }, above, h("div", { class: "line" }, this.title, beside), this.rest);
  }

  update(m: Model) {
    if (this.title.textContent !== m.page.title) this.title.textContent = m.page.title;
    exchange(this.rest, [...verdict(m), facts(m), ...trouble(m), ...statement(m)]);
  }
}

/** The verdict of a comparison, and what happened, before anything else. */
function verdict(m: Model): Element[] {
  const d = m.page.heading.difference;
  if (!d) return [];
  const events = d.events.filter((e) => e.severity !== "info").slice(0, 3);
  return [
    h("p", { class: "verdict", role: "status" }, h("b", { class: `is-${d.severity}` }, d.word), `${d.line}.`),
    ...(events.length > 0 ? [h("ul", { class: "events", tabindex: 0, "aria-label": "What happened" }, ...events.map((e) => h("li", {}, h("b", { class: `is-${e.severity}` }, e.label), ` ${e.title}`)))] : []),
  ];
}

function facts(m: Model): HTMLElement {
  const g = m.page.heading;
  const box = h("div", { class: "facts num" });
  const add = (...parts: (Element | string)[]) => box.append(h("span", {}, ...parts));
  const flows = m.page.flows.length;
  const taken = m.page.paths.filter((p) => p.status !== "gone" && p.flows.length > 0).length;
  add(h("b", {}, count(g.difference ? taken : m.page.paths.length, "path")), ` of ${allFlows(m.page)}${g.difference ? " now" : ""}`);
  const all = g.reached === g.followed && g.reached > 0;
  const partly = all && g.followed < flows;
  add(h("b", {}, all ? "reached" : g.reached === 0 ? "not reached" : `reached ${g.reached}/${g.followed}`),
    partly ? ` by all ${g.followed} followed to the end` : all ? ` ${g.reached}/${g.followed}` : g.measuring && g.reached === 0 ? " so far" : "");
  add(g.probes);
  if (g.protocol !== "icmp" && flows > 0 && addresses(m.page) < 2) add(`source ports ${ports(m.page.flows.map((f) => f.src_port))}`);
  add(`${count(g.packets, "packet")}, ${g.replies} answered`);
  if (!g.difference) add(utc(g.started));
  if (g.difference) {
    box.append(h("span", {}, `before: ${g.difference.before}`), h("span", {}, `after: ${g.difference.after}`));
    return box;
  }
  if (g.duration_us > 0) add(`${g.measuring ? "for" : "took"} ${(g.duration_us / 1e6).toFixed(g.duration_us < 1e7 ? 1 : 0)} s`);
  if (g.wire) add(`wire ${g.wire}`);
  return box;
}

function trouble(m: Model): Element[] {
  const g = m.page.heading;
  if (g.measuring) return []; // it is not over
  const text = [g.complete ? "" : "The measurement was cut short.", g.ending ?? ""].filter(Boolean).join(" ");
  return text ? [h("p", { class: "trouble" }, text)] : [];
}

function statement(m: Model): Element[] {
  const [first, ...rest] = m.page.heading.statement;
  if (first === undefined) return []; // it is too early
  return [rest.length > 0
    ? h("details", { class: "sure" }, h("summary", {}, first), h("ul", {}, ...rest.map((t) => h("li", {}, t))))
    : h("p", { class: "sure" }, first)];
}

/** Writes ports that are no range by the lowest and the highest. */
function ports(all: number[]): string {
  const text = ranges(all);
  return text.length <= 24 ? text : `${Math.min(...all)} to ${Math.max(...all)}`;
}
