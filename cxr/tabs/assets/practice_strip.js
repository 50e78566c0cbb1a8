/* The contrast strip of an answer: small films under the window of the large one, which any of them
   can replace. */
let strip = [];         // the film that was asked about, then those beside it
let swapped = 0;        // which of them is on the stage

function resetStrip() {
  strip = [];
  swapped = 0;
}
function compare() {
  strip = [{ ...films[0] }];
  element.querySelectorAll(".swap").forEach((button, at) => {
    const image = new Image();
    image.onload = () => {
      const sheet = document.createElement("canvas");
      Object.assign(sheet, { width: image.naturalWidth, height: image.naturalHeight });
      const pen = sheet.getContext("2d", { willReadFrequently: true });
      pen.drawImage(image, 0, 0);
      const greys = pen.getImageData(0, 0, sheet.width, sheet.height);
      strip[at + 1] = { address: button.dataset.film, greys, marks: percentiles(greys.data) };
      paintStrip();
    };
    image.src = button.dataset.film;
  });
}
function paintStrip() {
  if (!view || !strip.length) return;
  const shown = table(view);
  element.querySelectorAll(".swap canvas").forEach((canvas, at) => {
    const greys = strip[at + 1]?.greys;
    if (!greys) return;
    const { width, height, data } = greys, step = Math.max(1, Math.floor(Math.max(width, height) / 256));
    const [wide, high] = [Math.floor(width / step), Math.floor(height / step)];
    const out = new ImageData(wide, high);
    for (let y = 0; y < high; y += 1) for (let x = 0; x < wide; x += 1) {
      const grey = shown[data[4 * (y * step * width + x * step)]];
      out.data.set([grey, grey, grey, 255], 4 * (y * wide + x));
    }
    Object.assign(canvas, { width: wide, height: high });
    canvas.getContext("2d").putImageData(out, 0, 0);
  });
}
function swap(at) {
  if (!strip[at]?.greys) return;
  swapped = swapped === at ? 0 : at;
  films[0] = strip[swapped];
  hideMarks(Boolean(swapped));
  for (const button of element.querySelectorAll(".swap")) button.setAttribute("aria-pressed", String(Number(button.dataset.at) === swapped));
  sync();
}
for (const name of ["input", "click", "pointermove", "keyup"]) {
  element.addEventListener(name, () => { if (answered && strip.length) requestAnimationFrame(paintStrip); });
}
