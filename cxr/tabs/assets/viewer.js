/* The film open in the Search tab, on the stage of stage.js. */
let opened = null;      // index of the open film, to give the focus back to its card
/* Window, level and inversion as the end of the address has them; "" as they are at first. */
let later = 0;
function lookOf({ window: width, level, invert }) {
  const changed = width !== FULL.window || level !== FULL.level;
  return (changed ? `&window=${Math.round(width)}&level=${Math.round(level)}` : "") + (invert ? "&invert=1" : "");
}
noticed = () => {
  clearTimeout(later);
  later = setTimeout(() => { if (view && !window.cxr.openedLook) window.cxr.setLook(lookOf(view)); }, 300);
};
window.cxr.takeLook = () => {
  if (!view || !$(".viewer")) return;
  const said = new URLSearchParams(window.cxr.openedLook);
  const number = (name, low, high) => {
    const value = parseFloat(said.get(name));
    return Number.isFinite(value) ? clamp(value, low, high) : FULL[name];
  };
  Object.assign(view, { window: number("window", 1, 255), level: number("level", 0, 255), invert: said.has("invert") });
  window.cxr.openedLook = "";
  sync();
};
function arrived() {
  const pane = $(".viewer");
  hang();
  if (pane && window.cxr.openedLook) window.cxr.takeLook();
  if (!pane) {
    if (opened !== null) document.querySelector(`#results [data-index="${opened}"]`)?.focus();
    opened = null;
    return;
  }
  const first = opened === null, moved = opened !== pane.dataset.index;
  opened = pane.dataset.index;
  if (first) $("h2").focus({ preventScroll: true });
  const { top, bottom } = $(".stage").getBoundingClientRect();
  if ((first || moved) && (top < 0 || bottom > innerHeight)) pane.scrollIntoView({ block: "start" });
}
watch("value", arrived);
arrived();

const acts = {
  close: () => trigger("shut"),
  step: (button) => trigger("step", { by: Number(button.dataset.by) }),
  similar: () => trigger("similar"),
  contrast: (button) => trigger("contrast", { name: button.dataset.name }),
  box: (button) => drawing(button.getAttribute("aria-pressed") !== "true"),
  heat: () => trigger("heat"),
  locate: () => trigger("locate"),
  read: () => trigger("read"),
};
element.addEventListener("click", (event) => {
  const act = event.target.closest("button")?.dataset.act;
  if (act && view) acts[act](event.target.closest("button"));
});
element.addEventListener("keydown", (event) => {
  if (!view || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && !document.fullscreenElement) acts.close();
});

/* A box drawn on the film asks for films that are alike in it. While one is drawn, the film neither
   moves nor zooms. It is sent in shares of the film padded to a square, as the network sees it. */
let corner = null;
function drawing(on) {
  $("[data-act=box]")?.setAttribute("aria-pressed", String(on));
  $(".stage")?.classList.toggle("drawing", on);
  $(".drawn-box")?.remove();
  corner = null;
}
const drawn = () => $(".stage.drawing");
function boxTo(event) {
  const [x, y] = corner;
  const [left, top] = [Math.min(x, event.clientX), Math.min(y, event.clientY)];
  return { left, top, width: Math.abs(x - event.clientX), height: Math.abs(y - event.clientY) };
}
element.addEventListener("pointerdown", (event) => {
  const stage = event.target.closest(".stage.drawing");
  if (!stage) return;
  event.stopImmediatePropagation();
  event.preventDefault();
  corner = [event.clientX, event.clientY];
  stage.setPointerCapture(event.pointerId);
  const box = document.createElement("div");
  box.className = "drawn-box";
  stage.append(box);
}, true);
element.addEventListener("pointermove", (event) => {
  if (!corner || !drawn()) return;
  event.stopImmediatePropagation();
  const { left, top, width, height } = boxTo(event), room = drawn().getBoundingClientRect();
  Object.assign($(".drawn-box").style, {
    left: `${left - room.left}px`, top: `${top - room.top}px`, width: `${width}px`, height: `${height}px`,
  });
}, true);
element.addEventListener("pointerup", (event) => {
  if (!corner || !drawn()) return;
  event.stopImmediatePropagation();
  const { left, top, width, height } = boxTo(event), canvas = $(".stage canvas");
  const film = canvas.getBoundingClientRect(), side = Math.max(film.width, film.height);
  const x = clamp((left - film.left + (side - film.width) / 2) / side, 0, 1);
  const y = clamp((top - film.top + (side - film.height) / 2) / side, 0, 1);
  const share = [x, y, Math.min(width / side, 1 - x), Math.min(height / side, 1 - y)];
  drawing(false);
  if (share[2] >= 0.02 && share[3] >= 0.02) {
    trigger("region", { name: share.map((one) => one.toFixed(3)).join(",") });
  }
}, true);
