/* The film and what was found in it. The server sends the film, one map of probabilities and what
   was measured at each threshold; opacity, threshold and the curtain answer here, without it. */
const $ = (selector) => element.querySelector(selector);
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const [CYAN, AMBER] = ["#00dcff", "#ffb000"];
/* What a visitor set stays from one film to the next; film, map and reference are those on the page. */
const view = { split: 50, opacity: 55, threshold: 50, drawing: "both", layout: "curtain", reference: true };
let film = null, map = null, reference = null, colors = null, drawn = "", frame = 0;
let brought = "";        // address of the film that is on the page

function picture(address) {
  return new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => fail(new Error("the picture cannot be read"));
    image.src = address;
  });
}

function sheet(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/* The first channel of a picture: { width, height, values }. */
async function levels(address) {
  if (!address) return null;
  const image = await picture(address);
  const { naturalWidth: width, naturalHeight: height } = image;
  const pen = sheet(width, height).getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, width, height);
  return { width, height, values: Uint8Array.from({ length: width * height }, (_, i) => data[4 * i]) };
}

const level = () => Math.floor(view.threshold * 2.55 + 0.5);

/* Colour where the map passes the threshold, clear elsewhere; the edge is one level soft. */
function heatLayer() {
  const layer = sheet(map.width, map.height), pen = layer.getContext("2d");
  const out = new ImageData(map.width, map.height), from = level();
  map.values.forEach((value, i) => {
    if (value < from) return;
    out.data.set(colors.subarray(3 * value, 3 * value + 3), 4 * i);
    out.data[4 * i + 3] = 255;
  });
  pen.putImageData(out, 0, 0);
  return layer;
}

function outline(pen, of, at, colour, width) {
  const { width: w, height: h } = pen.canvas, sx = w / of.width, sy = h / of.height;
  pen.beginPath();
  contour(of.values, of.width, of.height, at, (x0, y0, x1, y1) => {
    pen.moveTo((x0 + 0.5) * sx, (y0 + 0.5) * sy);
    pen.lineTo((x1 + 0.5) * sx, (y1 + 0.5) * sy);
  });
  pen.lineCap = "round";
  for (const [style, extra] of [["rgba(0, 0, 0, .55)", 2.2], [colour, 0]]) {
    Object.assign(pen, { strokeStyle: style, lineWidth: width + extra * width / 2 });
    pen.stroke();
  }
}

function paint(canvas, marked) {
  const scale = Math.max(1, 1024 / Math.max(film.naturalWidth, film.naturalHeight));
  const width = Math.round(film.naturalWidth * scale), height = Math.round(film.naturalHeight * scale);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(film, 0, 0, width, height);
  if (!marked || !map) return;
  if (view.drawing !== "contour") {
    pen.globalAlpha = view.opacity / 100;
    pen.drawImage(heatLayer(), 0, 0, width, height);
    pen.globalAlpha = 1;
  }
  const thick = Math.max(width, height) / 360;
  if (reference && view.reference) outline(pen, reference, 128, AMBER, thick);
  if (view.drawing !== "heat") outline(pen, map, level(), CYAN, thick);
}

/* What was measured at this threshold, in the server's words. */
function read() {
  const section = $(".locate");
  if (!map) return;
  const row = measures.rows[view.threshold - measures.low];
  section.classList.toggle("nothing", !row.found);
  for (const name of ["verdict", "area", "each", "dice"]) {
    const place = $(`[data-read=${name}]`);
    if (place) place.textContent = row[name];
  }
}

let measures = null;
function sync() {
  const section = $(".locate");
  if (!section || !film) return;
  section.dataset.layout = map ? view.layout : "plain";
  section.style.setProperty("--split", `${view.split}%`);
  for (const slider of element.querySelectorAll("[data-slider]")) {
    slider.value = view[slider.dataset.slider];
    slider.nextElementSibling.textContent = `${Math.round(view[slider.dataset.slider])}%`;
  }
  for (const button of element.querySelectorAll("[data-set]")) {
    const { set, to } = button.dataset;
    button.setAttribute("aria-pressed", String(String(view[set]) === to));
  }
  $(".curtain")?.setAttribute("aria-valuenow", Math.round(view.split));
  read();
  if (!frame) frame = requestAnimationFrame(() => {
    frame = 0;
    if (!film || !$(".plain-film")) return;
    paint($(".plain-film"), false);
    paint($(".marked-film"), true);
    $(".locate").dataset.drawn = drawn;
  });
}

/* Where the curtain stands at first: left of all that is marked, so that nothing found is hidden. */
function uncovering() {
  const from = level(), { width, values } = map;
  const left = values.reduce((least, value, i) => (value < from ? least : Math.min(least, i % width)), width);
  return left === width ? 50 : clamp((left / width) * 100 - 6, 0, 50);
}

