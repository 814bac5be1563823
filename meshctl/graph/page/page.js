"use strict";
(() => {
const SVG = "http://www.w3.org/2000/svg";
const known = JSON.parse(document.getElementById("data").textContent);
const { clusters, pairs, marks, mesh } = known;
const map = document.getElementById("map"), lines = document.getElementById("lines");
const panel = document.getElementById("panel"), matrix = document.getElementById("matrix");
const tiles = [...map.querySelectorAll(".tile")];
const few = map.classList.contains("few");
const byPair = new Map(pairs.map(pair => [`${pair.from} ${pair.to}`, pair]));
const LAYER = { discovery: "discovery", config: "discovery", control: "control", direct: "requests", sidecar: "requests", ambient: "requests" };
const LINE = { discovery: "discovery", control: "control", requests: "sidecar" };
const WORST = ["missing", "unknown", "differs", "delete", "replace", "extra", "update", "create", "there"];
let chosen = null;

// Elements are made and text is set, never markup: a name is a name, whatever is in it.
function make(tag, attributes = {}, ...children) {
  const item = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) item.setAttribute(name, value);
  item.append(...children.filter(child => child !== null && child !== ""));
  return item;
}
function draw(tag, attributes = {}, ...children) {
  const item = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) item.setAttribute(name, value);
  item.append(...children);
  return item;
}
const name = number => clusters[number].name;
const layers = pair => new Set(pair ? pair.links.map(link => LAYER[link[0]]) : []);
const shown = () => new Set([...document.querySelectorAll("#layers input:checked")].map(box => box.value));
const worst = states => WORST.find(state => states.includes(state)) || "";

// ---- the panel

function linkText(pair, link) {
  const from = name(pair.from), to = name(pair.to), [kind, what, ports] = link;
  if (kind === "discovery" && !what) return `The istiod of ${from} reads services and endpoints of ${to}, with a kubeconfig that is mounted.`;
  if (kind === "discovery") return `The istiod of ${from} reads services and endpoints of ${to}, with the Secret ${what}.`;
  if (kind === "config") return `The istiod of ${from} reads its configuration in ${to}, with the Secret ${what}.`;
  if (kind === "control") return `${from} is served by the istiod of ${to}, through its ${what} gateway, ports ${ports}.`;
  if (kind === "direct") return `Workloads of ${from} call pods of ${to} directly: they are in one network.`;
  const door = kind === "ambient" ? "ambient" : "east-west";
  const doors = clusters.filter(one => one.network === clusters[pair.to].network && one.gateways.includes(door));
  return `Workloads of ${from} call those of ${to} through the ${door} gateway${doors.length > 1 ? "s" : ""} of ` +
    `${doors.map(one => one.name).join(", ")}, port ${what}.`;
}
function said(state, note) {
  if (!state && !note) return "";
  const [mark, words] = marks[state] || ["", ""];
  return make("p", { class: "said" }, mark ? make("span", { class: "mark", "data-state": state, "aria-hidden": "true" }, mark) : "",
    [words, note].filter(Boolean).join(": "));
}
function findings(part) {
  if (!part.findings) return [];
  return [make("h3", {}, "Findings"), make("ul", {}, ...part.findings.map(one => make("li", {},
    make("span", { class: `code ${one.severity}` }, `${one.code} ${one.severity}`), make("small", {}, one.place),
    make("div", {}, one.reason), make("small", {}, `Fix: ${one.fix}`), make("small", {}, one.page))))];
}
function things(part, title = "Resources") {
  if (!part.things) return [];
  return [make("h3", {}, `${title} (${part.things.length})`), make("ul", {}, ...part.things.map(one => make("li", {},
    one.state ? make("span", { class: "mark", "data-state": one.state, title: marks[one.state][1] }, marks[one.state][0]) : "",
    one.state ? " " : "", one.name, make("small", {}, [one.type, one.what].filter(Boolean).join(": ")),
    one.fields ? make("div", { class: "fields" }, one.fields.join("\n")) : "")))];
}
function facts(rows) {
  return make("dl", {}, ...rows.flatMap(([key, value]) => [make("dt", {}, key), make("dd", {}, value)]));
}
function jump(text, go) {
  const button = make("button", { type: "button", class: "link" }, text);
  button.addEventListener("click", go);
  return button;
}
function fill(title, ...content) {
  panel.replaceChildren(make("h2", { id: "panel-title" }, title), ...content.flat().filter(Boolean));
  panel.scrollTop = 0;
}
function showMesh() {
  fill(mesh.name, facts(mesh.facts), ...findings(mesh), ...things(mesh, "Resources of no single cluster"));
}
function showCluster(number) {
  const one = clusters[number];
  const mine = pairs.filter(pair => pair.from === number || pair.to === number);
  fill(one.name, said(one.state, one.note), one.facts.length ? facts(one.facts) : "", ...findings(one), ...things(one),
    mine.length ? make("h3", {}, `Pairs (${mine.length})`) : "",
    make("ul", {}, ...mine.map(pair => make("li", {}, ...[pair.state, pair.control].filter(Boolean).flatMap(state =>
      [make("span", { class: "mark", "data-state": state, title: marks[state][1] }, marks[state][0]), " "]),
      jump(`${name(pair.from)} → ${name(pair.to)}`, () => choose({ pair: [pair.from, pair.to] })),
      make("small", {}, [...layers(pair)].join(", "))))));
}
function showPair(from, to, both) {
  const directions = [[from, to], ...(both ? [[to, from]] : [])].map(([a, b]) => byPair.get(`${a} ${b}`)).filter(Boolean);
  const title = `${name(from)} ${both && directions.length > 1 ? "↔" : "→"} ${name(to)}`;
  fill(title, ...directions.flatMap(pair => [directions.length > 1 ? make("h3", {}, `${name(pair.from)} → ${name(pair.to)}`) : "",
    said(pair.state, pair.note), make("ul", {}, ...pair.links.map(link => make("li", {}, linkText(pair, link), link[0] === "control" ? said(pair.control) : ""))),
    ...findings(pair), ...things(pair)]),
    directions.length ? "" : make("p", {}, "Neither reads, serves nor calls the other."),
    make("h3", {}, "Clusters"), make("ul", {}, ...[from, to].map(number => make("li", {}, jump(name(number), () => choose({ cluster: number }))))));
}

