/* The map on its canvas: colors, pointer, keys, lasso. atlas_points.js, before this, does the sums. */
const $ = (selector) => element.querySelector(selector);
const canvas = $("canvas"), pen = canvas.getContext("2d"), area = $(".atlas-map"), card = $(".atlas-card");
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
/* Okabe and Ito's colors, which color-blind readers tell apart; gray for what is not in question. */
const GRAY = "#78838e", SET = ["#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#d55e00", "#f0e442", "#0072b2"];
const MARGIN = 22;
let points = null, nearest = null, group = null, ranked = null, colors = null;
let missed = [];        // rows of films whose last answer in Practice missed a finding
let image = null, pixels = null, frame = 0, here = -1, chosen = [], lasso = null, lassoing = false;
const view = { zoom: 1, x: 0.5, y: 0.5 };      // the place of the map in the middle of the canvas
const films = new Map();
const times = { frames: 0, total: 0, worst: 0 };      // of drawing, for tests

const side = () => Math.min(canvas.width, canvas.height) - 2 * MARGIN * ratio();
const ratio = () => Math.min(2, devicePixelRatio || 1);
const layout = () => {
  const scale = side() * view.zoom;
  return { scale, left: canvas.width / 2 - view.x * scale, top: canvas.height / 2 - view.y * scale };
};
const toMap = (px, py) => {
  const { scale, left, top } = layout();
  return [(px * ratio() - left) / scale, (py * ratio() - top) / scale];
};
const toScreen = (x, y) => {
  const { scale, left, top } = layout();
  return [(x * scale + left) / ratio(), (y * scale + top) / ratio()];
};

function draw() {
  frame = 0;
  if (!points || !canvas.width) return;
  const began = performance.now();
  if (!image || image.width !== canvas.width || image.height !== canvas.height) {
    image = pen.createImageData(canvas.width, canvas.height);
    pixels = new Uint32Array(image.data.buffer);
  }
  const many = points.count > 20000 ? 1 : points.count > 3000 ? 2 : 3;
  const radius = Math.round(clamp(many + Math.log2(view.zoom), 1, many === 1 ? 2 : 6) * ratio());
  paint(pixels, { ...layout(), width: canvas.width, height: canvas.height, radius }, points.x, points.y, ranked, group, colors);
  pen.putImageData(image, 0, 0);
  over();
  const took = performance.now() - began;
  Object.assign(times, { frames: times.frames + 1, total: times.total + took, worst: Math.max(times.worst, took) });
  element.dataset.frames = times.frames;
}
const redraw = () => { if (!frame) frame = requestAnimationFrame(draw); };
window.cxrAtlas = { times, view, redraw, selected: () => chosen, count: () => points?.count || 0 };

/* What lies over the points: the query, the learner's misses, the film in question, the lasso. */
function over() {
  $(".atlas-misses").childNodes.forEach((mark, place) => {
    mark.setAttribute("transform", `translate(${toScreen(points.x[missed[place]], points.y[missed[place]]).join(" ")})`);
  });
  const mark = document.querySelector("#atlas-query [data-x]"), query = $(".atlas-point");
  query.style.display = mark ? "" : "none";
  if (mark) query.setAttribute("transform", `translate(${toScreen(Number(mark.dataset.x), Number(mark.dataset.y)).join(" ")})`);
  const ring = $(".atlas-here");
  ring.style.display = here < 0 ? "none" : "";
  if (here >= 0) {
    const [x, y] = toScreen(points.x[here], points.y[here]);
    ring.setAttribute("cx", x);
    ring.setAttribute("cy", y);
    card.style.left = `${x < area.clientWidth / 2 ? Math.max(8, x + 14) : Math.max(8, x - 14 - card.offsetWidth)}px`;
    card.style.top = `${clamp(y - 60, 8, Math.max(8, area.clientHeight - card.offsetHeight - 8))}px`;
  }
  $(".atlas-over polygon").setAttribute("points", (lasso || []).map(([x, y]) => toScreen(x, y).join(",")).join(" "));
}