async function arrived() {
  const section = $(".locate");
  if (!section) { film = map = reference = null; drawn = brought = ""; return; }
  if (section.dataset.film !== brought) {
    brought = section.dataset.film;
    window.cxr.goTo($(".locate-bar h2"), matchMedia("(max-width: 700px)").matches);
  }
  const now = section.dataset.key;
  if (now === drawn) return sync();
  drawn = now;
  try {
    const parts = await Promise.all(
      [picture(section.dataset.film), levels(section.dataset.map), levels(section.dataset.reference)]);
    if (drawn !== now) return;
    [film, map, reference] = parts;
    measures = map ? JSON.parse(section.dataset.measures) : null;
    if (map) { view.threshold = Number(section.dataset.threshold); view.split = uncovering(); }
    colors = Uint8Array.from(atob(section.dataset.colors), (char) => char.charCodeAt(0));
    sync();
  } catch { $(".stage-note").textContent = "This film cannot be drawn."; }
}
watch("value", arrived);
arrived();

function save(canvas, name) {
  canvas.toBlob((blob) => {
    const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(blob) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }, "image/png");
}

/* The overlay as it is on screen, above a strip that says what it is and what it is not for. */
function savePicture() {
  const marked = sheet(1, 1);
  paint(marked, true);
  const size = Math.max(13, Math.round(marked.width / 42)), gap = Math.round(size * 0.7);
  const row = measures.rows[view.threshold - measures.low], { name, mark, note, caveat } = $(".locate").dataset;
  const known = reference && view.reference ? "amber line drawn by hand" : "";
  const parts = [mark, `${name}, from ${view.threshold}%`, row.verdict, caveat, row.area, known, note];
  const out = sheet(marked.width, marked.height), pen = out.getContext("2d");
  const font = `${size}px "IBM Plex Sans", sans-serif`;
  pen.font = font;
  const lines = [];
  for (const word of parts.filter(Boolean).join(" · ").split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && pen.measureText(longer).width <= out.width - 2 * gap) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  out.height += 2 * gap + lines.length * Math.round(size * 1.35);
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, out.width, out.height);
  pen.drawImage(marked, 0, 0);
  Object.assign(pen, { font, fillStyle: "#fff", textBaseline: "top" });
  lines.forEach((text, i) => pen.fillText(text, gap, marked.height + gap + i * Math.round(size * 1.35)));
  save(out, `${$(".locate").dataset.file}.png`);
}

/* White where the map passes the threshold, at the size at which the film came. */
function saveMask() {
  const [width, height] = $(".locate").dataset.size.split(" ").map(Number);
  const greys = sheet(map.width, map.height), out = sheet(width, height);
  const pixels = new ImageData(map.width, map.height);
  map.values.forEach((value, i) => pixels.data.set([value, value, value, 255], 4 * i));
  greys.getContext("2d").putImageData(pixels, 0, 0);
  const pen = out.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(greys, 0, 0, width, height);
  const mask = pen.getImageData(0, 0, width, height), from = level();
  for (let i = 0; i < mask.data.length; i += 4) {
    mask.data.fill(mask.data[i] >= from ? 255 : 0, i, i + 3);
  }
  pen.putImageData(mask, 0, 0);
  save(out, `${$(".locate").dataset.file}-mask.png`);
}

const acts = {
  close: () => trigger("close"),
  picture: savePicture,
  mask: saveMask,
};
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { act, set, to } = button.dataset;
  if (act) acts[act](button);
  if (set) { view[set] = set === "reference" ? !view.reference : to; sync(); }
});
element.addEventListener("input", (event) => {
  const { slider } = event.target.dataset;
  if (slider) { view[slider] = Number(event.target.value); sync(); }
});

/* The curtain: drag anywhere on the film, or the arrow keys while it has the focus. */
let dragging = false;
function pull(event) {
  const { left, width } = $(".marked-film").getBoundingClientRect();
  view.split = clamp(((event.clientX - left) / width) * 100, 0, 100);
  sync();
}
element.addEventListener("pointerdown", (event) => {
  const room = event.target.closest(".pair");
  if (!room || !map || view.layout !== "curtain" || event.button) return;
  dragging = true;
  room.setPointerCapture(event.pointerId);
  pull(event);
});
element.addEventListener("pointermove", (event) => { if (dragging) pull(event); });
for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => { dragging = false; });
element.addEventListener("keydown", (event) => {
  if (!event.target.closest(".curtain")) return;
  const to = { ArrowLeft: view.split - 5, ArrowRight: view.split + 5, Home: 0, End: 100 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  view.split = clamp(to, 0, 100);
  sync();
});
