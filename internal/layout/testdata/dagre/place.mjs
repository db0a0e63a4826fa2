// SPDX-License-Identifier: BSD-3-Clause
//
// Reads [{"nodes": ["a", …], "links": [["a", "b"], …]}, …] from standard input
// and writes, for each graph, where dagre puts the centre of each node.

import dagre from "@dagrejs/dagre";
import { readFileSync } from "node:fs";

const graphs = JSON.parse(readFileSync(0, "utf8"));
const places = graphs.map(({ nodes, links }) => {
  const g = new dagre.graphlib.Graph();
  g.setGraph({ rankdir: "LR" });
  g.setDefaultEdgeLabel(() => ({}));
  for (const n of nodes) g.setNode(n, { width: 40, height: 40 });
  for (const [from, to] of links) g.setEdge(from, to);
  dagre.layout(g);
  return Object.fromEntries(nodes.map((n) => [n, [g.node(n).x, g.node(n).y]]));
});
process.stdout.write(JSON.stringify(places));