function packed(color) {      // as a pixel of little-endian memory has it: alpha, blue, green, red
  const value = parseInt(color.slice(1), 16);
  return ((255 << 24) | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

/* Which color each point has, and the legend that says so. */
function recolor() {
  const by = $("[data-control=color]").value, finding = $("[data-control=finding]").value;
  $("[data-for=finding]").hidden = by !== "finding";
  let names;
  group = new Uint8Array(points.count);
  if (by === "finding") {
    const bit = 1 << points.findings.indexOf(finding);
    names = [`not labelled ${finding}`, `possible ${finding}`, finding];
    for (let i = 0; i < group.length; i += 1) group[i] = points.present[i] & bit ? 2 : points.uncertain[i] & bit ? 1 : 0;
  } else {
    names = ["not known", ...points[{ sex: "sexes", view: "views", tier: "tiers" }[by]]];
    const values = points[by];
    for (let i = 0; i < group.length; i += 1) group[i] = values[i] === 255 ? 0 : values[i] + 1;
  }
  const shades = [GRAY, ...(by === "finding" ? [SET[1], SET[0]] : SET)];
  colors = Uint32Array.from(shades, packed);
  ranked = rankedBy(group, names.length);
  const counts = new Uint32Array(names.length);
  for (const one of group) counts[one] += 1;
  $(".atlas-legend").replaceChildren(...names.map((name, place) => {
    const item = document.createElement("li"), dot = document.createElement("i");
    dot.style.background = shades[place];
    item.append(dot, `${name} (${counts[place].toLocaleString("en")})`);
    item.hidden = !counts[place];
    return item;
  }).reverse());
  const mark = document.querySelector("#atlas-query [data-x]");
  if (mark) explain("query", `${mark.dataset.title}: amid the ten films nearest to it`);
  if (missed.length) explain("miss", `missed in Practice (${missed.length.toLocaleString("en")})`);
  redraw();
}
function explain(kind, words) {
  const item = document.createElement("li"), dot = document.createElement("i");
  dot.className = kind;
  item.append(dot, words);
  $(".atlas-legend").append(item);
}

/* The latest misses of the learner, as far as this gallery has the films. */
async function learn() {
  const ids = (window.cxrPractice?.misses() || []).slice(0, MOST);
  if (!points || (!ids.length && !missed.length)) return;
  const answer = ids.length ? await fetch("atlas/rows", { method: "POST", body: JSON.stringify(ids) }).catch(() => null) : null;
  if (ids.length && !answer?.ok) return;
  missed = answer ? await answer.json() : [];
  $(".atlas-misses").replaceChildren(...missed.map(() => {
    const mark = document.createElementNS("http://www.w3.org/2000/svg", "path");
    mark.setAttribute("d", "M-7 0 0-7 7 0 0 7z");
    return mark;
  }));
  recolor();
}

/* Thumbnail and words of a film, asked for when the pointer rests on it. */
let resting = 0, leaving = 0;
function point(row, speak = false) {
  clearTimeout(leaving);
  leaving = 0;
  if (row === here) return;
  here = row;
  card.hidden = true;
  clearTimeout(resting);
  redraw();
  if (row >= 0) resting = setTimeout(() => show(row, speak), films.has(row) ? 0 : 70);
}
/* The pointer may go from a point to its card: what it leaves stays for a moment. */
function leave() { leaving ||= setTimeout(() => { leaving = 0; point(-1); }, 300); }
card.addEventListener("pointerenter", () => { clearTimeout(leaving); leaving = 0; });
card.addEventListener("pointerleave", leave);
async function show(row, speak) {
  if (!films.has(row)) {
    const answer = await fetch(`atlas/film/${row}`).catch(() => null);
    if (!answer?.ok) return;
    films.set(row, await answer.json());
  }
  if (here !== row) return;
  const film = films.get(row);
  $(".atlas-card img").src = film.address;
  $(".atlas-card .badge").hidden = !film.synthetic;
  $(".atlas-summary").textContent = film.summary;
  $(".atlas-card .person").textContent = film.person;
  $(".atlas-card a").href = `#search?${film.place}`;
  const keep = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "Keep" });
  keep.dataset.keep = film.id;
  keep.ariaLabel = `Keep film ${film.id}`;
  $(".atlas-acts span").replaceChildren(keep);
  card.hidden = false;
  if (speak) document.getElementById("atlas-said").textContent = `${film.summary}; ${film.person}`;
  over();
}
async function open(row) {
  if (row < 0) return;
  if (!films.has(row)) await show(row, false);
  if (films.has(row)) location.hash = `#search?${films.get(row).place}`;
}

