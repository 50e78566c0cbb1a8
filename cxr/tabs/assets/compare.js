/* Two to four films of a collection on the stages of stage.js, which share window, zoom and place.
   The script of the collection sends their HTML. */
addEventListener("cxr-compare", (event) => {
  const { stages: shown, captions } = event.detail;
  const section = $(".comparison");
  section.hidden = !shown.length;
  section.dataset.captions = captions ? "on" : "off";
  $(".stages").innerHTML = shown.join("");
  $(".stages").dataset.count = shown.length;
  hang();
  if (shown.length && event.detail.arrive) {
    section.scrollIntoView({ block: "start" });
    $("h2").focus({ preventScroll: true });
  }
});
element.addEventListener("click", (event) => {
  if (event.target.closest("[data-do=end]")) dispatchEvent(new Event("cxr-compare-end"));
});
