/* Collections of films, kept in this browser: window.cxrTray, for every tab. A collection is a name
   and the ids of studies; docs/collections.md says what is kept and what other scripts may call. */
(() => {
  const KEY = "cxr-collections", ASIDE = "cxr-collections-unreadable", VERSION = 1;
  const FORMAT = "cxr-collection", CHANGED = "cxr-tray";
  const MOST = { collections: 100, studies: 500, name: 80, id: 200 };
  const former = [];              // what was kept before each change, for undo
  let shared = null;              // a collection that a link brought and nobody has kept yet
  let gallery = null;             // { key, source } of the gallery that this page shows
  let problem = "";               // why nothing can be kept, in words
  let kept = read();

  /* A name on one line, cut to what a name may be. */
  function named(text) {
    return String(text ?? "").replace(/\s+/g, " ").trim().slice(0, MOST.name);
  }

  /* A collection from outside -> as it is used here. Throws an Error with a sentence. */
  function checked(value) {
    const from = Array.isArray(value) ? { studies: value } : value;
    if (!from || typeof from !== "object" || !Array.isArray(from.studies)) {
      throw new Error("expected a collection with a list of studies, got something else");
    }
    if (from.format !== undefined && from.format !== FORMAT) {
      throw new Error("expected a collection of this page, got a file of another kind");
    }
    if (from.version !== undefined && from.version !== VERSION) {
      throw new Error(`expected a collection of version ${VERSION}, got version ${String(from.version).slice(0, 20)}`);
    }
    const studies = [...new Set(from.studies)];
    if (!studies.every((id) => typeof id === "string" && id.trim() && id.length <= MOST.id)) {
      throw new Error("expected ids of studies as text, got something else among them");
    }
    if (studies.length > MOST.studies) {
      throw new Error(`expected at most ${MOST.studies} studies, got ${studies.length}`);
    }
    return { name: named(from.name), gallery: String(from.gallery ?? "").slice(0, 300), studies };
  }

  function fresh(name) {
    return { name: named(name) || unused("Collection"), gallery: gallery?.source || "", studies: [] };
  }
  function unused(word) {
    const taken = new Set((kept?.collections || []).map((one) => one.name));
    let number = 1;
    while (taken.has(`${word} ${number}`)) number += 1;
    return `${word} ${number}`;
  }

  /* What this browser keeps. What cannot be read is set aside, not thrown away. */
  function read() {
    const blank = { version: VERSION, open: 0, collections: [{ name: "Collection 1", gallery: "", studies: [] }] };
    let text = null;
    try { text = localStorage.getItem(KEY); } catch {
      problem = "This browser keeps nothing for this page, so collections last until you leave it. Export what you need.";
    }
    if (text === null) return blank;
    try {
      const value = JSON.parse(text);
      if (value?.version !== VERSION) {
        throw new Error(`they are of version ${String(value?.version).slice(0, 20)}, this page writes ${VERSION}`);
      }
      const collections = value.collections.slice(0, MOST.collections).map(checked);
      if (!collections.length) throw new Error("there are none");
      collections.forEach((one) => { one.name ||= "Collection"; });
      const open = Number.isInteger(value.open) && collections[value.open] ? value.open : 0;
      return { version: VERSION, open, collections };
    } catch (error) {
      const reason = error instanceof SyntaxError || error instanceof TypeError ? "they are damaged" : error.message;
      problem = `The collections kept in this browser cannot be read: ${reason}. They were set aside, and you begin with an empty one.`;
      try { localStorage.setItem(ASIDE, text); localStorage.removeItem(KEY); } catch { /* said below, at the next change */ }
      return blank;
    }
  }

  function write() {
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
      return true;
    } catch {
      problem = "This browser has no room left for this page, so the last change lasts until you leave it. Export the collection, or delete another.";
      return false;
    }
  }

  /* Every change goes through here: it can be undone, it is kept, and whoever shows it is told. */
  function change(alter) {
    const before = JSON.stringify({ kept, shared });
    const said = alter();
    if (JSON.stringify({ kept, shared }) === before) return said;
    former.push(before);
    if (former.length > 30) former.shift();
    problem = "";
    write();
    dispatchEvent(new Event(CHANGED));
    return said;
  }

  const current = () => shared || kept.collections[kept.open];
  const films = (count) => `${count.toLocaleString("en")} film${count === 1 ? "" : "s"}`;

  /* The gallery on this page, asked for once there is something to say it of. */
  async function recognize() {
    if (gallery) return gallery;
    try {
      const answer = await fetch("collections/gallery");
      if (answer.ok) gallery = await answer.json();
    } catch { /* offline: the next call asks again */ }
    if (gallery) {
      for (const one of kept.collections) if (one.studies.length) one.gallery ||= gallery.source;
      write();
    }
    return gallery;
  }

  const tray = {
    CHANGED,
    current: () => structuredClone(current()),
    collections: () => structuredClone(kept.collections),
    place: () => (shared ? -1 : kept.open),
    problem: () => problem,
    shared: () => shared !== null,
    has: (id) => kept.collections[kept.open].studies.includes(id),
    canUndo: () => former.length > 0,
    recognize,

    /* Adds studies to the collection of that name, which is made where there is none and becomes
       the open one; without a name, to the open one. Says what it did, also on the page. */
    add(ids, name) {
      const wanted = [...new Set([ids].flat().map(String))].filter((id) => id && id.length <= MOST.id);
      const done = change(() => {
        if (named(name)) {
          shared = null;
          let place = kept.collections.findIndex((one) => one.name === named(name));
          if (place < 0) place = kept.collections.push(fresh(name)) - 1;
          kept.open = place;
        }
        const into = kept.collections[kept.open];
        const missing = wanted.filter((id) => !into.studies.includes(id));
        const room = missing.slice(0, MOST.studies - into.studies.length);
        into.studies.push(...room);
        if (!into.gallery && gallery) into.gallery = gallery.source;
        return { name: into.name, added: room.length, already: wanted.length - missing.length, left: missing.length - room.length };
      });
      recognize();
      const full = done.left ? ` A collection holds ${films(MOST.studies)}; ${films(done.left)} did not fit.` : "";
      say(`${films(done.added)} added to “${done.name}”.${full}`, done.added > 0);
      return done;
    },

    remove(ids, from = current()) {
      const away = new Set([ids].flat());
      change(() => { from.studies = from.studies.filter((id) => !away.has(id)); });
      say(`${films(away.size)} taken out of “${from.name}”.`, true);
    },
    move(from, to) {
      change(() => {
        const { studies } = current();
        const place = Math.max(0, Math.min(studies.length - 1, to));
        studies.splice(place, 0, ...studies.splice(from, 1));
      });
    },
    arrange(ids) {
      change(() => {
        const { studies } = current();
        if (ids.length === studies.length && ids.every((id) => studies.includes(id))) current().studies = [...ids];
      });
    },
    rename(name) { change(() => { current().name = named(name) || current().name; }); },
    create(name) {
      change(() => { shared = null; kept.open = kept.collections.push(fresh(name)) - 1; });
    },
    open(place) {
      if (!kept.collections[place]) return;
      shared = null;
      kept.open = place;
      write();
      dispatchEvent(new Event(CHANGED));
    },
    discard() {
      const { name } = current();
      change(() => {
        if (shared) { shared = null; return; }
        kept.collections.splice(kept.open, 1);
        if (!kept.collections.length) kept.collections.push(fresh());
        kept.open = Math.min(kept.open, kept.collections.length - 1);
      });
      say(`“${name}” deleted.`, true);
    },
    keepShared() {
      if (!shared) return;
      change(() => {
        kept.open = kept.collections.push({ ...shared, name: shared.name || unused("Collection") }) - 1;
        shared = null;
      });
      say(`“${current().name}” is kept in this browser.`, true);
    },
    undo() {
      const before = former.pop();
      if (!before) return;
      ({ kept, shared } = JSON.parse(before));
      problem = "";
      write();
      say("Undone.");
      dispatchEvent(new Event(CHANGED));
    },

    /* The collection as a file: docs/collections.md describes it. */
    document() {
      const { name, gallery: from, studies } = current();
      return { format: FORMAT, version: VERSION, name, gallery: from || gallery?.source || "", studies };
    },
    /* Text of such a file, or of a list of ids -> another collection, opened. Throws an Error. */
    load(text) {
      let value;
      try { value = JSON.parse(text); } catch {
        throw new Error("expected a collection as JSON, got a file that is none; choose one that this page exported");
      }
      const one = checked(value);
      if (!one.studies.length) throw new Error("expected a collection with studies, got an empty one");
      change(() => {
        shared = null;
        kept.open = kept.collections.push({ ...one, name: one.name || unused("Collection") }) - 1;
      });
      say(`“${current().name}”, ${films(one.studies.length)}, imported.`, true);
    },

    /* #collection=ID,ID&name=NAME&from=GALLERY: what a colleague opens. */
    link() {
      const { name, studies } = current();
      const parts = [`collection=${studies.map(encodeURIComponent).join(",")}`, `name=${encodeURIComponent(name)}`];
      if (gallery) parts.push(`from=${gallery.key}`);
      return `${location.origin}${location.pathname}${location.search}#${parts.join("&")}`;
    },
    /* Takes the collection of such an address; whether it was one. */
    takeLink(hash) {
      const [, list, rest] = hash.match(/^#collection=([^&]*)&?(.*)$/) || [];
      if (list === undefined) return false;
      const said = new URLSearchParams(rest);
      try {
        const studies = list.split(",").filter(Boolean).map(decodeURIComponent);
        shared = { ...checked({ studies, name: said.get("name") }), from: said.get("from") || "" };
        shared.name ||= "Shared collection";
        problem = "";
      } catch (error) {
        const reason = error instanceof URIError ? "it is damaged" : error.message;
        problem = `The link cannot be read: ${reason}. Ask for it again.`;
        shared = null;
      }
      dispatchEvent(new Event(CHANGED));
      return true;
    },
    go(address) { location.hash = address; },
    say,
  };
  window.cxrTray = tray;

  /* One line at the foot of the window, spoken by screen readers, with a way back. */
  let quiet = 0;
  function say(text, undo = false) {
    let line = document.getElementById("tray-said");
    if (!line) {
      line = Object.assign(document.createElement("div"), { id: "tray-said" });
      line.setAttribute("role", "status");
      document.body.append(line);
    }
    line.replaceChildren(Object.assign(document.createElement("span"), { textContent: problem || text }));
    const button = (label, act) => {
      const made = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: label });
      made.dataset.tray = act;
      line.append(made);
    };
    if (undo) button("Undo", "undo");
    clearTimeout(quiet);
    const hide = () => {
      if (line.matches(":hover, :focus-within")) quiet = setTimeout(hide, 2000);
      else line.replaceChildren();
    };
    quiet = setTimeout(hide, 7000);
  }

  /* The buttons of every tab: data-keep is a study's id; the page's head opens the collection. */
  document.addEventListener("click", (event) => {
    const keep = event.target.closest?.("[data-keep]");
    if (keep) {
      if (tray.has(keep.dataset.keep)) tray.remove(keep.dataset.keep, kept.collections[kept.open]);
      else tray.add(keep.dataset.keep);
    }
    const act = event.target.closest?.("[data-tray]")?.dataset.tray;
    if (act === "undo") tray.undo();
    if (act === "open") window.cxr.openTab("collections");
  });

  function mark() {
    for (const button of document.querySelectorAll("[data-keep]")) {
      const pressed = String(tray.has(button.dataset.keep));
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    }
    const count = document.querySelector("[data-tray=open] [data-count]");
    const number = String(kept.collections[kept.open].studies.length);
    if (count && count.textContent !== number) count.textContent = number;
  }
  let marking = 0;
  const soon = () => { marking ||= requestAnimationFrame(() => { marking = 0; mark(); }); };
  addEventListener(CHANGED, soon);
  const watch = () => new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  if (document.body) watch(); else addEventListener("DOMContentLoaded", watch);

  /* The same page in another window of this browser has changed what is kept. */
  addEventListener("storage", (event) => {
    if (event.key !== KEY && event.key !== null) return;
    kept = read();
    former.length = 0;
    dispatchEvent(new Event(CHANGED));
  });
})();
