/* The sheet of keys ("?") and the tour of the tabs. The tour begins by itself on a visitor's first
   page, stands above the tabs, holds no focus, and never begins by itself again once it was left. */
(() => {
  const KEY = "cxr-tour", VERSION = 1;
  const sheet = () => document.getElementById("help");
  const tour = () => document.getElementById("tour");
  let step = 0;

  /* Whether this browser keeps that the tour was left. Where nothing can be kept, it counts as left. */
  function wasLeft() {
    try { return localStorage.getItem(KEY) !== null; } catch { return true; }
  }
  function keepLeft() {
    try { localStorage.setItem(KEY, JSON.stringify({ version: VERSION, left: new Date().toISOString() })); } catch { /* nothing is kept here */ }
  }

  function show(to) {
    const steps = [...tour().querySelectorAll(".tour-step")];
    step = Math.max(0, Math.min(to, steps.length - 1));
    steps.forEach((one, at) => { one.hidden = at !== step; });
    tour().hidden = false;
    const place = `${step + 1} of ${steps.length}`;
    tour().querySelector(".tour-place").textContent = place;
    tour().querySelector("[data-tour-said]").textContent = `Tour, ${place}. ${steps[step].innerText}`;
    tour().querySelector("[data-tour=back]").disabled = step === 0;
    tour().querySelector("[data-tour=next]").textContent = step === steps.length - 1 ? "Done" : "Next";
    return steps[step].dataset.opens;
  }
  function walk(to) {
    window.cxr.openTab(show(to));
    tour().scrollIntoView({ block: "nearest" });
  }
  function leave() {
    keepLeft();
    const within = tour().contains(document.activeElement);
    tour().hidden = true;
    if (within) document.querySelector("[role=tab][aria-selected=true]")?.focus();
  }
  const tours = {
    begin: () => {
      sheet().close();
      walk(0);
      tour().querySelector("[data-tour=next]").focus();
    },
    next: () => (tour().querySelector(`[data-step="${step + 1}"]`) ? walk(step + 1) : leave()),
    back: () => walk(step - 1),
    leave,
  };
  document.addEventListener("click", ({ target }) => {
    tours[target.closest?.("[data-tour]")?.dataset.tour]?.();
    const act = target.closest?.("[data-help]")?.dataset.help;
    if (act === "open") sheet().showModal();
    if (act === "close" || target === sheet()) sheet().close();      // the sheet itself: its backdrop
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]");
    if (event.key === "Escape" && tour()?.contains(event.target)) leave();
    if (event.key !== "?" || typing || event.ctrlKey || event.metaKey || event.altKey || !sheet()) return;
    event.preventDefault();
    if (sheet().open) sheet().close(); else sheet().showModal();
  });

  /* A visitor who comes by a link came for what it shows. */
  window.cxrHelp = {
    greet() { if (!wasLeft() && !location.hash && !location.search && tour()) show(0); },
  };
})();