// ---- choosing

function choose(what, quiet) {
  chosen = what;
  const number = what ? what.cluster : undefined, pair = what ? what.pair : undefined;
  const one = number === undefined ? "" : name(number);
  const ends = new Set(pair || []);
  map.classList.toggle("chose", Boolean(what));
  tiles.forEach((tile, at) => {
    const out = number !== undefined && number !== at && layers(byPair.get(`${number} ${at}`)).has("discovery");
    const back = number !== undefined && number !== at && layers(byPair.get(`${at} ${number}`)).has("discovery");
    const near = ends.has(at) || (number !== undefined && (byPair.has(`${number} ${at}`) || byPair.has(`${at} ${number}`)));
    tile.classList.toggle("chosen", number === at);
    tile.classList.toggle("near", Boolean(near));
    tile.setAttribute("aria-pressed", String(number === at));
    const sign = out && back ? "⇄" : out ? "←" : back ? "→" : "";
    const peer = tile.querySelector(".peer");
    peer.textContent = few ? "" : sign;
    peer.title = { "⇄": "each reads the other", "←": `read by ${one}`, "→": `reads ${one}`, "": "" }[sign];
  });
  lines.querySelectorAll(".edge").forEach(edge => {
    const [a, b] = edge.dataset.pair.split(" ").map(Number);
    edge.classList.toggle("chosen", Boolean(pair) && ((a === pair[0] && b === pair[1]) || (a === pair[1] && b === pair[0])));
    edge.classList.toggle("near", a === number || b === number);
  });
  if (matrix) mark(number, pair);
  if (pair) showPair(pair[0], pair[1], what.both);
  else if (number !== undefined) showCluster(number);
  else showMesh();
  if (!quiet) history.replaceState(null, "", hash(what));
}
function hash(what) {
  if (!what) return location.pathname + location.search;
  if (what.pair) return `#pair/${what.pair.map(one => encodeURIComponent(name(one))).join("/")}`;
  return `#cluster/${encodeURIComponent(name(what.cluster))}`;
}
function fromHash() {
  const [kind, ...names] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const numbers = names.map(one => clusters.findIndex(cluster => cluster.name === one));
  if (numbers.includes(-1) || !numbers.length) return null;
  return kind === "pair" && numbers.length === 2 ? { pair: numbers } : kind === "cluster" ? { cluster: numbers[0] } : null;
}

// ---- lines between few clusters: one for each pair and layer, with a head at each end that is reached

