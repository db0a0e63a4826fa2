// SPDX-License-Identifier: BSD-3-Clause

import { App } from "./app.ts";
import { embedded } from "./data.ts";
import { read, Store } from "./state.ts";

const app = new App(embedded(), new Store(read(location.hash)));
document.body.append(...app.parts);
app.start();
