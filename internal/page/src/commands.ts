// SPDX-License-Identifier: BSD-3-Clause

import type { Flow, Page } from "./data.ts";

/** Something to copy. */
export interface Command {
  name: string;
  text: string;
}

/** An address that means itself to every shell. The zone of one in a file that
 * somebody else has made can be anything. */
const plain = /^[\w.:%@-]+$/;

/** Commands that send packets with the header fields of a flow, so that routers
 * choose the same path for them. Where a tool cannot keep these fields, its
 * command is not there, and none is for an address that a shell could run. */
export function commands(page: Page, f: Flow): Command[] {
  const h = page.heading;
  const to = f.to ?? h.address;
  const v6 = to.includes(":");
  const at = (address: string, port: number) => (v6 ? `[${address}]:${port}` : `${address}:${port}`);
  const label = f.label ? ` flow label 0x${f.label.toString(16)}` : "";
  const from = h.source_address ?? "*";
  if (h.protocol === "icmp") {
    return [{ name: "flow", text: `icmp ${from} > ${to} checksum 0x${f.src_port.toString(16)}${label}` }];
  }
  const out = [{ name: "5-tuple", text: `${h.protocol} ${at(from, f.src_port)} > ${at(to, f.dst_port)}${label}` }];
  if (!plain.test(to)) return out;
  const tcp = h.protocol === "tcp";
  const tos = h.tos ? ` -t ${h.tos}` : "";
  const kind = tcp ? " -T" : h.quic ? " --quic" : "";
  out.push({ name: "traceflow", text: `traceflow${kind} -P 1 --srcport ${f.src_port - 1} -p ${f.dst_port}${tos} ${to}` });
  const six = v6 ? " -6" : "";
  const flowLabel = f.label ? ` -l ${f.label}` : "";
  out.push({ name: "traceroute", text: `traceroute${six} ${tcp ? "-T" : "-U"} -q 1 --sport=${f.src_port} -p ${f.dst_port}${tos}${flowLabel} ${to}` });
  if (!f.label) {
    const iperfTOS = h.tos ? ` -S ${h.tos}` : "";
    out.push({ name: "iperf3", text: `iperf3${six}${tcp ? "" : " -u"} -c ${to} -p ${f.dst_port} --cport ${f.src_port}${iperfTOS}` });
  }
  return out;
}
