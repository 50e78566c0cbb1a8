/* HTML whose buttons say what they do: data-act is one of EVENTS, which stands before this;
   data-index or data-name says with what. */
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (!button) return;
  const { act, index, name } = button.dataset;
  if (act === "reword") return reword(button.dataset);
  if (EVENTS.includes(act)) trigger(act, { name, ...(index === undefined ? {} : { index: Number(index) }) });
});

/* Another sentence in the report in place of one; at its end when the reader has changed that one. */
function reword({ from, to }) {
  const text = document.querySelector("#report-text");
  if (!text) return;
  if (text.value.includes(from)) text.value = text.value.replace(from, () => to);
  else if (!text.value.includes(to)) text.value = `${text.value.trimEnd()} ${to}`;
  text.dispatchEvent(new Event("input", { bubbles: true }));
}
