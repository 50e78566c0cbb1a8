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
