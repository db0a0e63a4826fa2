// SPDX-License-Identifier: BSD-3-Clause

import { h } from "./dom.ts";
import type { Model } from "./model.ts";
import { count, ranges, utc } from "./text.ts";

/** Says from whom to whom, how, when, what was found, and how sure that is. */
export function header(m: Model): HTMLElement {
  const g = m.page.heading;
  const facts = h("div", { class: "facts num" });
  const add = (...parts: (Element | string)[]) => facts.append(h("span", {}, ...parts));
  const flows = m.page.flows.length;
  add(h("b", {}, count(m.page.paths.length, "path")), ` of ${count(flows, "flow")}`);
  add(h("b", {}, g.reached === g.followed && g.reached > 0 ? "reached" : g.reached === 0 ? "not reached" : `reached ${g.reached}/${g.followed}`), g.reached === g.followed && g.reached > 0 ? ` ${g.reached}/${g.followed}` : "");
  add(g.probes);
  if (g.protocol !== "icmp" && flows > 0) add(`source ports ${ports(m.page.flows.map((f) => f.src_port))}`);
  add(`${count(g.packets, "packet")}, ${g.replies} answered`);
  add(utc(g.started));
  if (g.duration_us > 0) add(`took ${(g.duration_us / 1e6).toFixed(g.duration_us < 1e7 ? 1 : 0)} s`);
  if (g.wire) add(`wire ${g.wire}`);
  const trouble = [g.complete ? "" : "The measurement was cut short.", g.ending ?? ""].filter(Boolean).join(" ");
  const [first, ...rest] = g.statement;
  const sure = rest.length > 0
    ? h("details", { class: "sure" }, h("summary", {}, first ?? ""), h("ul", {}, ...rest.map((t) => h("li", {}, t))))
    : h("p", { class: "sure" }, first ?? "");
  return h("header", { class: "head" }, h("h1", {}, m.page.title), facts, trouble && h("p", { class: "trouble" }, trouble), sure);
}

/** Writes ports that are no range by the lowest and the highest. */
function ports(all: number[]): string {
  const text = ranges(all);
  return text.length <= 24 ? text : `${Math.min(...all)} to ${Math.max(...all)}`;
}
