// SPDX-License-Identifier: BSD-3-Clause

import { App } from "./app.ts";
import { embedded } from "./data.ts";
import { read, Store } from "./state.ts";
import { stretch } from "./stretch.ts";

const page = embedded();
// A telephone shows as much of the drawing as can be told apart, others all of it.
const d = page.drawing;
const times = innerWidth <= 820 ? stretch(d, Math.max(innerWidth, 0.2 * d.width), 0.55 * innerHeight) : stretch(d, innerWidth - 600, innerHeight - 230);
const app = new App(page, new Store(read(location.hash)), times);
document.body.append(...app.parts);
app.start();
