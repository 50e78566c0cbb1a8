/* The film chosen last wins. Gradio shows films in the order in which their uploads end; an upload that
   another choice of its tab overtakes is cut short here, and never ends. */
(() => {
  const OVERTAKING = { read: "#read-upload", locate: "#locate-upload" };   // what carries a film there
  const chosen = new WeakMap();     // file -> which input it came by, and when
  const coming = new Map();         // input -> its last upload
  let count = 0;

  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("input[type=file]")) return;
    count += 1;
    for (const file of target.files) chosen.set(file, { input: target, order: count });
  }, true);

  const overtake = (input) => coming.get(input)?.controller.abort();
  document.addEventListener("click", ({ target }) => {
    const { act } = target.closest?.("[data-act]")?.dataset || {};
    const place = act === "pick" ? target : document.querySelector(OVERTAKING[act] || null);
    for (const input of place?.closest("[role=tabpanel]")?.querySelectorAll("input[type=file]") || []) overtake(input);
  });

  const send = window.fetch.bind(window);
  window.fetch = (address, options = {}) => {
    const sent = options.body instanceof FormData ? chosen.get(options.body.get("files")) : null;
    if (!sent) return send(address, options);
    const never = new Promise(() => {});
    if (coming.get(sent.input)?.order > sent.order) return never;
    overtake(sent.input);
    const upload = { order: sent.order, controller: new AbortController() };
    coming.set(sent.input, upload);
    return send(address, { ...options, signal: upload.controller.signal }).catch((error) => {
      if (upload.controller.signal.aborted) return never;
      throw error;
    }).finally(() => { if (coming.get(sent.input) === upload) coming.delete(sent.input); });
  };
})();
