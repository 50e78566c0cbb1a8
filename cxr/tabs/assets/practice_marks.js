/* Marks on the film of stage.js: the learner's points and boxes, and the outlines of radiologists.
   They lie in an SVG inside the stage's stack, so that zoom and pan move them with the film. All
   places are fractions of the film's width and height: [x, y, width, height]. */
const SVG = "http://www.w3.org/2000/svg";
let marks = {};         // finding -> place
let marking = null;     // the finding whose place is being given
let cursor = null;      // where the keyboard is, as a place
let outlines = null;    // after the answer: { drawn: { finding: [[[x, y], ...]] }, mine: marks }
let heatMap = "";       // after the answer: a model's map, a data: address
let dragFrom = null;

function overlay() {
  const stack = $(".practice-film .stack");
  if (!stack) return null;
  let svg = stack.querySelector("svg.marks");
  if (!svg) {
    svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "marks");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("preserveAspectRatio", "xMidYMid meet");
    stack.append(svg);
  }
  return svg;
}

function shape(svg, name, attributes, kind) {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  one.setAttribute("class", kind);
  svg.append(one);
  return one;
}

function place(svg, [x, y, w, h], kind, label) {
  const { width, height } = films[0].greys;
  if (w || h) shape(svg, "rect", { x: x * width, y: y * height, width: w * width, height: h * height }, kind);
  else shape(svg, "circle", { cx: x * width, cy: y * height, r: Math.max(width, height) / 60 }, kind);
  if (label) {
    const size = Math.max(width, height) / 34;
    shape(svg, "text", { x: x * width, y: Math.max(size, y * height - size / 3), "font-size": size, "stroke-width": size / 6 }, kind)
      .textContent = label;
  }
}

function drawMarks() {
  const svg = overlay(), greys = films[0]?.greys;
  if (!svg) return;
  svg.replaceChildren();
  if (!greys) { requestAnimationFrame(drawMarks); return; }
  svg.setAttribute("viewBox", `0 0 ${greys.width} ${greys.height}`);
  const { width, height } = greys;
  if (heatMap) shape(svg, "image", { href: heatMap, width, height, preserveAspectRatio: "none" }, "model");
  for (const [finding, polygons] of Object.entries(outlines?.drawn || {})) {
    for (const points of polygons) {
      shape(svg, "polygon", { points: points.map(([x, y]) => `${x * width},${y * height}`).join(" ") }, "drawn");
    }
    const [x, y] = polygons[0][0];
    place(svg, [x, y, 0, 0], "drawn name", finding);
  }
  for (const [finding, one] of Object.entries(outlines ? outlines.mine : marks)) place(svg, one, "mine", finding);
  if (cursor && marking) place(svg, cursor, "mine cursor", marking);
}

/* Another film on the same stage: no marks belong on it. */
function hideMarks(hidden) { overlay()?.classList.toggle("away", hidden); }

function resetMarks() {
  marks = {};
  outlines = cursor = dragFrom = null;
  heatMap = "";
  markFor(null);
}

function markFor(finding) {
  marking = finding;
  cursor = null;
  $(".practice-film .stage")?.classList.toggle("marking", Boolean(finding));
  const said = $(".mark-said");
  if (said) {
    said.textContent = finding
      ? `Tap where you see ${finding}, or drag a box around it. On the film arrows move a cross, with Shift a box, Enter sets it. Escape: no place.`
      : "";
  }
  drawMarks();
}

function setMark(one) {
  marks[marking] = one.map((side) => Math.round(side * 1e4) / 1e4);
  const finding = marking;
  markFor(null);
  element.dispatchEvent(new CustomEvent("marked", { detail: finding }));
}

function onFilm(event) {
  const svg = overlay(), { width, height } = films[0].greys;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return [clamp(at.x / width, 0, 1), clamp(at.y / height, 0, 1)];
}

function boxOf([x1, y1], [x2, y2]) {
  const box = [Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1)];
  return box[2] < 0.015 && box[3] < 0.015 ? [x1, y1, 0, 0] : box;
}

/* Before stage.js, which would pan: a drag marks while a place is asked for. */
const stopped = (event) => { event.preventDefault(); event.stopPropagation(); };
element.addEventListener("pointerdown", (event) => {
  const stage = event.target.closest(".practice-film .stage");
  if (!stage || !marking || !films[0]?.greys || event.button) return;
  stopped(event);
  stage.focus({ preventScroll: true });      // so that a key is no longer typed into the search
  stage.setPointerCapture(event.pointerId);
  dragFrom = onFilm(event);
}, true);
element.addEventListener("pointermove", (event) => {
  if (!dragFrom) return;
  stopped(event);
  cursor = boxOf(dragFrom, onFilm(event));
  drawMarks();
}, true);
element.addEventListener("pointerup", (event) => {
  if (!dragFrom) return;
  stopped(event);
  const one = boxOf(dragFrom, onFilm(event));
  dragFrom = null;
  setMark(one);
}, true);
element.addEventListener("pointercancel", () => { dragFrom = null; }, true);

element.addEventListener("keydown", (event) => {
  if (!marking || !event.target.closest(".practice-film .stage")) return;
  const step = event.altKey ? 0.01 : 0.04, [x, y, w, h] = cursor || [0.5, 0.5, 0, 0];
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  if (moves[event.key]) {
    const [dx, dy] = moves[event.key];
    cursor = event.shiftKey
      ? [x, y, clamp(w + dx, 0, 1 - x), clamp(h + dy, 0, 1 - y)]
      : [clamp(x + dx, 0, 1 - w), clamp(y + dy, 0, 1 - h), w, h];
    drawMarks();
  } else if (event.key === "Enter") setMark(cursor || [x, y, w, h]);
  else if (event.key === "Escape") markFor(null);
  else return;
  stopped(event);
}, true);
