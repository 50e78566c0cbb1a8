/* The film that is read, on the stages of stage.js; buttons tell the server by clicks.js. */
let read = "";      // key of the film that is on the stage
function arrived() {
  hang();
  const key = $(".viewer")?.dataset.key || "", fresh = key && key !== read;
  read = key;
  if (!fresh) return;
  const { top, bottom } = $(".stage").getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) $(".viewer").scrollIntoView({ block: "start" });
}
watch("value", arrived);
arrived();