function zoomAt(factor, px = area.clientWidth / 2, py = area.clientHeight / 2) {
  const [x, y] = toMap(px, py), zoom = clamp(view.zoom * factor, 1, 60), part = view.zoom / zoom;
  Object.assign(view, { zoom, x: x + (view.x - x) * part, y: y + (view.y - y) * part });
  bound();
}
function bound() {
  const half = 0.5 / view.zoom;
  view.x = clamp(view.x, Math.min(0.5, half), Math.max(0.5, 1 - half));
  view.y = clamp(view.y, Math.min(0.5, half), Math.max(0.5, 1 - half));
  redraw();
}

const tools = {
  in: () => zoomAt(1.6),
  out: () => zoomAt(1 / 1.6),
  fit: () => { Object.assign(view, { zoom: 1, x: 0.5, y: 0.5 }); redraw(); },
  lasso: () => { lassoing = !lassoing; $("[data-tool=lasso]").setAttribute("aria-pressed", String(lassoing)); area.classList.toggle("lassoing", lassoing); },
  clear: () => select(null),
  async collect() {
    const rows = chosen.slice(0, MOST);
    const answer = await fetch("atlas/ids", { method: "POST", body: JSON.stringify(rows) });
    if (answer.ok) window.cxrTray.add(await answer.json(), "From the atlas");
  },
};
function select(polygon) {
  lasso = polygon;
  chosen = polygon && polygon.length > 2 ? inside(points.x, points.y, polygon) : [];
  $(".atlas-selection").hidden = !chosen.length;
  $("[data-show=selected]").textContent = `${chosen.length.toLocaleString("en")} film${chosen.length === 1 ? "" : "s"} inside the lasso.`;
  $("[data-tool=collect]").hidden = !window.cxrTray;
  $("[data-show=limit]").hidden = chosen.length <= MOST;
  if (!chosen.length) lasso = null;
  redraw();
}

element.addEventListener("click", (event) => tools[event.target.closest("[data-tool]")?.dataset.tool]?.());
element.addEventListener("change", (event) => { if (points && event.target.dataset.control) recolor(); });

