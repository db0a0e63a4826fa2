// SPDX-License-Identifier: BSD-3-Clause

import { s } from "./dom.ts";
import type { Model } from "./model.ts";
import { utc } from "./text.ts";

const kept = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "font-size", "font-weight", "text-anchor", "paint-order"];
const margin = 20;
const head = 64;

/** Returns the drawing as it is shown, all of it, with every colour written out,
 * so that any viewer shows it the same. */
export function drawingAsSVG(m: Model, scene: SVGGElement): SVGSVGElement {
  const d = m.page.drawing;
  const width = Math.max(d.width, 640) + 2 * margin;
  const height = d.height + head + 2 * margin + 16;
  const style = getComputedStyle(scene.ownerSVGElement!);
  const ink = getComputedStyle(document.body).color;
  const out = s("svg", { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}`, "font-family": "system-ui, sans-serif", "font-size": "11" });
  const h = m.page.heading;
  out.append(
    s("title", {}, m.page.title),
    s("rect", { width, height, fill: style.backgroundColor }),
    s("text", { x: margin, y: 32, fill: ink, "font-size": "17", "font-weight": "600" }, m.page.title),
    s("text", { x: margin, y: 52, fill: ink, "font-size": "12" }, `${utc(h.started)} · ${h.probes} · ${m.page.flows.length} flows · ${h.shape}`),
  );
  const body = s("g", { transform: `translate(${margin} ${head + margin})` });
  copyInto(scene, body);
  const ruler = s("g", { fill: ink, "font-weight": "600", "text-anchor": "middle", opacity: ".7" });
  for (const c of d.columns.slice(1)) ruler.append(s("text", { x: c.x + c.w / 2, y: -8 }, String(c.ttl)));
  body.append(ruler);
  out.append(body);
  return out;
}

function copyInto(from: Element, to: Element) {
  for (const e of from.children) {
    const style = getComputedStyle(e);
    if (style.display === "none" || e.classList.contains("hit")) continue;
    const copy = document.createElementNS("http://www.w3.org/2000/svg", e.localName);
    for (const a of e.attributes) if (!/^(class|style|data-|aria-|tabindex|role)/.test(a.name)) copy.setAttribute(a.name, a.value);
    if (e.localName === "g") {
      if (style.opacity !== "1") copy.setAttribute("opacity", style.opacity);
      copyInto(e, copy);
      if (copy.childElementCount === 0) continue;
    } else {
      for (const name of kept) {
        const v = style.getPropertyValue(name);
        if (v && v !== "normal") copy.setAttribute(name, v);
      }
      if (style.transform !== "none") copy.setAttribute("transform", style.transform);
      if (e.localName === "text") copy.textContent = e.textContent;
    }
    to.append(copy);
  }
}

/** Hands a file to the browser. */
export function save(name: string, data: Blob) {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(data);
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
}

export function svgBlob(svg: SVGSVGElement): Blob {
  return new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" });
}

/** Draws a drawing into a PNG, twice as large as on the screen as far as browsers
 * make images. */
export async function asPNG(svg: SVGSVGElement): Promise<Blob> {
  const w = Number(svg.getAttribute("width"));
  const h = Number(svg.getAttribute("height"));
  const times = Math.min(2, 16_000 / w, 16_000 / h, Math.sqrt(100e6 / (w * h)));
  const url = URL.createObjectURL(svgBlob(svg));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(w * times);
    canvas.height = Math.round(h * times);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done, fail) => canvas.toBlob((b) => (b ? done(b) : fail(new Error("no image"))), "image/png"));
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** One line for each hop of each path (RFC 4180). Text that begins as a formula
 * does gets an apostrophe before it. */
export function asCSV(m: Model): string {
  const cell = (v: string | number | undefined) => {
    let t = v === undefined ? "" : String(v);
    // \uFF1D and so on are the same signs in full width.
    if (typeof v === "string" && /^[=+\-@'\uFF1D\uFF0B\uFF0D\uFF20\uFFFD]/.test(t)) t = `'${t}`;
    return /[",\r\n]/.test(t) ? `"${t.replace(/"/g, '""')}"` : t;
  };
  const lines = [["path", "path_flows", "reached", "src_ports", "ttl", "kind", "address", "hostname", "asn", "as_name", "ixp", "sent", "replies", "rtt_median_us", "rtt_p95_us", "loss_kind"].join(",")];
  for (const p of m.page.paths) {
    const ports = p.flows.map((f) => m.flows.get(f)?.src_port).join(" ");
    p.nodes.slice(1).forEach((id, i) => {
      const n = m.nodes.get(id);
      if (!n) return;
      const answered = (p.replies[i] ?? 0) > 0;
      lines.push([p.id, p.flows.length, String(p.reached), ports, n.ttl, n.kind, n.address, n.hostname, n.asn, n.as_name, n.ixp, p.sent[i], p.replies[i], answered ? p.median_us[i] : undefined, answered ? p.p95_us[i] : undefined, p.verdict[i]].map(cell).join(","));
    });
  }
  return `${lines.join("\n")}\n`;
}
