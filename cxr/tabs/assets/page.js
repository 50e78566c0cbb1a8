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

  /* Gradio follows the system's preference while it mounts; the reading room is dark unless told. */
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

  /* An example fills the query box and searches, as if it had been typed. */
  document.addEventListener("click", (event) => {
    const chip = event.target.closest?.("[data-query]");
    const box = document.querySelector("#query textarea, #query input");
    if (!chip || !box) return;
    box.value = chip.dataset.query;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => document.getElementById("go")?.click(), 60);
  });

  /* A film dropped on the page or pasted goes the way of the upload button. */
  function send(files) {
    const input = document.getElementById("film-upload")?.parentElement.querySelector("input[type=file]");
    if (!input || !files?.length) return false;
    const one = new DataTransfer();
    one.items.add(files[0]);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  }
  const holdsFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  let depth = 0;
  const hover = (on) => document.body.classList.toggle("dropping", on);
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

  /* "/" goes to the query box, as in most search pages. */
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    document.querySelector("#query textarea, #query input")?.focus();
  });
})();
