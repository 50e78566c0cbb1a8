/* The whole page: dark or light, a film dropped or pasted anywhere, filters folded on a phone. */
(() => {
  const KEY = "cxr-palette";
  const stored = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  let palette = stored() || new URLSearchParams(location.search).get("__theme") || "dark";

  function apply() {
    const dark = palette !== "light";
    if (document.body && document.body.classList.contains("dark") !== dark) {
      document.body.classList.toggle("dark", dark);
    }
  }

  /* Gradio follows the system's preference while it mounts; the page is dark unless a visitor chose. */
  function keep() {
    new MutationObserver(apply).observe(document.body, { attributeFilter: ["class"] });
    apply();
  }
  if (document.body) keep(); else addEventListener("DOMContentLoaded", keep);

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#palette")) return;
    palette = palette === "light" ? "dark" : "light";
    try { localStorage.setItem(KEY, palette); } catch { /* a private window keeps no choice */ }
    apply();
  });

  /* Each tab may have a box to type in, a button that asks, and one that takes films. */
  const shown = (selector) => [...document.querySelectorAll(selector)].find((one) => one.offsetParent);
  const box = () => shown(".ask-box textarea, .ask-box input");

  /* An example fills the open tab's box and asks, as if it had been typed; one with data-tab opens
     that tab first. */
  function ask(text) {
    const into = box();
    if (!into) return;
    into.value = text;
    into.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => shown(".ask-go")?.click(), 60);
  }
  document.addEventListener("click", (event) => {
    const { query, tab } = event.target.closest?.("[data-query]")?.dataset || {};
    if (query === undefined) return;
    if (!tab) return ask(query);
    window.cxr.openTab(tab);
    setTimeout(() => { scrollTo({ top: 0 }); ask(query); }, 60);
  });

  /* A finding's name on a card leads to its lesson, though a card is a button; by key it is reached
     from the open film, where the name is a link. Some browsers give a button's clicks to the button
     alone: what lies under the pointer is asked for. */
  document.addEventListener("click", (event) => {
    const named = event.detail && document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-lesson-at]");
    if (!named || !event.target.closest?.("a, button, .chips")?.contains(named)) return;
    event.preventDefault();
    event.stopPropagation();
    location.hash = named.dataset.lessonAt;
  }, true);

  /* A film dropped on the page or pasted goes the way of the open tab's upload button. */
  const DROP = {
    "film-upload": "Drop the film to find others like it",
    "read-upload": "Drop the film to read it",
    "locate-upload": "Drop the film to outline findings in it",
  };
  function send(files) {
    const input = shown(".takes-film")?.parentElement.querySelector("input[type=file]");
    if (!input || !files?.length) return false;
    const one = new DataTransfer();
    one.items.add(files[0]);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  }
  const holdsFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  let depth = 0;
  const hover = (on) => {
    document.body.dataset.drop = DROP[shown(".takes-film")?.id] || "This tab takes no film";
    document.body.classList.toggle("dropping", on);
  };
  addEventListener("dragenter", (event) => { if (holdsFiles(event)) { depth += 1; hover(true); } });
  addEventListener("dragleave", (event) => {
    if (holdsFiles(event) && (depth -= 1) <= 0) { depth = 0; hover(false); }
  });
  addEventListener("dragover", (event) => { if (holdsFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    hover(false);
    send(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    if (send(event.clipboardData?.files)) event.preventDefault();
  });

  /* "/" goes to the open tab's box, as in most search pages. */
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    box()?.focus();
  });

  /* A link past what the keyboard would have to walk through: to the first target that is shown. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-skip]");
    if (!link) return;
    event.preventDefault();
    const target = shown(link.dataset.skip);
    if (!target) return;
    if (target.tabIndex < 0 && !target.hasAttribute("tabindex")) target.tabIndex = -1;
    target.focus();
    target.scrollIntoView({ block: "nearest" });
  });

  /* What a visitor asked for has come: show its heading where it is out of sight, and give it the
     focus where nothing else has it, so that a reader on a phone or without eyes is told. */
  function goTo(heading, focus = false) {
    if (!heading) return false;
    const { top, bottom } = heading.getBoundingClientRect();
    const narrow = matchMedia("(max-width: 700px)").matches;      // there little else fits below
    const away = top < 0 || bottom > innerHeight * (narrow ? 0.3 : 0.8);
    if (away) heading.scrollIntoView({ block: "start" });
    if (focus || away || document.activeElement === document.body) heading.focus({ preventScroll: true });
    return away;
  }

  /* What was refused is said where the visitor looks, also after the page was scrolled. */
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) {
      if (node.nodeType !== Node.ELEMENT_NODE) continue;
      const said = node.matches(".notice") ? node : node.querySelector(".notice");
      if (said?.offsetParent) said.scrollIntoView({ block: "nearest" });
    }
  }).observe(document.body, { childList: true, subtree: true });

  /* Every tab has an address, ?tab=NAME or #NAME, and the arrow keys walk the bar. What the Search
     tab shows stands behind its name: #search?PLACE; a lesson has #learn/NAME. */
  const tab = (name) => document.getElementById(`tab-${name}-button`);
  window.cxr = {
    goTo,
    openTab: (name) => tab(name)?.click(),
    searchPlace: "",
    restore() {},
    lessonPlace: "",
    openLesson(name) { window.cxr.lessonPlace = name; },      // until the tab is there
    setAddress(name, place, stays) {
      const address = `#${name}${place ? `?${place}` : ""}`;
      if (address === location.hash) return;
      history[stays ? "replaceState" : "pushState"](null, "", address);
    },
    openAddressed() {
      const linked = window.cxrTray.takeLink(location.hash) ? "collections" : "";
      const wanted = linked || location.hash.slice(1) || new URLSearchParams(location.search).get("tab") || "";
      const [, name, place] = wanted.match(/^([a-z]+)(?:[?/](.*))?$/) || [];
      if (name && tab(name)?.getAttribute("aria-selected") !== "true") {
        following = true;
        window.cxr.openTab(name);
        following = false;
      }
      if (!wanted || name === "search") window.cxr.restore(place || "");
      if (name === "learn" && place) window.cxr.openLesson(place);
    },
  };
  let following = false;          // whether a tab is opened because the address names it
  addEventListener("popstate", () => window.cxr.openAddressed());
  /* On a narrow screen the row of tabs scrolls: the open tab is brought to its middle. */
  function showInRow(button) {
    const row = button.parentElement, { left, width } = button.getBoundingClientRect();
    row.scrollLeft += left + width / 2 - row.getBoundingClientRect().left - row.clientWidth / 2;
  }
  document.addEventListener("click", (event) => {
    const opened = event.target.closest?.("[role=tab]");
    if (opened) showInRow(opened);
    const name = opened?.id.match(/^tab-([a-z]+)-button$/)?.[1];
    if (!name || following) return;
    const lesson = name === "learn" && window.cxr.lessonPlace;
    if (lesson) return window.cxr.setAddress(`learn/${lesson}`, "", false);
    window.cxr.setAddress(name, name === "search" ? window.cxr.searchPlace : "", false);
  });
  addEventListener("keydown", (event) => {
    const here = event.target.closest?.("[role=tab]");
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!here || !step) return;
    const all = [...here.parentElement.querySelectorAll("[role=tab]")];
    const next = all[(all.indexOf(here) + step + all.length) % all.length];
    event.preventDefault();
    next.focus();
    next.click();
  });
})();
