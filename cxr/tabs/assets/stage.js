/* Films on stages: window, level, zoom and the heat map's opacity, the same on every stage of a
   component, so that two films can be compared. What is concatenated after this calls hang() when
   the server has sent other HTML; `element`, `trigger` and `watch` come from gr.HTML. */
const $ = (selector) => element.querySelector(selector);
const stages = () => [...element.querySelectorAll(".stage")];
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const FULL = { window: 255, level: 127.5 };
let view = null;      // what all stages share: window, level, zoom, x, y, invert, heat
let films = [];      // one a stage: address, greys, marks
let frame = 0;
let noticed = () => {};      // told of the view whenever it changes

/* Grey level in the file -> on screen, as cxr.overlays.window_level has it. */
function table({ window, level, invert }) {
  return Uint8ClampedArray.from({ length: 256 }, (_, grey) => {
    const shown = Math.floor(clamp((grey - (level - window / 2)) * (255 / window), 0, 255) + 0.5);
    return invert ? 255 - shown : shown;
  });
}

function draw() {
  frame = 0;
  if (!view) return;
  const shown = table(view);
  stages().forEach((stage, place) => {
    const canvas = stage.querySelector("canvas"), greys = films[place]?.greys;
    if (!greys || !canvas) return;
    const { width, height, data } = greys;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const out = new ImageData(width, height);
    for (let i = 0; i < data.length; i += 4) {
      out.data[i] = out.data[i + 1] = out.data[i + 2] = shown[data[i]];
      out.data[i + 3] = 255;
    }
    canvas.getContext("2d").putImageData(out, 0, 0);
  });
}

