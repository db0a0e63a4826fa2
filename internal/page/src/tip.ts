// SPDX-License-Identifier: BSD-3-Clause

import { h } from "./dom.ts";
import type { Link, Node, Past, Status } from "./data.ts";
import { exitTip } from "./exits.ts";
import type { Model } from "./model.ts";
import { count, ms, percent } from "./text.ts";

/** A few words beside the mouse. */
export class Tip {
  readonly root = h("div", { class: "tip", role: "presentation", hidden: true });

  show(text: string, x: number, y: number) {
    this.root.textContent = text;
    this.root.hidden = false;
    const { offsetWidth: w, offsetHeight: t } = this.root;
    this.root.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - w - 8))}px`;
    this.root.style.top = `${y + 18 + t > innerHeight ? y - t - 10 : y + 18}px`;
  }

  /** Says something else where it is. */
  again(text: string) {
    if (!this.root.hidden) this.root.textContent = text;
  }

  hide() {
    this.root.hidden = true;
  }
}

export function nodeTip(m: Model, n: Node): string {
  const lines = [m.name(n.id)];
  if (n.hostname && n.address) lines.push(n.address);
  if (n.asn) lines.push(`AS${n.asn} ${n.as_name ?? ""}`.trim());
  if (n.ixp) lines.push(`on ${n.ixp}`);
  if (n.unreached) lines.push("answered nothing");
  if (n.kind !== "source" && n.flows > 0) lines.push(`${count(n.flows, "flow")}, ${percent(n.share)}`);
  if (n.replies > 0) lines.push(n.kind === "bar" ? `${ms(n.rtt_us.min)} to ${ms(n.rtt_us.max)}` : `${ms(n.rtt_us.median)} median of ${n.replies} ${n.replies === 1 ? "reply" : "replies"}`);
  lines.push(...exitTip(m, n), ...became(m, n));
  if (n.replies > 0 && n.replies < n.sent) lines.push(`${n.sent - n.replies} of ${n.sent} packets without an answer${n.verdict === "persists" ? ": lost on the path" : n.verdict === "local" ? ": no loss of the path" : ""}`);
  return lines.join("\n");
}

export function linkTip(m: Model, l: Link): string {
  const lines = [`${m.name(l.from)} → ${m.name(l.to)}`, `${count(l.flows, "flow")}, ${percent(l.share)}`];
  if (l.bundle > 1) lines.unshift(count(l.bundle, "link"));
  lines.push(l.delta_us === undefined ? "delay added: N/A" : `+${ms(l.delta_us)}, ${l.samples} ${l.samples === 1 ? "reply" : "replies"}`);
  lines.push(...became(m, l));
  if (l.inferred) lines.push("inferred");
  if (l.lost) lines.push(`${percent(l.lost)} lost from here on`);
  return lines.join("\n");
}

/** What became of something between two results. */
function became(m: Model, x: { status?: Status; flows: number; before?: Past }): string[] {
  if (!m.merged) return [];
  if (x.status) return [x.status === "gone" ? "− gone: figures from before" : "+ new"];
  return [x.before && x.before.flows !== x.flows ? `before: ${count(x.before.flows, "flow")}` : "unchanged"];
}
