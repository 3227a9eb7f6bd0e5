// The emoji of the composer: read when they are first asked for, found by their names, chosen by click or keyboard.
(() => {
  "use strict";

  const dialog = document.getElementById("emoji");
  const opener = document.querySelector("[data-emoji]");
  if (!dialog || !opener) return;
  const search = document.getElementById("emoji-search");
  const found = document.getElementById("emoji-found");
  const MOST = 160;
  let all = null;

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (one) => words.every((word) => one.names.some((name) => name.startsWith(word)));
    const shown = all.filter(fits).slice(0, MOST);
    found.replaceChildren(...shown.map((one) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = one.emoji;
      button.title = one.annotation;
      button.setAttribute("aria-label", one.annotation);
      return button;
    }));
    if (!shown.length) found.textContent = "None is called like that.";
  };

  opener.addEventListener("click", async () => {
    search.value = "";
    if (!all) {
      found.textContent = "One moment…";
      const rows = await fetch(opener.dataset.emoji).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
      if (!rows) {
        found.textContent = "They cannot be read just now. Close this and try it again.";
        return;
      }
      all = rows.filter((row) => row.group !== 2).map((row) => ({
        emoji: row.emoji,
        annotation: row.annotation,
        names: [...row.annotation.toLowerCase().split(/\s+/), ...(row.tags || [])],
      }));
    }
    show();
    search.focus();
  });
  search.addEventListener("input", () => all && show());
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const first = found.querySelector("button");
    if (first) first.click();
  });
  found.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    dialog.close();
    window.carillonInsert(button.textContent);
  });
  // Arrow keys move among them as they lie on the page.
  found.addEventListener("keydown", (event) => {
    const buttons = [...found.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const across = buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
    if (at < 0 || !step) return;
    event.preventDefault();
    const next = buttons[at + step];
    if (next) next.focus();
    else if (step < 0) search.focus();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-emoji]")) dialog.close();
  });
})();