function box(tile) {
  const outer = map.getBoundingClientRect(), inner = tile.getBoundingClientRect();
  return { x: inner.left - outer.left, y: inner.top - outer.top, w: inner.width, h: inner.height };
}
function rim(from, to, shift) {
  // Where the straight line from the middle of a tile, moved aside, leaves it.
  const x = from.x + from.w / 2 + shift.x, y = from.y + from.h / 2 + shift.y;
  const dx = to.x + to.w / 2 + shift.x - x, dy = to.y + to.h / 2 + shift.y - y;
  const across = dx ? (dx > 0 ? from.x + from.w - x : from.x - x) / dx : Infinity;
  const along = dy ? (dy > 0 ? from.y + from.h - y : from.y - y) / dy : Infinity;
  const part = Math.min(across, along);
  return { x: x + dx * part, y: y + dy * part };
}
function route(a, b, slot, slots) {
  const offset = (slot - (slots - 1) / 2) * 13;
  if (Math.abs(a.x - b.x) < 40) { // one above the other: round the side, further out the further apart
    const out = a.x + a.w, from = { x: out, y: a.y + a.h / 2 + offset }, to = { x: out, y: b.y + b.h / 2 + offset };
    const gap = Math.abs(from.y - to.y), bulge = 14 + gap * .16 + (slot + 1) * 7;
    return { from, to, c1: { x: out + bulge, y: from.y }, c2: { x: out + bulge, y: to.y } };
  }
  const dx = b.x - a.x, dy = b.y - a.y, length = Math.hypot(dx, dy) || 1;
  const shift = { x: -dy / length * offset, y: dx / length * offset };
  const from = rim(a, b, shift), to = rim(b, a, shift);
  return { from, to, c1: { x: from.x + (to.x - from.x) / 3, y: from.y + (to.y - from.y) / 3 },
    c2: { x: from.x + (to.x - from.x) * 2 / 3, y: from.y + (to.y - from.y) * 2 / 3 } };
}
function head(tip, back, kind) {
  const dx = tip.x - back.x, dy = tip.y - back.y, length = Math.hypot(dx, dy) || 1, ux = dx / length, uy = dy / length;
  const base = { x: tip.x - ux * 9, y: tip.y - uy * 9 };
  return draw("path", { class: `head ${kind}`, d: `M${tip.x} ${tip.y}L${base.x - uy * 4.5} ${base.y + ux * 4.5}L${base.x + uy * 4.5} ${base.y - ux * 4.5}z` });
}
function edge(a, b, layer, slot, slots) {
  const there = byPair.get(`${a} ${b}`), back = byPair.get(`${b} ${a}`);
  const forth = layers(there).has(layer), returns = layers(back).has(layer);
  const way = route(box(tiles[a]), box(tiles[b]), slot, slots);
  const d = `M${way.from.x} ${way.from.y}C${way.c1.x} ${way.c1.y} ${way.c2.x} ${way.c2.y} ${way.to.x} ${way.to.y}`;
  const links = [...(there ? there.links : []), ...(back ? back.links : [])].filter(link => LAYER[link[0]] === layer);
  const style = layer === "requests" ? links[0][0] : LINE[layer];
  const key = { discovery: "state", control: "control" }[layer], state = worst([there, back].map(pair => pair && key && pair[key]).filter(Boolean));
  const words = `${layer}: ${name(a)} ${forth && returns ? "and" : forth ? "to" : "from"} ${name(b)}${state ? `, ${marks[state][1]}` : ""}`;
  const group = draw("g", { class: "edge", role: "button", tabindex: "-1", "data-pair": `${a} ${b}`, "data-layer": layer, "data-state": state, "aria-label": words },
    draw("title", {}, words), draw("path", { class: "hit", d }), draw("path", { class: `line ${style}`, d }));
  group.append(...(forth ? [head(way.to, way.c2, layer)] : []), ...(returns ? [head(way.from, way.c1, layer)] : []));
  if (state && state !== "there") {
    const shares = layer === "control" ? [27, 27, 9, 1] : [8, 24, 24, 8]; // a quarter of the way, or half of it
    const [x, y] = ["x", "y"].map(axis => [way.from, way.c1, way.c2, way.to].reduce((sum, point, at) => sum + point[axis] * shares[at] / 64, 0));
    group.append(draw("g", { class: "badge" }, draw("circle", { cx: x, cy: y, r: 9 }), draw("text", { x, y: y + 4.5 }, marks[state][0])));
  }
  const pair = forth ? [a, b] : [b, a];
  group.addEventListener("click", () => { focusOn(group); choose({ pair, both: forth && returns }); });
  return group;
}
function drawLines() {
  if (!few) return;
  const layersShown = shown();
  lines.replaceChildren();
  for (let a = 0; a < clusters.length; a++) for (let b = a + 1; b < clusters.length; b++) {
    const mine = ["discovery", "control", "requests"].filter(layer => layersShown.has(layer) &&
      (layers(byPair.get(`${a} ${b}`)).has(layer) || layers(byPair.get(`${b} ${a}`)).has(layer)));
    mine.forEach((layer, slot) => lines.append(edge(a, b, layer, slot, mine.length)));
  }
  choose(chosen, true);
}

// ---- the matrix of many

