// SPDX-License-Identifier: BSD-3-Clause

// How figures are written: as the other formats of the program write them.

/** Writes microseconds as milliseconds with three digits that count. */
export function ms(us: number): string {
  const n = us / 1000;
  return `${n < 0.9995 ? n.toFixed(3) : n < 9.995 ? n.toFixed(2) : n < 99.95 ? n.toFixed(1) : n.toFixed(0)} ms`;
}

export function percent(share: number): string {
  const p = 100 * share;
  return `${p > 0 && p < 9.95 ? p.toFixed(1) : p.toFixed(0)} %`;
}

export function count(n: number, noun: string): string {
  if (n === 1) return `1 ${noun}`;
  return `${n} ${noun.endsWith("y") ? noun.slice(0, -1) + "ies" : noun + "s"}`;
}

/** Writes numbers as ranges: 1–3, 7. */
export function ranges(numbers: number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const out: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let j = i;
    while (sorted[j + 1] === sorted[j]! + 1) j++;
    out.push(j === i ? `${sorted[i]}` : `${sorted[i]}–${sorted[j]}`);
    i = j + 1;
  }
  return out.join(", ");
}

/** Makes words a sentence. */
export function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

/** Writes a loss with what it rests on. */
export function lossOf(sent: number, replies: number): string {
  return sent === 0 ? "N/A" : `${percent(1 - replies / sent)} (${sent - replies} of ${sent})`;
}

/** Says what the loss at a hop means. */
export function verdict(v: string | undefined): string {
  switch (v) {
    case "persists":
      return "it persists to the destination";
    case "local":
      return "the router answers less than it forwards: no loss of the path";
    case "unclear":
      return "too little to tell what it means";
  }
  return "";
}

/** Writes a time as the viewer's clock does not: in UTC. */
export function utc(iso: string): string {
  return iso.replace("T", " ").replace(/\.\d+Z$/, " UTC");
}
