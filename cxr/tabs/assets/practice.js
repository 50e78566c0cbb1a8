/* The Practice tab: what a visitor answers stays in this browser; the server grades and forgets. */
const SENT = 400;       // answers that travel with a request; all of them for progress and results
let kept = window.cxrPractice.read();    // profile, session, answers, key, done
let said = null;        // what is called out before the answer, such as "normal"
let shownAt = 0, busy = false, answered = false, length = 15, course = "";

function keep() {
  if (!window.cxrPractice.write(kept)) notice("This browser keeps nothing; export what you want to keep.");
}
const body = () => $(".practice-body");
/* What goes to the server: never which labels were held for wrong, and why. */
const whole = () => ({ ...kept.profile, flags: [] });
const travelling = () => ({ ...whole(), records: kept.profile.records.slice(-SENT), judged: [] });
const onOrigin = () => kept.session?.mode === "origin";      // real or generated?
const now = () => new Date().toISOString();
function notice(text) { const line = $(".practice-notice"); if (line) line.textContent = text; }

async function request(name, asked) {
  return fetch(`practice/${name}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked),
  });
}
async function send(name, asked) {
  const answer = await request(name, asked);
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error);
  return value;
}
/* One thing at a time; what fails is said and changes nothing. */
async function doing(work) {
  if (busy) return;
  busy = true;
  notice("");
  try { await work(); } catch (error) { notice(error.message || "The server does not answer; try again."); }
  busy = false;
}
function show(html, focus = true) {
  body().innerHTML = html;
  resetMarks();
  hang();
  if (focus) window.cxr.goTo($("h2"), true);
}

async function home(focus = true) {
  answered = false;
  const { html } = await send("start", { profile: { ...travelling(), judged: kept.profile.judged || [] }, paused: Boolean(kept.session) });
  show(html, focus);
}

async function begin(session) {
  kept.session = { seed: Math.floor(Math.random() * 2 ** 31), position: 0, length, course, ...session };
  kept.answers = [];
  kept.key = null;
  keep();
  await ask();
}
async function ask() {
  const found = await send("next", { profile: travelling(), session: kept.session, key: kept.key, now: now() });
  Object.assign(kept.session, { keys: found.keys, length: found.length });
  kept.key = found.key;
  keep();
  said = null;
  answered = false;
  resetStrip();
  show(found.html);
  shownAt = performance.now();
}

function answer() {
  const taken = {
    confidence: Number($("#practice-confidence").value) / 100,
    seconds: Math.round((performance.now() - shownAt) / 10) / 100,
  };
  if (onOrigin()) return { generated: said === "generated", ...taken };
  const findings = {};
  for (const item of element.querySelectorAll(".named li")) findings[item.dataset.finding] = marks[item.dataset.finding] || null;
  return {
    abnormal: said === "abnormal",
    findings: said === "abnormal" ? findings : {},
    ...taken,
  };
}
function merge({ records = [], judged = [], courses }) {
  kept.profile.records = [...kept.profile.records, ...records].slice(-5000);
  kept.profile.judged = [...(kept.profile.judged || []), ...judged].slice(-5000);
  if (courses) kept.profile.courses = courses;
}
async function commit() {
  await looking;
  if (!said || answered) return;
  const given = answer();
  if ($(".practice-ask").dataset.silent) {
    kept.answers.push({ key: kept.key, answer: given, at: now() });
    answered = true;      // the form stays until the next film is there, and takes nothing more
    return step();
  }
  const asked = { profile: travelling(), session: kept.session, key: kept.key, answer: given, now: now() };
  const found = await send(onOrigin() ? "judge" : "grade", asked);
  merge(found);
  answered = true;
  kept.session.position += 1;
  kept.lastKey = kept.key;
  kept.key = null;
  keep();
  markFor(null);
  outlines = found.shapes || null;
  $(".commit").hidden = true;
  const sheet = document.createElement("div");
  sheet.innerHTML = found.html;
  $(".practice-answer").replaceChildren(sheet.querySelector("[data-part=answer]"));
  $(".practice-below").replaceChildren(...sheet.querySelectorAll("[data-part=below]"));
  if (kept.session.position >= kept.session.length) $("[data-do=next]").textContent = "See how it went";
  drawMarks();
  compare();
  window.cxr.goTo($(".practice-answer h3"), true);
}
async function step() {
  kept.session.position += 1;
  kept.key = null;
  keep();
  await onward();
}
async function onward() {
  const { position, length: all, seed } = kept.session, origins = onOrigin();
  if (position < all) return ask();
  if (kept.answers.length) {
    merge(await send("finish", { profile: travelling(), session: kept.session, answers: kept.answers }));
  }
  kept.done = kept.session.link;
  kept.session = null;
  kept.answers = [];
  keep();
  await progress(all, origins ? { mode: "origin", length: all, seed } : null);
}
async function progress(last, session = null) {
  answered = false;
  const { html } = await send("progress", { profile: whole(), last: last || null, session });
  show(html);
}

/* Findings by chip or by typed words; each asks for its place. */
function choose(finding, on = true) {
  const list = $(".named"), former = [...list.children].find((item) => item.dataset.finding === finding);
  if (former && on) return markFor(finding);
  if (former) { former.remove(); delete marks[finding]; if (marking === finding) markFor(null); }
  else if (on) {
    const item = document.createElement("li");
    item.dataset.finding = finding;
    item.innerHTML = '<strong></strong> <span class="where">no place yet</span> <button type="button" class="link" data-do="mark">mark</button> <button type="button" class="link" data-do="unpick">remove</button>';
    item.querySelector("strong").textContent = finding;
    for (const button of item.querySelectorAll("button")) button.setAttribute("aria-label", `${button.textContent} ${finding}`);
    list.append(item);
    markFor(finding);
  }
  for (const chip of element.querySelectorAll("[data-do=pick]")) {
    if (chip.dataset.finding === finding) chip.setAttribute("aria-pressed", String(on));
  }
  drawMarks();
}
element.addEventListener("marked", ({ detail }) => {
  const item = [...element.querySelectorAll(".named li")].find((one) => one.dataset.finding === detail);
  if (item) item.querySelector(".where").textContent = marks[detail][2] || marks[detail][3] ? "boxed" : "marked";
});
/* Typed words on their way to findings; an answer waits for them. What they add to the page waits in
   turn until a pressed button is let go: moved away under the pointer, it would not be clicked. */
let looking = null, held = null;
addEventListener("pointerdown", () => {
  const stop = new AbortController(), { signal } = stop;
  held = new Promise((go) => {
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { stop.abort(); setTimeout(go); }, { signal });
  });
});
function lookUp(text) {
  looking = find(text).catch((error) => notice(error.message));
}
async function find(text) {
  if (!text.trim()) return;
  const { findings, unknown } = await send("find", { text });
  await held;
  if (answered || !$(".named")) return;
  findings.forEach((finding) => choose(finding));
  $(".find-said").textContent = findings.length ? "" : `Not understood: ${unknown.join(", ") || text}. Choose below.`;
  if (findings.length) $("#practice-find").value = "";
}
function callOut(word) {
  if (!$(".commit") || answered) return;
  said = word;
  for (const button of element.querySelectorAll("[data-do=say]")) button.setAttribute("aria-pressed", String(button.dataset.say === word));
  if ($(".what")) $(".what").hidden = word !== "abnormal";
  if (word !== "abnormal") markFor(null);
  $("[data-do=commit]").disabled = false;
}
/* What a key calls out: the choice that begins with it. */
function spoken(key) {
  return [...element.querySelectorAll("[data-do=say]")].map((one) => one.dataset.say).find((word) => word[0] === key);
}
function sure(value) {
  const slider = $("#practice-confidence");
  if (!slider || answered) return;
  slider.value = value;
  $("#practice-sure").textContent = `${slider.value}%`;
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(blob) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
const asJson = (value) => new Blob([JSON.stringify(value, null, 1)], { type: "application/json" });
/* The profile with the answers alone that a button is about: those of a session, or all. */
function lastOf({ dataset }, list = "records") {
  const last = Number(dataset.last), profile = whole();
  return last ? { ...profile, records: [], judged: [], [list]: (profile[list] || []).slice(-last) } : profile;
}
/* What changes the page alone, and so waits for nothing. */
const LOCAL = new Set(["length", "course", "say", "pick", "unpick", "mark", "swap", "flag", "unflag", "collect", "more", "export", "import"]);
const NAMES = { exam: "Exam", set: "Set", origin: "Real or generated, set" };
const does = {
  begin: ({ dataset }) => {
    const { mode, length: films } = dataset;
    return begin({ mode, ...(films ? { length: Number(films) } : {}) });
  },
  resume: () => (kept.session.position < kept.session.length ? ask() : onward()),
  pause: () => { keep(); return home(); },
  next: onward,
  commit,
  home,
  progress: () => progress(0),
  length: (button) => { length = Number(button.dataset.length); press(button); },
  course: (button) => { course = button.dataset.course; press(button); },
  say: (button) => callOut(button.dataset.say),
  pick: (button) => choose(button.dataset.finding, button.getAttribute("aria-pressed") !== "true"),
  unpick: (button) => choose(button.closest("li").dataset.finding, false),
  mark: (button) => { markFor(button.closest("li").dataset.finding); $(".practice-film .stage").focus(); },
  swap: (button) => swap(Number(button.dataset.at)),
  heat: async (button) => {
    const said = $(".heat-said");
    if (heatMap) { heatMap = ""; said.textContent = ""; button.textContent = "Show the model's map"; return drawMarks(); }
    said.textContent = "The model is looking…";
    try {
      const found = await send("heat", { key: kept.lastKey, finding: button.dataset.finding });
      heatMap = await tinted(found.map);
      said.textContent = `Red: where a model marks ${found.taken}. It is no radiologist's outline, and often wrong.`;
      button.textContent = "Hide the model's map";
      drawMarks();
    } catch (error) { said.textContent = `No map: ${error.message}`; }
  },
  flag: (button) => {
    const { key, study } = kept.profile.records.at(-1);
    kept.profile.flags.push({ key, study, note: "", reason: "", at: now() });
    keep();
    flagging(button, true);
    $("[data-flag=reason]").focus();
  },
  unflag: () => {
    kept.profile.flags.pop();
    keep();
    for (const one of element.querySelectorAll("[data-flag]")) one.value = "";
    flagging($("[data-do=flag]"), false);
    $("[data-do=flag]").focus();
  },
  collect: (button) => window.cxrTray.add(window.cxrPractice.misses(lastOf(button).records), "Missed in practice"),
  more: (button) => {
    const picture = Object.assign(new Image(), { src: button.dataset.film, alt: "One more film" });
    button.replaceWith(picture);
    $(".transfer .actions").hidden = false;
  },
  choice: async (button) => {
    const all = [...element.querySelectorAll("[data-do=choice]")];
    const { html } = await send("transfer", {
      key: $(".transfer").dataset.key, pair: all.map((one) => one.dataset.choice), choice: button.dataset.choice });
    $(".transfer-said").innerHTML = html;
    all.forEach((one) => { one.disabled = true; });
  },
  lesson: ({ dataset }) => begin({ mode: "practice", length: 5, pair: [dataset.finding, dataset.rival] }),
  compose: async ({ dataset }) => {
    const mode = dataset.mode || ($("#compose-exam").checked ? "exam" : "set");
    const { link, films: count } = await send("compose", {
      length: Number($("#compose-length").value), seed: Number($("#compose-seed").value), course, mode });
    const address = `${location.origin}${location.pathname}${link}`;
    const anchor = Object.assign(document.createElement("a"), { href: address, textContent: `${NAMES[mode]} of ${count} films` });
    const copy = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "copy the link" });
    copy.onclick = () => navigator.clipboard?.writeText(address).then(() => { copy.textContent = "copied"; });
    $(".practice-start .practice-link").replaceChildren(anchor, " ", copy);
  },
  export: () => save(asJson(kept.profile), "practice-profile.json"),
  import: () => $("#practice-import").click(),
  erase: async (button) => {
    if (button.dataset.sure) { kept = { profile: window.cxrPractice.empty() }; keep(); return home(); }
    button.dataset.sure = "1";
    button.textContent = "Erase all answers for good";
  },
  origins: async (button) => save(new Blob([(await send("results", { profile: lastOf(button, "judged"), kind: "origin" })).text], { type: "text/csv" }), "real-or-generated.csv"),
  csv: async (button) => save(new Blob([(await send("results", { profile: lastOf(button), kind: "csv" })).text], { type: "text/csv" }), "practice-results.csv"),
  json: async (button) => save(asJson((await send("results", { profile: lastOf(button), kind: "json" })).document), "practice-results.json"),
  deck: async (button) => {
    const answer = await request("deck", { profile: lastOf(button) });
    if (!answer.ok) throw new Error((await answer.json()).error);
    save(await answer.blob(), "practice-films.apkg");
  },
};
function flagging(button, on) {
  button.hidden = on;
  $(".flagged").hidden = !on;
}
function press(button) {
  for (const one of button.parentElement.children) one.setAttribute("aria-pressed", String(one === button));
}
/* A grey map as red of that strength. */
async function tinted(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  const sheet = Object.assign(document.createElement("canvas"), { width: image.naturalWidth, height: image.naturalHeight });
  const pen = sheet.getContext("2d");
  pen.drawImage(image, 0, 0);
  const pixels = pen.getImageData(0, 0, sheet.width, sheet.height);
  for (let i = 0; i < pixels.data.length; i += 4) pixels.data.set([255, 70, 50, pixels.data[i] * 0.6], i);
  pen.putImageData(pixels, 0, 0);
  return sheet.toDataURL();
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (!button) return;
  if (button.dataset.do === "commit") event.preventDefault();
  const work = does[button.dataset.do];
  if (!work) return;
  if (LOCAL.has(button.dataset.do)) work(button);
  else doing(() => work(button));
});
element.addEventListener("submit", (event) => event.preventDefault());
element.addEventListener("change", (event) => {
  if (event.target.id === "practice-import" && event.target.files[0]) doing(async () => {
    let found;
    try { found = JSON.parse(await event.target.files[0].text()); } catch { throw new Error("Expected a practice profile, got another file; choose the one that was exported."); }
    const { profile } = await send("check", { profile: found });
    kept = { profile };
    keep();
    await home();
  });
  if (event.target.id === "practice-find") lookUp(event.target.value);
});
element.addEventListener("input", ({ target }) => {
  if (target.id === "practice-confidence") sure(target.value);
  if (!target.dataset.flag) return;
  kept.profile.flags.at(-1)[target.dataset.flag] = target.value;
  keep();
});
element.addEventListener("keydown", (event) => {
  if (event.target.id === "practice-find" && event.key === "Enter") {
    event.preventDefault();
    lookUp(event.target.value);
  }
});
addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=range]), textarea, select, [contenteditable]");
  if (!element.getClientRects().length || typing || event.ctrlKey || event.metaKey || event.altKey || !$(".practice-ask")) return;
  const key = event.key.toLowerCase();
  if (answered && /^[1-9]$/.test(key)) swap(Number(key));
  else if (answered && key === "c") $("[data-do=next]").click();
  else if (!answered && spoken(key)) callOut(spoken(key));
  else if (!answered && /^[5-9]$/.test(key)) sure(Number(key) * 10);
  else if (!answered && key === "c") $("[data-do=commit]").click();
  else if (key === "/") $("#practice-find")?.focus();
  else return;
  event.preventDefault();
});