function buildMatrix() {
  matrix.classList.toggle("dense", clusters.length > 40);
  const first = at => at > 0 && clusters[at].network !== clusters[at - 1].network ? "first" : "";
  const heads = clusters.map(one => make("th", { scope: "col" }, make("span", { title: one.name }, one.name)));
  const rows = clusters.map((one, a) => make("tr", { role: "row", class: first(a) }, make("th", { scope: "row", role: "rowheader", title: one.name }, one.name),
    ...clusters.map((other, b) => {
      if (a === b) return make("td", { class: `self ${first(b)}`, role: "gridcell", "aria-label": "itself" });
      const pair = byPair.get(`${a} ${b}`), has = layers(pair);
      const kind = has.has("discovery") ? "discovery" : has.has("control") ? "control" : "";
      const state = (pair && (pair.state || pair.control)) || "", sign = state ? marks[state][0] : kind === "discovery" ? "●" : kind === "control" ? "▲" : "";
      const words = { discovery: "reads", control: "is served by", "": "does not read" }[kind];
      return make("td", { class: `${kind} ${first(b)}`, role: "gridcell", tabindex: "-1", "data-at": `${a} ${b}`, "data-state": state,
        "aria-label": `${one.name} ${words} ${other.name}${state ? `, ${marks[state][1]}` : ""}` }, sign);
    })));
  const table = make("table", { role: "grid", "aria-labelledby": "matrix-title", "aria-describedby": "matrix-keys" },
    make("thead", {}, make("tr", { role: "row" }, make("td"), ...heads)), make("tbody", {}, ...rows));
  matrix.replaceChildren(table);
  const start = matrix.querySelector("[data-at]");
  if (start) start.tabIndex = 0;
  const pick = cell => cell.dataset.at && choose({ pair: cell.dataset.at.split(" ").map(Number) });
  table.addEventListener("click", event => { const cell = event.target.closest("td"); if (cell && cell.dataset.at) { move(cell); pick(cell); } });
  table.addEventListener("keydown", event => {
    if (!event.target.dataset.at) return;
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pick(event.target); return; }
    let [a, b] = event.target.dataset.at.split(" ").map(Number);
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    do { a += step[0]; b += step[1]; } while (a === b);
    const next = matrix.querySelector(`[data-at="${a} ${b}"]`);
    if (next) { move(next); next.focus(); }
  });
}
function move(cell) {
  matrix.querySelectorAll("[tabindex='0']").forEach(other => { other.tabIndex = -1; });
  cell.tabIndex = 0;
}
function mark(number, pair) {
  matrix.querySelectorAll(".chosen, .cross").forEach(cell => cell.classList.remove("chosen", "cross"));
  const at = pair && matrix.querySelector(`[data-at="${pair[0]} ${pair[1]}"]`);
  if (at) at.classList.add("chosen");
  if (number === undefined) return;
  const row = matrix.querySelectorAll("tbody th")[number], column = matrix.querySelectorAll("thead th")[number];
  for (const head of [row, column]) if (head) head.classList.add("cross");
}

// ---- keys, search, start

function focusOn(item) {
  map.querySelectorAll("[tabindex='0']").forEach(other => other.setAttribute("tabindex", "-1"));
  item.setAttribute("tabindex", "0");
}
map.addEventListener("keydown", event => {
  const items = [...tiles, ...lines.querySelectorAll(".edge")], at = items.indexOf(event.target);
  if (event.key === "Escape") { choose(null); return; }
  if (at < 0) return;
  if (event.target.matches(".edge") && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    event.target.dispatchEvent(new Event("click"));
    return;
  }
  const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to === undefined || !items[to]) return;
  event.preventDefault();
  focusOn(items[to]);
  items[to].focus();
});
tiles.forEach((tile, at) => tile.addEventListener("click", () => { focusOn(tile); choose({ cluster: at }); }));
map.querySelector("[data-mesh]").addEventListener("click", () => choose(null));
document.getElementById("find").addEventListener("input", event => {
  const wanted = event.target.value.trim().toLowerCase();
  tiles.forEach((tile, at) => tile.classList.toggle("missed", Boolean(wanted) && !name(at).toLowerCase().includes(wanted)));
});
document.getElementById("find").addEventListener("keydown", event => {
  const first = tiles.find(tile => !tile.classList.contains("missed"));
  if (event.key === "Enter" && first) { focusOn(first); first.focus(); first.click(); }
});
document.getElementById("layers").addEventListener("change", drawLines);
document.getElementById("layers").hidden = !few;
if (tiles.length) tiles[0].tabIndex = 0;
if (matrix) buildMatrix();
addEventListener("hashchange", () => choose(fromHash(), true));
new ResizeObserver(drawLines).observe(map);
chosen = fromHash();
drawLines();
choose(chosen, true);
document.body.dataset.ready = "yes";
})();
