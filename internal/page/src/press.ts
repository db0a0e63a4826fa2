// SPDX-License-Identifier: BSD-3-Clause

/** The longest that something waits for a finger or a button of the mouse. */
const most = 2000;

/** Knows whether the user holds something: a click that began on one element and
 * ended on another would do nothing. */
export class Press {
  private since = 0;
  private waiting: (() => void) | null = null;
  private timer = 0;

  constructor() {
    window.addEventListener("pointerdown", () => (this.since = performance.now()), true);
    // What a click does comes after its pointerup.
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, () => setTimeout(() => this.release()), true);
  }

  /** Does something now, or when nothing is held; what came last wins. */
  free(act: () => void) {
    const held = this.since === 0 ? 0 : most - (performance.now() - this.since);
    this.waiting = act;
    if (held <= 0) {
      this.release();
      return;
    }
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.release(), held);
  }

  private release() {
    this.since = 0;
    clearTimeout(this.timer);
    const act = this.waiting;
    this.waiting = null;
    act?.();
  }
}
