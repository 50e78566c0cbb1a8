/* The results of a search: one listener for every card and button, whatever HTML the server sends. */
let searched = "";      // what the results on the page are those of; "waiting" while they come
let moved = false;      // whether the page was moved to show that they come
function arrived() {
  const head = element.querySelector(".results-head");
  const search = head?.dataset.search || "";
  if (search && search !== searched) moved = window.cxr.goTo(head.querySelector("h2"), moved);
  if (search !== "waiting") moved = false;
  searched = search;
}
watch("value", () => { arrived(); addressed(); });

/* The address says what is shown: #search?PLACE, as the server wrote it. An answer to an address
   that was opened carries it as data-link; it replaces the entry of the history, others add one. */
const OPEN_FILM = /(^|&)film=[^&]*/;
let shown = "";         // the place of what is on the page
let opening = null;     // the place that was asked for last and has not been answered
/* Window, level and inversion of the open film stand at the end of the address and are the page's
   alone: "&window=180&level=90&invert=1". The viewer takes `look` up once, from an opened address. */
const LOOK = /&(?:window|level|invert)=[^&]*/g;
let look = "";
const withLook = () => shown + (OPEN_FILM.test(shown) ? look : "");
function writeLook(stays) {
  window.cxr.searchPlace = withLook();
  if (/^(#search|$)/.test(location.hash)) window.cxr.setAddress("search", withLook(), stays);
}
window.cxr.setLook = (text) => { if (text !== look && opening === null) { look = text; writeLook(true); } };
function addressed() {
  const head = element.querySelector(".results-head");
  if (head?.dataset.search === "waiting") return;
  const place = head?.dataset.place || "";
  if (opening !== null && opening !== (head ? head.dataset.link : "")) return;
  const stays = opening !== null || (OPEN_FILM.test(shown) && OPEN_FILM.test(place)
    && shown.replace(OPEN_FILM, "") === place.replace(OPEN_FILM, ""));
  const kept = opening !== null;
  opening = null;
  if (!kept && place !== shown) look = "";
  const moved = place !== shown;
  shown = place;
  if (moved) window.cxr.setAddress("search", withLook(), stays);
  window.cxr.searchPlace = withLook();
}
window.cxr.restore = (address) => {
  const place = address.replace(LOOK, "");
  look = (address.match(LOOK) || []).join("");
  window.cxr.openedLook = look;
  if (place === shown && opening === null) window.cxr.takeLook?.();
  if (place === (opening ?? shown)) return;
  opening = place;
  trigger("restore", { place });
};
/* What a visitor does meanwhile counts more than an address. */
for (const type of ["pointerdown", "keydown"]) addEventListener(type, () => { opening = null; window.cxr.openedLook = ""; }, true);
/* What leads to another search than the controls ask for (a tile, a chip, a link) fills them when its
   answer is there: those that the visitor has left alone since. */
const NO_CONTROLS = ["", [], "", "", "", [], [], false];
const LEAVE = { __type__: "update" };       // Gradio's own: no change
let before = [];
window.cxr.keepControls = (...values) => { before = values.map((one) => JSON.stringify(one)); };
window.cxr.fillControls = (html, ...values) => {
  const head = new DOMParser().parseFromString(html, "text/html").querySelector(".results-head");
  if (head?.dataset.search === "waiting") return values.map(() => LEAVE);   // of a search after it
  const asked = head ? JSON.parse(head.dataset.controls) : NO_CONTROLS;
  return asked.map((one, i) => {
    if (JSON.stringify(values[i]) !== before[i]) return LEAVE;
    before[i] = JSON.stringify(one);        // the next answer may fill it again
    return one;
  });
};
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (!button) return;
  const { act, index } = button.dataset;
  if (act === "open") trigger("open", { index: Number(index) });
  if (act === "more") trigger("more");
  if (act === "back") trigger("back");
  if (act === "chip") trigger("chip", { index: Number(index) });
  if (act === "match") trigger("match", { name: button.dataset.name });
  if (act === "region") trigger("region", { name: button.dataset.name });
  if (act === "unfilter") trigger("unfilter");
});
/* A film that does not load says so on its card. */
element.addEventListener("error", (event) => {
  if (event.target.matches?.(".film img")) event.target.closest(".film").classList.add("broken");
}, true);
element.addEventListener("load", (event) => {
  if (event.target.matches?.(".film img")) event.target.closest(".film").classList.remove("broken");
}, true);
/* Arrow keys walk the grid. */
element.addEventListener("keydown", (event) => {
  const card = event.target.closest(".card");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!card || !step) return;
  const cards = [...element.querySelectorAll("button.card")];
  cards[cards.indexOf(card) + step]?.focus();
  event.preventDefault();
});
