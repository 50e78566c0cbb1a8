/* The open collection on its tab: what window.cxrTray keeps, drawn with the HTML that the server has
   for each study. `element` comes from gr.HTML. */
const $ = (selector) => element.querySelector(selector);
const part = (name) => $(`[data-part=${name}]`);
const tray = window.cxrTray;
const MOST_COMPARED = 4;
const known = new Map();          // id -> { card, stage }, HTML; null for a study that is not here
let gallery = null, trouble = "";
let compared = [];                // ids, in the order in which they were chosen
let comparing = false;

/* Asks the server -> its answer; throws an Error with a sentence. */
async function ask(address, body) {
  let answer;
  try {
    answer = await fetch(address, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The server does not answer. Is it still running? Try again.");
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Error(said.error || "Something went wrong on the server. Try again.");
}

/* Fetches what is not known yet of the studies of the open collection. */
let asked = Promise.resolve();
async function fetched(ids) {
  const missing = ids.filter((id) => !known.has(id));
  if (!missing.length && gallery) return;
  const answer = await (await ask("collections/studies", { studies: missing })).json();
  gallery = answer.gallery;
  for (const one of answer.studies) known.set(one.id, one);
  for (const id of answer.missing) known.set(id, null);
}

const films = (count) => `${count.toLocaleString("en")} film${count === 1 ? "" : "s"}`;
const here = (one) => one.studies.filter((id) => known.get(id));

async function show() {
  if (!$(".collection")) return;
  const one = tray.current();
  bar(one);
  part("films").setAttribute("aria-busy", "true");
  asked = asked.then(() => fetched(one.studies)).then(() => { trouble = ""; }, (error) => { trouble = error.message; });
  await asked;
  if (tray.current().studies.join("\n") !== one.studies.join("\n")) return;
  list(one);
  notes(one);
}

/* The name, the other collections, and what can be done. */
function bar(one) {
  const pick = part("pick"), all = tray.collections(), place = tray.place();
  const options = all.map((each, index) => new Option(`${each.name} (${each.studies.length})`, index));
  if (place < 0) options.unshift(new Option(`${one.name} (by a link)`, -1));
  pick.replaceChildren(...options);
  pick.value = place;
  if (document.activeElement !== part("name")) part("name").value = one.name;
  part("title").textContent = one.name;
  part("shared").hidden = !tray.shared();
  $("[data-do=undo]").disabled = !tray.canUndo();
  $("[data-do=practise]").hidden = !document.getElementById("tab-practice-button");
}

/* The cards in their order. Those that stay are moved, so that the focus and the image stay. */
function list(one) {
  const holder = part("films"), shown = here(one);
  const old = new Map([...holder.children].map((item) => [item.dataset.study, item]));
  const focused = document.activeElement;
  shown.forEach((id, place) => {
    let item = old.get(id);
    old.delete(id);
    if (!item) {
      item = Object.assign(document.createElement("li"), { innerHTML: known.get(id).card });
      item.dataset.study = id;
    }
    if (holder.children[place] !== item) holder.insertBefore(item, holder.children[place] || null);
  });
  for (const item of old.values()) item.remove();
  holder.setAttribute("aria-busy", "false");
  if (focused?.isConnected && holder.contains(focused)) focused.focus({ preventScroll: true });
  shown.forEach((id, place) => {
    const item = holder.children[place];
    item.querySelector("[data-do=earlier]").disabled = place === 0;
    item.querySelector("[data-do=later]").disabled = place === shown.length - 1;
  });
  part("empty").hidden = one.studies.length > 0;
  const none = shown.length === 0;
  for (const button of part("actions").querySelectorAll("button:not([data-do=compare], [data-do=import])")) button.disabled = none;
  compared = compared.filter((id) => shown.includes(id));
  choices();
}

/* What is to be known of the whole: how many films, how many are not in this gallery, troubles. */
function notes(one) {
  const missing = one.studies.filter((id) => known.get(id) === null);
  const said = [];
  if (one.studies.length) said.push(films(here(one).length));
  if (missing.length) {
    const named = missing.slice(0, 5).join(", ") + (missing.length > 5 ? " …" : "");
    said.push(`${films(missing.length)} of this collection ${missing.length === 1 ? "is" : "are"} not in this gallery: ${named}`);
  }
  const other = one.gallery && gallery && one.gallery !== gallery.source;
  const elsewhere = one.from && gallery && one.from !== gallery.key;
  if (other) said.push(`it was put together from another gallery (${one.gallery}), so a film of the same number may be another`);
  if (elsewhere) said.push("the link was made for another gallery, so a film of the same number may be another");
  part("found").textContent = said.length ? `${said.join("; ")}.` : "";
  problem(trouble || tray.problem());
}

function problem(text) {
  const line = part("problem");
  line.hidden = !text;
  if (line.textContent !== text) line.replaceChildren(Object.assign(document.createElement("p"), { textContent: text }));
}

/* Films chosen for comparison: two to four. */
function choices() {
  for (const item of part("films").children) {
    const box = item.querySelector("[data-choose]");
    box.checked = compared.includes(item.dataset.study);
    box.disabled = !box.checked && compared.length >= MOST_COMPARED;
  }
  const button = $("[data-do=compare]");
  button.disabled = compared.length < 2;
  button.textContent = compared.length < 2 ? "Compare: choose 2 to 4" : `Compare ${compared.length} films`;
  if (comparing) compare(false);
}
function compare(arrive) {
  comparing = compared.length >= 2;
  const stages = comparing ? compared.map((id) => known.get(id).stage) : [];
  const detail = { stages, captions: part("captions").checked, arrive };
  dispatchEvent(new CustomEvent("cxr-compare", { detail }));
}
addEventListener("cxr-compare-end", () => {
  compared = [];
  choices();
  comparing = false;
  compare(false);
  $("[data-choose]")?.focus();
});

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(blob) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
const fileName = (name, suffix) => {
  const plain = name.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60);
  return `${plain || "collection"}.${suffix}`;
};

async function exported(button, format, suffix) {
  const one = tray.current(), label = button.textContent;
  button.disabled = true;
  button.textContent = "Writing…";
  try {
    const captions = part("captions").checked;
    const answer = await ask("collections/export", { studies: one.studies, name: one.name, captions, format });
    save(await answer.blob(), fileName(one.name, suffix));
    problem(tray.problem());
  } catch (error) {
    problem(error.message);
  }
  button.textContent = label;
  button.disabled = false;
}

/* Prints the films at their full size, when all of them have come. */
async function print() {
  const images = [...part("films").querySelectorAll("img[data-full]")];
  for (const image of images) image.src = image.dataset.full;
  await Promise.allSettled(images.map((image) => image.decode()));
  window.print();
}

const acts = {
  create: () => { tray.create(); part("name").focus(); part("name").select(); },
  discard: () => tray.discard(),
  undo: () => tray.undo(),
  keep: () => { tray.keepShared(); tray.go("collections"); },
  compare: () => compare(true),
  practise: () => tray.go(`practice?set=${here(tray.current()).map(encodeURIComponent).join(",")}`),
  link: async () => {
    const address = tray.link();
    try { await navigator.clipboard.writeText(address); tray.say("The link is copied."); } catch {
      prompt("Copy this link:", address);      // without https the clipboard is closed to scripts
    }
  },
  pdf: (button) => exported(button, "pdf", "pdf"),
  slides: (button) => exported(button, "slides", "zip"),
  print,
  json: () => {
    const text = `${JSON.stringify(tray.document(), null, 2)}\n`;
    save(new Blob([text], { type: "application/json" }), fileName(tray.current().name, "json"));
  },
  import: () => part("file").click(),
  open: (button) => tray.go(`search?film=${encodeURIComponent(study(button))}`),
  remove: (button) => {
    const item = button.closest("li"), next = item.nextElementSibling || item.previousElementSibling;
    tray.remove(study(button));
    (next?.querySelector("[data-do=remove]") || part("name")).focus();
  },
  earlier: (button) => step(button, -1),
  later: (button) => step(button, 1),
};
const study = (inside) => inside.closest("li").dataset.study;
function step(button, by) {
  const { studies } = tray.current(), shown = here(tray.current());
  const id = study(button), other = shown[shown.indexOf(id) + by];
  tray.move(studies.indexOf(id), studies.indexOf(other));
  requestAnimationFrame(() => (button.disabled ? button.parentElement.querySelector("[data-do=earlier]:enabled, [data-do=later]:enabled") : button)?.focus());
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) acts[button.dataset.do](button);
});
element.addEventListener("change", async (event) => {
  const { target } = event;
  if (target === part("pick")) tray.open(Number(target.value));
  if (target === part("name")) { tray.rename(target.value); target.value = tray.current().name; }
  if (target === part("captions")) {
    $(".collection").dataset.captions = target.checked ? "on" : "off";
    if (comparing) compare(false);
  }
  if (target.matches("[data-choose]")) {
    const id = study(target);
    compared = target.checked ? [...compared, id] : compared.filter((one) => one !== id);
    choices();
  }
  if (target === part("file") && target.files[0]) {
    const [file] = target.files;
    try {
      if (file.size > 1e6) throw new Error("expected a collection of at most 1 MB, got a larger file; choose another");
      tray.load(await file.text());
    } catch (error) {
      problem(`${file.name.slice(0, 60)} was not imported: ${error.message}.`);
    }
    target.value = "";
  }
});
element.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target === part("name")) event.target.blur();
});

/* A card is dragged by its grip, with the mouse or a finger; it moves as it goes. */
let dragged = null;
element.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest("[data-grip]");
  if (!grip || event.button) return;
  dragged = grip.closest("li");
  dragged.classList.add("dragged");
  grip.setPointerCapture(event.pointerId);
  event.preventDefault();
});
element.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  const over = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-part=films] > li");
  if (!over || over === dragged) return;
  const items = [...part("films").children];
  const after = items.indexOf(over) > items.indexOf(dragged);
  over[after ? "after" : "before"](dragged);
});
for (const end of ["pointerup", "pointercancel"]) {
  element.addEventListener(end, () => {
    if (!dragged) return;
    dragged.classList.remove("dragged");
    dragged = null;
    const order = [...part("films").children].map((item) => item.dataset.study);
    const away = tray.current().studies.filter((id) => !order.includes(id));      // not in this gallery
    tray.arrange([...order, ...away]);
  });
}

addEventListener(tray.CHANGED, show);
element.addEventListener("error", (event) => {
  if (event.target.matches?.(".film img")) event.target.closest(".film").classList.add("broken");
}, true);
show();
