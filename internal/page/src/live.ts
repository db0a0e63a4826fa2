// SPDX-License-Identifier: BSD-3-Clause

import { type Page, read } from "./data.ts";

/** What the page has to say of its server; "" is that all is well. */
export type Notice = "" | "lost" | "ended" | "foreign";

/** Who shows what comes. */
export interface Shows {
  show(page: Page): void;
  notice(what: Notice, line: string): void;
}

/** How long nothing may be heard before the page says so, in milliseconds. */
const patience = 3000;
/** Data are not fetched sooner after each other than this… */
const pace = 200;
/** …nor, while the page is paused, than this: they are kept, not shown. */
const pausedPace = 2000;
/** Showing them takes no more than one part of so many of the time. */
const rest = 3;

/** Fetches what a page that is served shows, again whenever the server says that
 * there is something new: never two at once, and not while nobody looks. */
export class Live {
  private source: EventSource | null = null;
  private stale = true;
  private busy = false;
  private ended = false;
  private paused = false;
  private held: Page | null = null;
  /** The version of the data that came last, which is their entity tag. */
  private version = "";
  /** When the next may be fetched, and the timers that wait for something. */
  private next = 0;
  private timer = 0;
  private lost = 0;

  constructor(private readonly shows: Shows) {}

  start() {
    document.addEventListener("visibilitychange", () => this.soon());
    this.connect();
    this.soon();
  }

  /** Keeps what is shown, or shows the newest from now on. */
  pause(yes: boolean) {
    this.paused = yes;
    this.next = 0;
    const held = this.held;
    this.held = null;
    if (!yes && held) this.shows.show(held);
    this.soon();
  }

  private connect() {
    const source = (this.source = new EventSource("events"));
    source.addEventListener("open", () => {
      if (this.lost !== 0) this.stale = true; // what was said meanwhile was not heard
      this.found();
      this.soon();
    });
    source.addEventListener("changed", (e: MessageEvent<string>) => {
      if (e.data === this.version) return;
      this.stale = true;
      this.soon();
    });
    source.addEventListener("bye", (e: MessageEvent<string>) => this.end(e.data));
    source.addEventListener("error", () => {
      this.lost ||= window.setTimeout(() => this.shows.notice("lost", ""), patience);
      // Browsers try again by themselves, but not after an answer that is no stream.
      if (source.readyState === EventSource.CLOSED && source === this.source) setTimeout(() => this.ended || this.connect(), patience);
    });
  }

  private found() {
    clearTimeout(this.lost);
    this.lost = 0;
    this.shows.notice("", "");
  }

  private end(line: string) {
    this.ended = true;
    this.source?.close();
    clearTimeout(this.lost);
    this.shows.notice("ended", line);
    this.next = 0;
    this.soon(); // what is new may just be there still
  }

  /** Fetches what is new as soon as it is time to. */
  private soon() {
    if (!this.stale || this.busy || (document.hidden && !this.ended)) return;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.take(), Math.max(0, this.next - performance.now()));
  }

  private async take() {
    if (this.busy || (document.hidden && !this.ended)) return;
    this.busy = true;
    this.stale = false;
    this.next = performance.now() + (this.paused ? pausedPace : pace);
    const answer = await ask();
    if (!answer) {
      this.stale = !this.ended;
      this.next = performance.now() + patience;
    } else {
      this.version = answer.version;
      const page = read(answer.text);
      if (!page) this.shows.notice("foreign", "");
      else if (this.paused) this.held = page;
      else await this.show(page);
    }
    this.busy = false;
    this.soon();
  }

  /** Shows a page, and leaves the browser time for its user. */
  private async show(page: Page) {
    const began = performance.now();
    this.shows.show(page);
    await painted();
    const now = performance.now();
    this.next = Math.max(this.next, now + Math.min(patience, rest * (now - began)));
  }
}

/** Returns the data that the server has now, or null if it does not answer. */
async function ask(): Promise<{ text: string; version: string } | null> {
  try {
    const answer = await fetch("data", { cache: "no-store", signal: AbortSignal.timeout(20_000) });
    const version = (answer.headers.get("ETag") ?? "").replace(/^W\/|"/g, "");
    return answer.status === 200 ? { text: await answer.text(), version } : null;
  } catch {
    return null;
  }
}

/** Waits for what was shown to be seen; in a tab that is hidden it is not. */
function painted(): Promise<void> {
  return new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 1000);
  });
}