/* Everything on screen that follows from `view`. */
function sync() {
  if (!view || !$(".stage")) return;
  if (!frame) frame = requestAnimationFrame(draw);
  const room = $(".stage").getBoundingClientRect();
  view.x = clamp(view.x, -(view.zoom - 1) * room.width / 2, (view.zoom - 1) * room.width / 2);
  view.y = clamp(view.y, -(view.zoom - 1) * room.height / 2, (view.zoom - 1) * room.height / 2);
  for (const stage of stages()) {
    const stack = stage.querySelector(".stack");
    stack.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.zoom})`;
    stage.classList.toggle("zoomed", view.zoom > 1);
    stage.querySelector("[data-show=zoom]").textContent = `${Math.round(view.zoom * 100)}%`;
    stage.querySelector("[data-show=window]").textContent =
      `W ${Math.round(view.window)}  L ${Math.round(view.level)}`;
  }
  for (const slider of element.querySelectorAll("[data-slider]")) {
    const value = Math.round(view[slider.dataset.slider]);
    slider.value = view[slider.dataset.slider];
    slider.nextElementSibling.textContent = slider.dataset.slider === "heat" ? `${value}%` : value;
  }
  if ($(".heat")) $(".heat").style.opacity = view.heat / 100;
  $("[data-tool=invert]").setAttribute("aria-pressed", String(view.invert));
  for (const button of element.querySelectorAll("[data-preset]")) {
    const preset = presets()[button.dataset.preset];
    const on = preset.window === view.window && preset.level === view.level;
    button.setAttribute("aria-pressed", String(on));
  }
  noticed();
}

/* Windows that follow from the first film's own grey levels; `marks` holds their percentiles. */
function presets() {
  const marks = films[0]?.marks;
  const span = (low, high) => {
    if (!marks) return FULL;
    const from = marks[low], to = marks[high];
    return { window: clamp(to - from, 24, 255), level: Math.round((from + to) / 2) };
  };
  return { full: FULL, lungs: span(2, 60), middle: span(45, 100), crisp: span(8, 95) };
}

function percentiles(data) {
  const counts = new Uint32Array(256);
  for (let i = 0; i < data.length; i += 4) counts[data[i]] += 1;
  counts[0] = 0;      // the black that pads a film says nothing about it
  const total = counts.reduce((sum, count) => sum + count, 0);
  const marks = new Uint8Array(101);
  for (let grey = 0, seen = 0, mark = 0; grey < 256; grey += 1) {
    seen += counts[grey];
    while (mark <= 100 && seen >= (mark / 100) * total && seen > 0) marks[mark++] = grey;
  }
  return marks;
}

/* What the server says over a film stands in data-said; in between the film's own loading. */
function say(place, text) {
  const note = stages()[place]?.querySelector(".stage-note");
  if (note) note.textContent = text || note.dataset.said;
}

function load(place, address) {
  const current = (films[place] = { address, greys: null, marks: null });
  say(place, "Loading the film…");
  const image = new Image();
  image.onload = () => {
    if (films[place] !== current) return;
    const sheet = document.createElement("canvas");
    sheet.width = image.naturalWidth;
    sheet.height = image.naturalHeight;
    const pen = sheet.getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0);
    current.greys = pen.getImageData(0, 0, sheet.width, sheet.height);
    current.marks = percentiles(current.greys.data);
    say(place, "");
    sync();
  };
  image.onerror = () => { if (films[place] === current) say(place, "This film cannot be read."); };
  if (address) image.src = address; else say(place, "This study has no film.");
}

/* The films that the page holds, on their stages. Another first film starts from a fresh view. */
function hang() {
  const addresses = stages().map((stage) => stage.dataset.film);
  if (!addresses.length) { view = null; films = []; return; }
  if (!view || films[0].address !== addresses[0]) {
    view = { ...FULL, zoom: 1, x: 0, y: 0, invert: false, heat: 55 };
  }
  films.length = Math.min(films.length, addresses.length);
  addresses.forEach((address, place) => { if (films[place]?.address !== address) load(place, address); });
  sync();
}

function zoom(factor) { view.zoom = clamp(view.zoom * factor, 1, 8); sync(); }
function fit() { Object.assign(view, { zoom: 1, x: 0, y: 0 }); sync(); }
const tools = {
  in: () => zoom(1.25),
  out: () => zoom(0.8),
  fit,
  invert: () => { view.invert = !view.invert; sync(); },
  screen: () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else ($(".stages") || $(".stage")).requestFullscreen?.();
  },
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || !view) return;
  const { tool, preset } = button.dataset;
  if (tool) tools[tool]();
  if (preset) { Object.assign(view, presets()[preset]); sync(); }
});
element.addEventListener("input", (event) => {
  const { slider } = event.target.dataset;
  if (slider && view) { view[slider] = Number(event.target.value); sync(); }
});
element.addEventListener("keydown", (event) => {
  if (!view || event.ctrlKey || event.metaKey || event.altKey || !event.target.closest(".stage")) return;
  const step = 40;
  const keys = {
    "+": tools.in, "=": tools.in, "-": tools.out, "0": fit, i: tools.invert,
    ArrowLeft: () => { view.x += step; sync(); }, ArrowRight: () => { view.x -= step; sync(); },
    ArrowUp: () => { view.y += step; sync(); }, ArrowDown: () => { view.y -= step; sync(); },
  };
  const moves = event.key.startsWith("Arrow");
  if (!keys[event.key] || (moves && view.zoom === 1)) return;
  event.preventDefault();
  keys[event.key]();
});

/* Drag moves, shift-drag (or the right button) sets window and level, two fingers zoom. */
const fingers = new Map();
let gap = 0, windowing = false;
element.addEventListener("pointerdown", (event) => {
  const stage = event.target.closest(".stage");
  if (!stage || !view) return;
  windowing = event.shiftKey || event.button === 2;
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
  stage.setPointerCapture(event.pointerId);
});
element.addEventListener("pointermove", (event) => {
  const last = fingers.get(event.pointerId);
  if (!last || !view) return;
  const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
  if (fingers.size === 2) {
    const [a, b] = [...fingers.values()];
    const now = Math.hypot(a[0] - b[0], a[1] - b[1]);
    if (gap) view.zoom = clamp((view.zoom * now) / gap, 1, 8);
    gap = now;
  } else if (windowing) {
    view.window = clamp(view.window + dx, 1, 255);
    view.level = clamp(view.level + dy, 0, 255);
  } else {
    view.x += dx;
    view.y += dy;
  }
  sync();
});
for (const end of ["pointerup", "pointercancel"]) {
  element.addEventListener(end, (event) => { fingers.delete(event.pointerId); gap = 0; });
}
element.addEventListener("contextmenu", (event) => { if (event.target.closest(".stage")) event.preventDefault(); });
element.addEventListener("dblclick", (event) => {
  if (event.target.closest(".stage") && view) { if (view.zoom > 1) fit(); else zoom(2.5); }
});
/* The wheel scrolls the page until the film has the focus, so that the page cannot trap it. */
element.addEventListener("wheel", (event) => {
  const stage = event.target.closest(".stage");
  if (!stage || !view || !(event.ctrlKey || document.activeElement === stage)) return;
  event.preventDefault();
  zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
}, { passive: false });
addEventListener("resize", () => sync());
