/* The film that is read, on the stages of stage.js; buttons tell the server by clicks.js. */
let read = "", beside = "";      // key of the film that is on the stage; the film beside it
function arrived() {
  hang();
  const key = $(".viewer")?.dataset.key || "", other = stages()[1]?.dataset.film || "";
  const fresh = key && (key !== read || (other && other !== beside));
  [read, beside] = [key, other];
  if (!fresh) return;
  const { top, bottom } = $(".stage").getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) $(".viewer").scrollIntoView({ block: "start" });
  window.cxr.goTo($(".viewer h2"), matchMedia("(max-width: 700px)").matches);
}
watch("value", arrived);
arrived();

element.addEventListener("click", (event) => {
  if (!event.target.closest(".to-report")) return;
  event.preventDefault();
  const text = document.querySelector("#report-text");
  text?.closest("section").scrollIntoView({ block: "start" });
  text?.focus({ preventScroll: true });
});
