// The composer: tags at the cursor, parts that show when they are chosen, and a copy in this browser until it is saved.
(() => {
  "use strict";

  const form = document.querySelector("[data-composer]");
  if (!form) return;
  const body = form.elements.body;
  // A view of its own each time the script runs: a duplicated or restored tab begins to count anew.
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  form.elements.window.value = bytes.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
  const again = () => htmx.trigger(form.querySelector(".composer"), "again");

  form.addEventListener("click", (event) => {
    const insert = event.target.closest("[data-insert]");
    if (insert) {
      body.setRangeText(`{{ ${insert.dataset.insert} }}`, body.selectionStart, body.selectionEnd, "end");
      body.focus();
      body.dispatchEvent(new Event("input", { bubbles: true }));
    }
    const step = event.target.closest("[data-step]");
    if (step) {
      const people = Number(form.querySelector("[data-people]").value);
      const place = Number(form.querySelector("[data-place]").value);
      form.elements.place.value = (place + Number(step.dataset.step) + people) % people;
      again();
    }
  });

  const show = () => {
    form.querySelectorAll("[data-when]").forEach((part) => {
      part.hidden = form.elements[part.dataset.when].value !== part.dataset.is;
    });
  };
  form.addEventListener("change", show);
  show();

  // What is typed is kept here until the server has it: a lost session or connection loses nothing.
  const key = () => `draft:${form.elements.form_id.value}`;
  const fields = () => [...new FormData(form)].filter(([name]) => !["csrfmiddlewaretoken", "place", "window", "step"].includes(name));
  const keep = () => {
    const copy = { window: form.elements.window.value, fields: fields() };
    localStorage.setItem(key(), JSON.stringify(copy));
  };
  const said = (words) => (document.getElementById("saved").textContent = ` · ${words}`);
  let typed = 0; // grows with each change, so that an answer tells whether it knows the newest words
  let asked = 0;
  form.addEventListener("input", () => {
    typed += 1;
    form.elements.step.value = typed;
    keep();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.classList.contains("composer")) asked = typed;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.elt.classList.contains("composer")) return;
    const { status, responseText } = event.detail.xhr;
    if (status === 401) said("you were signed out: sign in in another window, your words stay here");
    else if (status !== 200) said("not saved, the connection is lost: your words stay here");
    else if (responseText.includes("data-conflict")) said("not saved: another window was faster");
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "beside" || event.detail.xhr.responseText.includes("data-conflict")) return;
    if (typed === asked) localStorage.removeItem(key());
    else keep(); // with the new revision
  });
  const bringBack = (values) => {
    form.querySelectorAll("input[type=checkbox]").forEach((box) => (box.checked = false));
    values.forEach(([name, value]) => {
      const field = form.elements[name];
      if (!field || name === "revision") return;
      const box = form.querySelector(`input[type=checkbox][name="${name}"][value="${CSS.escape(value)}"]`);
      if (box) box.checked = true;
      else field.value = value;
    });
    show();
    said("what you had typed is back");
    typed += 1;
    form.elements.step.value = typed;
    again();
  };
  const kept = JSON.parse(localStorage.getItem(key()) || "null");
  const words = (values) => JSON.stringify(values.filter(([name]) => name !== "revision"));
  if (kept && words(kept.fields) === words(fields())) {
    if (!("unsaved" in form.dataset)) localStorage.removeItem(key());
  } else if (kept) {
    const revision = (kept.fields.find(([name]) => name === "revision") || [])[1];
    if (revision === form.elements.revision.value || kept.window === form.dataset.savedIn) {
      document.addEventListener("DOMContentLoaded", () => bringBack(kept.fields));
    } else {
      // Somebody has saved other words since: both stay until one is chosen.
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm ms-2";
      button.textContent = "Bring back what you had typed here";
      button.addEventListener("click", () => bringBack(kept.fields));
      document.getElementById("saved").after(button);
    }
  }
  // Kept until the next page shows that the server has it.
  form.addEventListener("submit", keep);
})();
