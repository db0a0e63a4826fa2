// SPDX-License-Identifier: BSD-3-Clause

// What the page is given: render.pageData and picture.Drawing, in JSON. Times
// are in microseconds, shares and losses from 0 to 1, lengths in pixels.

const version = 1;

export interface Page {
  page: number;
  title: string;
  heading: Heading;
  drawing: Drawing;
  /** Drawings with fewer stations: those that say anything else. */
  groups?: Partial<Record<Grouping, Group>>;
  details: Record<string, Detail>;
  /** Where paths leave an AS by several ways, and how many more there are. */
  exits: Exit[];
  more_exits?: number;
  flows: Flow[];
  paths: Path[];
}

/** Several ways out of an AS, in words. */
export interface Exit {
  status?: Status;
  /** "relax-border", "multi-exit", "same-as-multipath", "ixp-parallel" or "undetermined". */
  class: string;
  word: string;
  /** How sure that is, or why it cannot be told. */
  sure: string;
  from: string;
  /** ID of the station where the paths part. */
  near?: string;
  evidence: string[];
  branches: ExitBranch[];
  /** Whether flows went to several addresses. */
  destinations?: boolean;
}

/** One way out: IDs of the stations that are its last hop in the AS and the first
 * behind. */
export interface ExitBranch {
  leave: string[];
  enter: string[];
  as?: string;
  ixp?: string;
  known: string;
  as_path: string;
  flows: number;
  share: number;
  destinations: number;
}

/** What stations may be drawn together by. */
export const groupings = ["router", "as", "city"] as const;
export type Grouping = (typeof groupings)[number];

/** The same paths with several stations drawn as one. */
export interface Group {
  drawing: Drawing;
}

export interface Heading {
  source: string;
  source_address?: string;
  target: string;
  address: string;
  probes: string;
  protocol: string;
  quic?: boolean;
  tos?: number;
  started: string;
  duration_us: number;
  reached: number;
  /** Flows that were followed to their end. */
  followed: number;
  packets: number;
  replies: number;
  wire?: string;
  version?: string;
  masked?: number;
  complete: boolean;
  shape: string;
  ending?: string;
  statement: string[];
  /** Whether more is to come. */
  measuring?: boolean;
  /** The verdict, where the page shows two results. */
  difference?: Difference;
}

/** What became of something between two results. */
export type Status = "gone" | "new";

/** The verdict of a comparison, and what happened to the target that is shown. */
export interface Difference {
  word: string;
  line: string;
  /** "ok", "change", "inconclusive" or "regression". */
  severity: string;
  events: { label: string; severity: string; title: string; evidence?: string; follows?: string; targets?: string }[];
  /** How many events are of other targets only. */
  more?: number;
  before: string;
  after: string;
  notes: string[];
}

export interface Flow {
  id: number;
  src_port: number;
  dst_port: number;
  label?: number;
  /** Where it goes, if that is not the destination. */
  to?: string;
}

/** A path hop by hop, none of them in a bar; figures begin behind the source. */
export interface Path {
  id: number;
  flows: number[];
  reached: boolean;
  length: number;
  end?: string;
  loss?: number;
  /** TTL of the last hop that answered these flows, and whether that is the
   * destination: only then are its figures the path's. */
  last_ttl?: number;
  at_end?: boolean;
  nodes: string[];
  sent: number[];
  replies: number[];
  median_us: number[];
  p95_us: number[];
  verdict: string[];
  status?: Status;
  /** What it was in the first of two results. */
  before?: { flows: number; median_us?: number };
}

export interface Detail {
  asns?: number[];
  prefix?: string;
  origin_source?: string;
  name_source?: string;
  place_source?: string;
  lan?: string;
  lan_source?: string;
  answers?: { kind: string; type: number; code: number; count: number }[];
  reply_ttls?: number[];
  tos?: number[];
  mpls?: string[];
  in?: string[];
  limited?: boolean;
  balancer?: string;
  width?: number;
  recent_us?: number[];
}

export interface Drawing {
  width: number;
  height: number;
  /** What its stations have in common, unless they are single nodes. */
  by?: Grouping;
  /** It shows two results: status says what became of everything. */
  merged?: boolean;
  /** Why nothing has a place: then there are only tables. */
  too_large?: string;
  columns: { ttl: number; label?: string; x: number; w: number }[];
  nodes: Node[];
  links: Link[];
  paths: { id: number; nodes: string[] }[];
  bands: Band[];
  marks: Mark[];
  pipes: Pipe[];
}

