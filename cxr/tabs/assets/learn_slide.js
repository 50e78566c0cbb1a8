/* The slider from a normal image to the finding: it asks nothing of the server. */
element.addEventListener("input", (event) => {
  if (event.target.dataset.slider !== "lesson") return;
  const images = JSON.parse(element.querySelector("[data-images]").dataset.images);
  const at = Number(event.target.value);
  element.querySelector("img").src = images[at];
  event.target.nextElementSibling.textContent = `${Math.round((100 * at) / (images.length - 1))}%`;
});
function arrived() {
  const slider = element.querySelector("[data-slider]");
  if (slider) slider.value = slider.max;
}
watch("value", arrived);
arrived();
