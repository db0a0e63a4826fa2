// SPDX-License-Identifier: BSD-3-Clause

import { h } from "./dom.ts";
import type { Notice } from "./live.ts";

const texts: Record<Notice, string> = {
  "": "",
  lost: "No connection to traceflow; trying again. Everything here goes on working with what has come.",
  ended: "The program that served this page has ended. What you see is what it had measured; export it to keep it.",
  foreign: "The traceflow that serves this page is of another version: load the page again.",
};

/** What is to be known of the program that serves the page. */
export class Banner {
  readonly root = h("p", { class: "banner", role: "status", hidden: true });

  say(what: Notice, line: string) {
    this.root.textContent = what === "ended" && line ? `${line} Export what is here to keep it.` : texts[what];
    this.root.hidden = what === "";
  }
}