export type Kind = "source" | "destination" | "router" | "exchange" | "silent" | "bar" | "group";

export interface Node {
  id: string;
  ttl: number;
  kind: Kind;
  status?: Status;
  address?: string;
  interface?: number;
  hostname?: string;
  asn?: number;
  as_name?: string;
  ixp?: string;
  city?: string;
  country?: string;
  flows: number;
  sent: number;
  replies: number;
  rtt_us: { min: number; median: number; p95: number; max: number };
  verdict?: string;
  unreached?: boolean;
  hidden?: number;
  ends?: { reason: string; flows: number }[];
  members?: Node[];
  tags?: Tag[];
  /** Name of a group's owner or city. */
  name?: string;
  /** IDs of what a station of a grouped drawing stands for, in the drawing of
   * single nodes. */
  stations?: string[];
  addresses?: number;
  /** The least and the largest median in a group. */
  medians_us?: number[];
  share: number;
  before?: Past;
  x: number;
  y: number;
  w: number;
  above: number;
  below: number;
  in?: Track;
  out?: Track;
  lines: string[] | null;
}

/** A word below a station: of an exit, by its index. */
export interface Tag {
  kind: "exit" | "port";
  exit: number;
  label: string;
  certain: boolean;
  status?: Status;
}

/** What something was in the first of two results. */
export interface Past {
  flows: number;
  share: number;
  sent?: number;
  replies?: number;
  rtt_us?: { min: number; median: number; p95: number; max: number };
  delta_us?: number;
  samples?: number;
  lost?: number;
}

/** A line by the points at which it changes, x and y in turn: picture.Stroke. */
export type Stroke = number[];

export interface Track {
  status?: Status;
  width: number;
  level: number;
  inferred?: boolean;
  stroke: Stroke;
}

export interface Link {
  from: string;
  to: string;
  status?: Status;
  flows: number;
  share: number;
  bundle: number;
  /** The least and the largest delay of what it bundles between two groups. */
  deltas_us?: number[];
  ixp?: string;
  inferred?: boolean;
  delta_us?: number;
  samples: number;
  lost?: number;
  before?: Past;
  width: number;
  level: number;
  label?: string;
  stroke: Stroke;
  /** Where its label or its sign stands. */
  label_x?: number;
  label_y?: number;
  via?: number[];
}

export interface Band {
  asn: number;
  name: string;
  tint: number;
  areas: (Area & { named?: boolean })[];
}

/** An upright rectangle. */
export interface Area {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Mark {
  kind: string;
  certain: boolean;
  detail: string;
  ttl: number;
  x: number;
  top: number;
  bottom: number;
}

export interface Pipe {
  kind: string;
  hidden: number;
  label: string;
  detail: string;
  nodes: string[];
  strokes: Stroke[];
  x: number;
  y: number;
}

/** The data that stand in the file; null on a page that is served. */
export function embedded(): Page | null {
  return read(document.getElementById("data")?.textContent ?? "null");
}

/** Reads data, and returns null if they are not of this version of the page. */
export function read(text: string): Page | null {
  try {
    const page = JSON.parse(text) as Page | null;
    if (page?.page !== version) return null;
    page.drawing.columns ??= []; // of what is too large to draw
    return page;
  } catch {
    return null;
  }
}

/** The page with nothing in its drawing. */
export function undrawn(page: Page): Page {
  return { ...page, drawing: { width: 1, height: 1, columns: [], nodes: [], links: [], paths: [], bands: [], marks: [], pipes: [] } };
}

/** The page as stations grouped in some way make it. Stations in a group are its
 * members, as those in a bar are. */
export function groupedBy(page: Page, by: Grouping | null): Page {
  const group = by === null ? undefined : page.groups?.[by];
  if (!group) return page;
  const single = new Map(page.drawing.nodes.flatMap((n) => [n, ...(n.members ?? [])]).map((n) => [n.id, n]));
  for (const n of group.drawing.nodes) {
    const own = n.stations?.length === 1 && n.stations[0] === n.id;
    if (n.stations && !own) n.members = n.stations.map((id) => single.get(id)).filter((m) => m !== undefined);
  }
  return { ...page, drawing: group.drawing };
}
