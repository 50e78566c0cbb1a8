/* The report that a reader edits: copied, saved as text, or as a page with the film as it is on
   screen. All of it happens here; the text and the page go nowhere else. */
const $ = (selector) => element.querySelector(selector);
const [WIDTH, HEIGHT, EDGE] = [1240, 1754, 84];      // A4 at 150 dots an inch
const FACE = '"IBM Plex Sans", system-ui, sans-serif';
const INK = "#12191d", MUTED = "#51606a", LINE = "#c9d2d6", BAR = "#0c6678", CAUTION = "#7a5200";

const facts = () => $(".read-report").dataset;
const text = () => $("#report-text").value.trim();
const edited = () => text() !== facts().report.trim();

function tell(said) {
  const line = $("[data-said]");
  line.textContent = said;
  setTimeout(() => { line.textContent = line.dataset.said; }, 4000);
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(blob) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function origin() {
  const { model, source } = facts(), day = new Date().toISOString().slice(0, 10);
  return `${source}. ${edited() ? "Suggested by a model and edited by the reader" : "Suggested by a model"}. ${model}. ${day}.`;
}

function asText() {
  const { note, warning } = facts();
  return [note, warning, "", text(), "", origin(), ""].filter((line, i) => line || i !== 1).join("\n");
}

/* Words of a text in lines no wider than `width`, its own line breaks kept. */
function lines(pen, words, width) {
  const out = [];
  for (const paragraph of words.split("\n")) {
    let line = "";
    for (const word of paragraph.split(/(?<=\s)/)) {
      if (line && pen.measureText((line + word).trimEnd()).width > width) { out.push(line.trimEnd()); line = ""; }
      for (const letter of pen.measureText(word).width > width ? word : [word]) {
        if (line && pen.measureText(line + letter).width > width) { out.push(line); line = ""; }
        line += letter;
      }
    }
    out.push(line.trimEnd());
  }
  return out;
}

function write(pen, words, x, y, width, size, colour = INK, weight = 400) {
  Object.assign(pen, { font: `${weight} ${size}px ${FACE}`, fillStyle: colour, textBaseline: "top" });
  for (const line of lines(pen, words, width)) {
    pen.fillText(line, x, y);
    y += Math.round(size * 1.42);
  }
  return y;
}

/* The film as it is on its stage, with window, level and heat map, inside width x height. */
function film(pen, x, y, width, height) {
  const stage = document.querySelector("#read-film .stage"), canvas = stage.querySelector("canvas");
  const scale = Math.min(width / canvas.width, height / canvas.height);
  const [w, h] = [canvas.width * scale, canvas.height * scale];
  pen.imageSmoothingQuality = "high";
  pen.drawImage(canvas, x, y, w, h);
  const heat = stage.querySelector(".heat"), strength = Number(heat?.style.opacity || 0);
  if (heat?.naturalWidth && strength) {
    pen.globalAlpha = strength;
    pen.drawImage(heat, x, y, w, h);
    pen.globalAlpha = 1;
  }
  if (facts().mark) {
    pen.fillStyle = "#000";
    pen.fillRect(x, y + h - 34, 190, 34);
    write(pen, facts().mark, x + 10, y + h - 28, 180, 20, "#fff", 700);
  }
  const shown = heat && strength ? stage.querySelector(".corner.top").textContent.split("\n").at(-1) : "";
  return { bottom: shown ? write(pen, shown, x, y + h + 8, width, 19, MUTED) : y + h, w };
}

function bars(pen, x, y, width) {
  write(pen, "Findings", x, y, width, 24, INK, 700);
  y += 42;
  for (const one of JSON.parse(facts().findings)) {
    write(pen, one.name, x, y, width - 190, 19);
    pen.textAlign = "right";
    write(pen, `${one.percent}  ${one.word}`, x + width, y, width, 19, MUTED);
    pen.textAlign = "left";
    pen.fillStyle = LINE;
    pen.fillRect(x, y + 28, width, 5);
    pen.fillStyle = BAR;
    pen.fillRect(x, y + 28, width * one.probability, 5);
    pen.fillStyle = INK;
    pen.fillRect(x + width * one.low, y + 30, Math.max(2, width * (one.high - one.low)), 1.5);
    y += 43;
  }
  return write(pen, "Thin line: 95% interval.", x, y, width, 16, MUTED);
}

/* One page; a report that needs more room makes it longer. */
function page() {
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  const inner = WIDTH - 2 * EDGE, { note, warning, model } = facts();
  const lay = (pen) => {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, WIDTH, canvas.height);
    let y = write(pen, "Suggested report", EDGE, 68, inner, 40, INK, 700);
    y = write(pen, [note, warning].filter(Boolean).join(" "), EDGE, y + 2, inner, 22, CAUTION, 700) + 24;
    const picture = film(pen, EDGE, y, 620, 700);
    const low = bars(pen, EDGE + 668, y, inner - 668);
    y = Math.max(picture.bottom, low) + 30;
    pen.fillStyle = LINE;
    pen.fillRect(EDGE, y, inner, 1.5);
    y = write(pen, text(), EDGE, y + 24, inner, 24) + 30;
    return write(pen, `${origin()} ${note}`, EDGE, Math.max(y, canvas.height - EDGE - 40), inner, 17, MUTED);
  };
  const bottom = lay(canvas.getContext("2d")) + 30;
  if (bottom > canvas.height) {
    canvas.height = bottom;
    lay(canvas.getContext("2d"));
  }
  return canvas;
}

const saves = {
  text: () => save(new Blob([asText()], { type: "text/plain" }), "chest-x-ray-report.txt"),
  picture: () => page().toBlob((blob) => save(blob, "chest-x-ray-report.png"), "image/png"),
  restore: () => { $("#report-text").value = facts().report; },
  copy: async () => {
    try {
      await navigator.clipboard.writeText(asText());
    } catch {      // without https the clipboard is closed to scripts
      $("#report-text").select();
      document.execCommand("copy");
    }
    tell("Copied.");
  },
};
element.addEventListener("click", (event) => {
  const kind = event.target.closest("button")?.dataset.save;
  if (kind) saves[kind]();
});

/* An edited report is not lost without a question: not to another film, not to a reload. */
const QUESTION = "The report that you edited will be lost. Go on?";
const unsaved = () => Boolean($("#report-text")) && edited();
function ask(event) {
  if (!unsaved() || confirm(QUESTION)) return true;
  event.preventDefault();
  event.stopImmediatePropagation();
  return false;
}
const REPLACING = '#read-film [data-act="close"], #detail [data-act="read"]';
document.addEventListener("click", (event) => { if (event.target.closest?.(REPLACING)) ask(event); }, true);
/* A film that is chosen, dropped or pasted comes by the file input beside its button. */
document.addEventListener("change", (event) => {
  const button = document.querySelector("#read-upload");
  if (!event.target.matches?.("input[type=file]") || !button?.parentElement.contains(event.target)) return;
  if (event.target.nextElementSibling !== button && event.target.previousElementSibling !== button) return;
  if (!ask(event)) event.target.value = "";
}, true);
addEventListener("beforeunload", (event) => { if (unsaved()) event.preventDefault(); });
