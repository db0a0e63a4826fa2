// SPDX-License-Identifier: BSD-3-Clause
//
// Reads a JSON list of charts from standard input and writes what Mermaid's own
// parser makes of each: {nodes, edges, dotted, labels} or {error}.

// What Mermaid cleans labels with asks for a page before it offers its functions.
globalThis.window = globalThis;
globalThis.addEventListener = () => {};
globalThis.document = { nodeType: 9, createElement: () => ({}) };
globalThis.Element = class {};

const { default: mermaid } = await import('mermaid');
let input = '';
for await (const chunk of process.stdin) input += chunk;
mermaid.initialize({ maxTextSize: 10_000_000, maxEdges: 100_000, securityLevel: 'strict' });

const output = [];
for (const text of JSON.parse(input)) {
  try {
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    output.push({
      nodes: db.getVertices().size,
      edges: db.getEdges().length,
      dotted: db.getEdges().filter((e) => e.stroke === 'dotted').length,
      labels: [...db.getVertices().values()].map((v) => v.text),
    });
  } catch (e) {
    output.push({ error: String(e.message ?? e) });
  }
}
process.stdout.write(JSON.stringify(output));
