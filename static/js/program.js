// Wordings that the check of a program offers: into the text by a click.
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add], [data-fill]");
    if (!button) return;
    const field = document.getElementById(button.dataset.to);
    const words = field.value.trim();
    const whole = button.dataset.front ? `${button.dataset.add} ${words}` : `${words} ${button.dataset.add}`;
    field.value = button.dataset.fill || whole.trim();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
})();
