/* The generated films: two sliders through pictures that are here already. The server sends the
   films, and for the one that is looked at those on the way from the start to it. */
const $ = (selector) => element.querySelector(selector);
const view = { layout: "one", film: 0, step: Infinity };      // step: Infinity is the film itself
const paths = new Map();      // of this run: index of a film -> its pictures from the start to it
let run = "", films = [], asked = 0, timer = 0;

function picture(address) {
  return new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => fail(new Error("the picture cannot be read"));
    image.src = address;
  });
}
const pictures = (text) => Promise.all(JSON.parse(text).map(picture));

function current() {
  const path = paths.get(view.film);
  return path && view.step < path.length ? path[view.step] : films[view.film];
}

/* Enlarged smoothly: neighbouring pixels melt into each other, no detail is made up. */
function paint(canvas, image) {
  const pen = canvas.getContext("2d");
  Object.assign(pen, { imageSmoothingEnabled: true, imageSmoothingQuality: "high" });
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
}

function sync() {
  const section = $(".made");
  if (!section || !films.length) return;
  section.dataset.layout = view.layout;
  for (const button of element.querySelectorAll("[data-layout]:is(button)")) {
    button.setAttribute("aria-pressed", String(button.dataset.layout === view.layout));
  }
  for (const card of element.querySelectorAll("[data-act=choose]")) {
    card.toggleAttribute("aria-current", Number(card.dataset.index) === view.film);
  }
  const path = paths.get(view.film), film = $("[data-slider=film]"), step = $("[data-slider=step]");
  const last = Number(step.max), at = Math.min(view.step, last);
  film.value = view.film;
  film.nextElementSibling.textContent = `${view.film + 1} of ${films.length}`;
  step.disabled = !path;
  step.value = path ? at : last;
  const share = Math.round((100 * (path ? at : last)) / last);
  step.nextElementSibling.textContent = `${share}%`;
  const way = step.closest("[hidden]") ? "" : `, ${share}%`;
  $("[data-show=place]").textContent = `film ${view.film + 1}${way}`;
  paint($("canvas"), current());
  section.dataset.drawn = `${view.film} ${share}`;
}

async function arrived() {
  const section = $(".made");
  if (!section) { run = ""; films = []; return; }
  const now = section.dataset.run, index = Number(section.dataset.index), path = section.dataset.path;
  if (now !== run) {
    const fresh = await pictures(section.dataset.films);
    if ($(".made") !== section) return;
    run = now;
    films = fresh;
    paths.clear();
    Object.assign(view, { film: index, step: Infinity });
    asked = index;
  }
  if (path && !paths.has(index)) {
    const way = await pictures(path);
    if (run === now) paths.set(index, way);
  }
  sync();
}
watch("value", arrived);
arrived();

/* The films between are made once a film, when the slider has come to rest on it. */
function choose(index) {
  view.film = index;
  sync();
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (asked === view.film) return;
    asked = view.film;
    trigger("choose", { index: view.film });
  }, 250);
}

function save(canvas, name) {
  canvas.toBlob((blob) => {
    const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(blob) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }, "image/png");
}

/* Films side by side above a strip that says what they are: `across` in a row, `side` pixels each. */
function sheet(images, across, side) {
  const rows = Math.ceil(images.length / across), width = across * side;
  const size = Math.max(11, Math.round(Math.min(side, 512) / 24)), { text, note } = $(".made").dataset;
  const out = Object.assign(document.createElement("canvas"), { width, height: 1 });
  const pen = out.getContext("2d"), font = `${size}px "IBM Plex Sans", sans-serif`;
  pen.font = font;
  const lines = [];
  for (const word of `${note} ${text}`.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && pen.measureText(longer).width <= width - 2 * size) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  out.height = rows * side + Math.round(size * (1.2 + 1.4 * lines.length));
  pen.fillRect(0, 0, out.width, out.height);
  pen.imageSmoothingQuality = "high";
  images.forEach((image, i) => pen.drawImage(image, (i % across) * side, Math.floor(i / across) * side, side, side));
  Object.assign(pen, { font, fillStyle: "#fff", textBaseline: "top" });
  lines.forEach((line, i) => pen.fillText(line, size, rows * side + size * 0.6 + i * size * 1.4));
  return out;
}

const acts = {
  choose: (button) => { view.layout = "one"; choose(Number(button.dataset.index)); },
  save: () => save(sheet([current()], 1, 512), "synthetic.png"),
  sheet: () => save(sheet(films, Math.min(4, films.length), 256), "synthetic-all.png"),
};
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { act, layout } = button.dataset;
  if (act) acts[act](button);
  if (layout) { view.layout = layout; sync(); }
});
element.addEventListener("input", (event) => {
  const { slider } = event.target.dataset, value = Number(event.target.value);
  if (slider === "film") choose(value);
  if (slider === "step") { view.step = value === Number(event.target.max) ? Infinity : value; sync(); }
});
