// SPDX-License-Identifier: BSD-3-Clause

import { App } from "./app.ts";
import { Banner } from "./banner.ts";
import { embedded, type Page } from "./data.ts";
import { h } from "./dom.ts";
import { Live } from "./live.ts";
import { Progress } from "./progress.ts";
import { read, Store } from "./state.ts";

/** Shows the data that stand in the file. */
function open(page: Page) {
  const app = new App(page, new Store(read(location.hash)), null);
  document.body.append(...app.parts);
  app.start();
}

/** Waits for the data of a server, and shows them as they grow. */
function serve() {
  const banner = new Banner();
  const waiting = h("main", { class: "waiting" }, banner.root, h("p", { role: "status" }, "Waiting for what traceflow measures…"));
  document.body.append(waiting);
  let app: App | null = null;
  const live = new Live({
    show: (page) => {
      if (app) app.take(page);
      else {
        app = new App(page, new Store(read(location.hash)), { banner: banner.root, progress });
        waiting.replaceWith(...app.parts);
        app.start();
      }
    },
    notice: (what, line) => {
      banner.say(what, line);
      if (what === "ended") progress.end();
    },
  });
  const progress = new Progress((yes) => live.pause(yes));
  live.start();
}

const page = embedded();
if (page) open(page);
else if (!document.getElementById("data")) serve();
else document.body.append(h("p", { class: "waiting", role: "alert" }, "This file holds nothing that this page can show."));
