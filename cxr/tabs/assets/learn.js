/* The open lesson: its place in the list, its address, and the questions, which are marked here. */
const PLACE = /^[a-z-]{1,60}$/;
let open = "";      // the lesson on the page
function arrived() {
  const lesson = element.querySelector(".lesson"), name = lesson?.dataset.name || "";
  for (const link of document.querySelectorAll("#learn-list [data-lesson]")) {
    if (link.dataset.lesson === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name && name !== open) window.cxr.goTo(element.querySelector("h2"), true);
  open = name;
  window.cxr.lessonPlace = name;
}
watch("value", arrived);

window.cxr.openLesson = (name) => trigger("open", { name: PLACE.test(name) ? name : "" });
if (window.cxr.lessonPlace) window.cxr.openLesson(window.cxr.lessonPlace);

/* A choice is marked at once; the explanation stays, and another answer may be tried. */
element.addEventListener("click", (event) => {
  const choice = event.target.closest(".choice");
  if (!choice) return;
  const question = choice.closest("[data-question]"), right = question.dataset.right;
  const correct = choice.dataset.answer === right;
  for (const one of question.querySelectorAll(".choice")) {
    const chosen = one === choice;
    const shown = one.dataset.answer === right ? "right" : chosen ? "wrong" : "";
    one.classList.toggle("right", shown === "right");
    one.classList.toggle("wrong", shown === "wrong");
    one.setAttribute("aria-pressed", String(chosen));
    one.querySelector(".verdict").textContent = shown === "right" ? " ✓" : shown === "wrong" ? " ✗" : "";
  }
  const why = question.querySelector(".explained");
  why.textContent = `${correct ? "Correct." : "Not this one."} ${why.dataset.why}`;
});