/* Drag moves the map, or draws the lasso; two fingers zoom; a click opens, a first touch shows. */
const fingers = new Map();
let gap = 0, moved = 0;
const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
canvas.addEventListener("pointerdown", (event) => {
  if (!points) return;
  fingers.set(event.pointerId, at(event));
  moved = 0;
  canvas.setPointerCapture(event.pointerId);
  if (lassoing) { select(null); lasso = [toMap(...at(event))]; }
});
canvas.addEventListener("pointermove", (event) => {
  if (!points) return;
  const now = at(event), last = fingers.get(event.pointerId);
  if (!last) {
    const row = nearest(...toMap(...now), (10 * ratio()) / layout().scale);
    return row < 0 ? leave() : point(row);
  }
  moved += Math.hypot(now[0] - last[0], now[1] - last[1]);
  fingers.set(event.pointerId, now);
  if (lassoing) { lasso?.push(toMap(...now)); return over(); }
  if (fingers.size === 2) {
    const [a, b] = [...fingers.values()], apart = Math.hypot(a[0] - b[0], a[1] - b[1]);
    if (gap) zoomAt(apart / gap, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
    gap = apart;
  } else if (view.zoom > 1) {
    const { scale } = layout();
    view.x -= ((now[0] - last[0]) * ratio()) / scale;
    view.y -= ((now[1] - last[1]) * ratio()) / scale;
    bound();
  }
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, (event) => {
    if (!fingers.delete(event.pointerId)) return;
    gap = 0;
    if (lassoing) { tools.lasso(); return select(lasso); }
    if (end !== "pointerup" || moved > 5) return;
    const touch = event.pointerType !== "mouse";
    const row = nearest(...toMap(...at(event)), ((touch ? 22 : 10) * ratio()) / layout().scale);
    if (touch) point(row); else open(row);
  });
}
area.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse" && !fingers.size) leave(); });
/* The wheel scrolls the page until the map has the focus, so that the page cannot trap it. */
canvas.addEventListener("wheel", (event) => {
  if (!points || !(event.ctrlKey || document.activeElement === canvas)) return;
  event.preventDefault();
  zoomAt(event.deltaY < 0 ? 1.2 : 1 / 1.2, ...at(event));
}, { passive: false });
canvas.addEventListener("keydown", (event) => {
  if (!points || event.ctrlKey || event.metaKey || event.altKey) return;
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const keys = { "+": tools.in, "=": tools.in, "-": tools.out, 0: tools.fit, Escape: () => { point(-1); tools.clear(); }, Enter: () => open(here) };
  if (!ways[event.key] && !keys[event.key]) return;
  event.preventDefault();
  if (keys[event.key]) return keys[event.key]();
  point(step(...ways[event.key]), true);
});
/* The next film in a direction: near, and not far off the line. */
function step(dx, dy) {
  const [x, y] = here < 0 ? [view.x, view.y] : [points.x[here], points.y[here]];
  if (here < 0) return nearest(x, y, 1);
  let best = here, least = Infinity;
  for (let i = 0; i < points.count; i += 1) {
    const along = (points.x[i] - x) * dx + (points.y[i] - y) * dy;
    if (along <= 1e-6) continue;
    const across = Math.abs((points.x[i] - x) * dy) + Math.abs((points.y[i] - y) * dx);
    const cost = along + 2 * across;
    if (cost < least) { least = cost; best = i; }
  }
  return best;
}

function resize() {
  const box = area.getBoundingClientRect();
  if (!box.width) return;
  Object.assign(canvas, { width: Math.round(box.width * ratio()), height: Math.round(box.height * ratio()) });
  redraw();
}
new ResizeObserver(resize).observe(area);

/* Points come once; the query, each time that the map comes into sight. */
const said = (text) => { $(".stage-note").textContent = text; };
async function load() {
  const answer = await fetch("atlas/points").catch(() => null);
  if (!answer?.ok) return said(answer ? await answer.text() : "The map could not be fetched; open the tab again.");
  points = unpack(await answer.arrayBuffer());
  nearest = grid(points.x, points.y);
  const counts = points.findings.map((_, bit) => points.present.reduce((sum, mask) => sum + ((mask >> bit) & 1), 0));
  const most = counts.indexOf(Math.max(...counts.slice(1)), 1);
  for (const option of $("[data-control=finding]").options) {
    const count = counts[points.findings.indexOf(option.value)];
    option.textContent = `${option.value} (${count.toLocaleString("en")})`;
  }
  $("[data-control=finding]").value = points.findings[most];
  said("");
  recolor();
  element.dataset.drawn = points.count;
  learn();
}
addEventListener(window.cxrPractice?.CHANGED || "cxr-practice", () => { if (element.getClientRects().length) learn(); });
new IntersectionObserver((seen) => {
  if (!seen.some((one) => one.isIntersecting)) return;
  if (points) learn(); else load();
  trigger("locate");
}).observe(area);
new MutationObserver(() => { if (points) recolor(); }).observe(document.getElementById("atlas-query") || element, { childList: true, subtree: true });
