// SPDX-License-Identifier: BSD-3-Clause

package render

// svgStyle has the colours: one hue for delay, darker or, on dark ground, lighter
// for more, so that it is read without telling hues apart; red for loss and
// nothing else. Grounds are tints of the palette of Okabe and Ito ("Color
// Universal Design", 2008). Colours are written out, not as variables, for
// viewers that are no browsers.
const svgStyle = `
.tf{font-family:system-ui,sans-serif;font-size:11px}
.tf .page{fill:#fff}
.tf text{fill:#1b2733}
.tf .title{font-size:17px;font-weight:600}
.tf .head{font-size:12px;fill:#4a5866}
.tf .ruler path{stroke:#1b2733;stroke-opacity:.07}
.tf .ruler text{font-size:11px;font-weight:600;text-anchor:middle;fill:#6b7885}
.tf .band rect{shape-rendering:crispEdges}
.tf .band text{font-weight:600;fill:#3c4a57}
.tf .unknown rect{fill:#f1f3f5}
.tf .unknown text{font-weight:400;fill:#5f6b77}
.tf .as0 rect{fill:#e3f1fb}
.tf .as1 rect{fill:#fdf1d8}
.tf .as2 rect{fill:#dff3ec}
.tf .as3 rect{fill:#f8e6f0}
.tf .as4 rect{fill:#fbfad9}
.tf .as5 rect{fill:#e4e6f5}
.tf .links path{fill:none;stroke-linecap:round}
.tf .na{stroke:#a5afb9}
.tf .d0{stroke:#a9bccd}
.tf .d1{stroke:#74aedb}
.tf .d2{stroke:#2f80bf}
.tf .d3{stroke:#175591}
.tf .d4{stroke:#0a2a55}
.tf .links .inferred{stroke-dasharray:7 5;stroke-linecap:butt}
.tf .links .lossy{stroke:#c8200a}
.tf .links .gone{stroke:#c8200a;stroke-dasharray:2 4}
.tf .links .new{stroke:#007d5a}
.tf .s{fill:#1b2733;stroke:#1b2733;stroke-width:2.2}
.tf circle.s,.tf .exchange .s{fill:#fff}
.tf .silent .s{stroke:#7d8995;stroke-width:1.8}
.tf .unreached .s{fill:none;stroke-width:1.6;stroke-dasharray:3 2.5}
.tf .bar .s{fill:#fff;stroke-width:1.6}
.tf .nodes .gone .s{stroke:#c8200a;stroke-dasharray:2 2.4}
.tf .nodes .new .s{stroke:#007d5a}
.tf .nodes .gone rect.s{fill:none}
.tf .gone .label{text-decoration:line-through}
.tf .group .s{fill:#fff}
.tf .nobody .s{stroke:#7d8995;stroke-dasharray:4 3}
.tf .rods{stroke:#2f80bf}
.tf .rods.silent{stroke:#a5afb9}
.tf .label{text-anchor:middle;font-weight:600}
.tf .address{font-weight:500}
.tf .label.more{font-weight:400;fill:#54616e}
.tf .silent .label{font-weight:400;fill:#6b7885}
.tf .delay{text-anchor:middle;font-weight:700;paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}
.tf .delay.loss{fill:#b01c08}
.tf .sign{font-size:15px;font-weight:700}
.tf .sign.gone,.tf .nodes .gone .sign{fill:#b01c08}
.tf .sign.new,.tf .nodes .new .sign{fill:#00694b}
.tf .pipe path{fill:none;stroke:#f3e3c3;stroke-width:17;stroke-linecap:round;stroke-linejoin:round}
.tf .pipe .wall{stroke:#b98a2c;stroke-width:19.4}
.tf .pipe text{font-size:10px;fill:#7a5a14}
.tf .nat path{fill:none;stroke:#8a2d6b;stroke-width:2.4}
.tf .nat.maybe path{stroke-dasharray:6 4}
.tf .nat rect{fill:#8a2d6b}
.tf .nat text{fill:#fff;font-size:10px;font-weight:700;text-anchor:middle}
.tf .tag rect{fill:#fff;stroke:#1b2733;stroke-width:1.6}
.tf .tag.maybe rect{stroke-dasharray:3 2.5}
.tf .tag text{font-size:10px;font-weight:700;text-anchor:middle}
.tf .tag.gone rect{stroke:#c8200a;stroke-dasharray:2 2.4}
.tf .tag.new rect{stroke:#007d5a}
.tf .stub path{fill:none;stroke:#54616e;stroke-width:1.8}
.tf .stub text,.tf .legend text{fill:#54616e}
@media (prefers-color-scheme:dark){
.tf .page{fill:#12181f}
.tf text{fill:#e6edf3}
.tf .head,.tf .stub text,.tf .legend text,.tf .label.more,.tf .silent .label{fill:#a3b1bf}
.tf .ruler path{stroke:#fff}
.tf .ruler text{fill:#8b99a7}
.tf .band text{fill:#c3ced9}
.tf .unknown rect{fill:#1b222a}
.tf .unknown text{fill:#93a0ad}
.tf .as0 rect{fill:#13293a}
.tf .as1 rect{fill:#30270f}
.tf .as2 rect{fill:#102c24}
.tf .as3 rect{fill:#311d2a}
.tf .as4 rect{fill:#2b2a12}
.tf .as5 rect{fill:#1f2240}
.tf .na{stroke:#56626e}
.tf .d0{stroke:#4d6073}
.tf .d1{stroke:#4681b0}
.tf .d2{stroke:#56a8e4}
.tf .d3{stroke:#9fd2f7}
.tf .d4{stroke:#e9f6ff}
.tf .links .lossy,.tf .links .gone{stroke:#ff6a52}
.tf .links .new{stroke:#3ddbaa}
.tf .s{fill:#e6edf3;stroke:#e6edf3}
.tf .nodes .gone .s{stroke:#ff6a52}
.tf .nodes .new .s{stroke:#3ddbaa}
.tf circle.s,.tf .exchange .s,.tf .bar .s,.tf .group .s{fill:#12181f}
.tf .nobody .s{stroke:#8b99a7}
.tf .silent .s{stroke:#8b99a7}
.tf .rods{stroke:#56a8e4}
.tf .rods.silent{stroke:#56626e}
.tf .delay{stroke:#12181f}
.tf .delay.loss,.tf .sign.gone,.tf .nodes .gone .sign{fill:#ff8a76}
.tf .sign.new,.tf .nodes .new .sign{fill:#3ddbaa}
.tf .pipe path{stroke:#3a2f16}
.tf .pipe .wall{stroke:#a77d2a}
.tf .pipe text{fill:#d6ad5c}
.tf .nat path{stroke:#e39ac6}
.tf .nat rect{fill:#e39ac6}
.tf .nat text{fill:#12181f}
.tf .tag rect{fill:#12181f;stroke:#e6edf3}
.tf .tag.gone rect{stroke:#ff6a52}
.tf .tag.new rect{stroke:#3ddbaa}
.tf .stub path{stroke:#a3b1bf}
}
`