/* A link of a fixed set, or a collection: "#practice?set=ID,ID&mode=exam&seed=1"; or of a set on
   origins, "#practice?origin=15&seed=7". */
async function opened() {
  const [, query] = location.hash.match(/^#practice\?(.*)$/) || [];
  const parts = Object.fromEntries((query || "").split("&").map((part) => part.split("=")));
  if (!(parts.set || parts.origin) || [kept.done, kept.session?.link].includes(query)) return home(false);
  const seed = Number(parts.seed) || 0;
  if (parts.origin) return begin({ mode: "origin", seed, length: Number(parts.origin) || 15, link: query });
  const ids = parts.set.split(",").filter(Boolean).map(decodeURIComponent);
  const { keys, left_out: lost } = await send("set", { ids });
  await begin({ mode: parts.mode === "exam" ? "exam" : "set", seed, keys, length: keys.length, link: query });
  if (lost) notice(`${lost} of the ${ids.length} films are not in this gallery, or have no labels.`);
}
addEventListener("hashchange", () => { if (location.hash.startsWith("#practice?") && started) { kept.done = null; doing(opened); } });
let started = false;
new IntersectionObserver((entries) => {
  if (started || !entries.some((entry) => entry.isIntersecting)) return;
  started = true;
  doing(opened).then(() => { if ($(".practice-notice").textContent) started = false; });
}).observe(element);
