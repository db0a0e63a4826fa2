// SPDX-License-Identifier: BSD-3-Clause

/** The longest that something waits for the user's hand, in milliseconds, and how
 * long a hand that turns a wheel or presses a key is thought to go on. */
const most = 2000;
const rest = 300;

/** Knows whether the user's hand does something: a click that began on one element
 * and ended on another would do nothing, and a drawing that is moved would halt. */
export class Press {
  private held = false;
  private turned = -rest;
  private since = 0;
  private waiting: (() => void) | null = null;
  private timer = 0;

  constructor() {
    window.addEventListener("pointerdown", () => (this.held = true), true);
    // What a click does comes after its pointerup.
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, () => setTimeout(() => this.release()), true);
    for (const name of ["wheel", "keydown"]) window.addEventListener(name, () => (this.turned = performance.now()), { capture: true, passive: true });
  }

  /** Does something now, or when the hand rests; what came last wins. */
  free(act: () => void) {
    if (!this.waiting) this.since = performance.now();
    this.waiting = act;
    this.attempt();
  }

  private release() {
    this.held = false;
    this.attempt();
  }

  private attempt() {
    clearTimeout(this.timer);
    const now = performance.now();
    const waits = Math.min(this.since + most - now, this.held ? most : this.turned + rest - now);
    if (this.waiting && waits > 0) {
      this.timer = window.setTimeout(() => this.attempt(), waits);
      return;
    }
    const act = this.waiting;
    this.waiting = null;
    act?.();
  }
}
