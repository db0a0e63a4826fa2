// SPDX-License-Identifier: BSD-3-Clause

import { button, h } from "./dom.ts";
import type { Model } from "./model.ts";
import { count } from "./text.ts";

/** How often those who listen to the page are told how far it is. */
const every = 10_000;

/** Says that the measurement goes on, and lets the user pause the picture. */
export class Progress {
  readonly root = h("div", { class: "progress", hidden: true });
  private readonly what = h("span", {}, "measuring…");
  private readonly told = h("span", { class: "unseen" });
  private readonly pause: HTMLButtonElement;
  private paused = false;
  private measuring = false;
  private last = 0;

  constructor(private readonly act: (yes: boolean) => void) {
    this.pause = button("Pause", { title: "l: keep the picture as it is while the measurement goes on" }, () => this.toggle());
    this.root.append(h("span", { class: "dot", "aria-hidden": "true" }), h("span", { role: "status" }, this.what, this.told), this.pause);
  }

  /** Pauses the picture, or has it go on. */
  toggle() {
    if (this.root.hidden) return;
    this.paused = !this.paused;
    this.show();
    this.act(this.paused);
  }

  update(m: Model) {
    this.measuring = m.page.heading.measuring === true;
    this.show();
    const now = performance.now();
    if (!this.measuring || now - this.last < every) return;
    this.last = now;
    this.told.textContent = ` ${count(m.page.paths.length, "path")}, ${count(m.page.heading.packets, "packet")} so far`;
  }

  /** The program has ended, and the measurement with it. */
  end() {
    this.measuring = false;
    this.show();
  }

  private show() {
    this.root.hidden = !this.measuring && !this.paused;
    this.root.classList.toggle("paused", this.paused);
    const what = this.paused ? "paused" : "measuring…";
    if (this.what.textContent !== what) this.what.textContent = what;
    this.pause.textContent = this.paused ? "Go on" : "Pause";
  }
}
