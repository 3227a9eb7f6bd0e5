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

  // What is inserted is typed: the same limit, the same saving.
  const insert = (words) => {
    body.focus();
    body.dispatchEvent(new InputEvent("beforeinput", { bubbles: true, inputType: "insertText" }));
    body.setRangeText(words, body.selectionStart, body.selectionEnd, "end");
    body.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText" }));
  };
  window.carillonInsert = insert;

  // Typing stops at the limit, counted on the text with its way out and every tag at its fallback.
  const text = document.getElementById("text");
  const limit = Number(text.dataset.limit);
  const address = "-".repeat(Number(text.dataset.linkLength));
  const typedLength = (words) => {
    const word = form.elements.opt_out_word.value.trim() || text.dataset.word;
    const saysSo = new RegExp(`\\b(reply|text|send|answer)[^\\p{L}\\p{N}_]+${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\p{L}\\p{N}_])`, "iu");
    const byName = form.elements.number.selectedOptions[0]?.matches("[data-name]");
    const wayOut = byName ? "No more texts: {{ stop_link }}" : `Reply ${word} to stop.`;
    const whole = (byName ? /\{\{\s*stop_link\s*(?:\|[^{}]*)?\}\}/ : saysSo).test(words) ? words : `${words.trimEnd()}\n${wayOut}`;
    const filled = whole.replace(/\{\{([^{}|]*)(?:\|([^{}]*))?\}\}/g, (_, name, fallback) =>
      ({ link: address, stop_link: address, organization: text.dataset.organization })[name.trim()] ?? (fallback || "").trim());
    return [...filled.normalize("NFC")].length;
  };
  const room = document.getElementById("room");
  let before = null;
  body.addEventListener("beforeinput", () => (before = { value: body.value, from: body.selectionStart, to: body.selectionEnd }));
  body.addEventListener("input", () => {
    if (before && typedLength(body.value) > limit) {
      const head = before.value.slice(0, before.from);
      const tail = before.value.slice(before.to);
      const added = body.value.startsWith(head) && body.value.endsWith(tail) ? [...body.value.slice(head.length, body.value.length - tail.length)] : [];
      let fits = 0;
      let most = added.length;
      while (fits < most) {
        const half = Math.ceil((fits + most) / 2);
        if (typedLength(head + added.slice(0, half).join("") + tail) <= limit) fits = half;
        else most = half - 1;
      }
      if (added.length) {
        body.value = head + added.slice(0, fits).join("") + tail;
        body.selectionStart = body.selectionEnd = head.length + added.slice(0, fits).join("").length;
        room.textContent = `The text is full at ${limit} characters: ${added.length - fits} did not fit.`;
        before = null;
        return;
      }
    }
    before = null;
    tell();
  });
  const tell = () => {
    const left = limit - typedLength(body.value);
    room.textContent = `${left} character${left === 1 ? "" : "s"} left`;
  };
  form.elements.opt_out_word.addEventListener("input", tell);
  form.elements.number.addEventListener("change", tell);
  tell();

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open).showModal();
  });
  const whenSaved = (id, words) => {
    const dialog = document.getElementById(id);
    dialog.addEventListener("close", () => {
      if (dialog.returnValue === "save") insert(words(dialog.querySelector("form")));
      dialog.returnValue = "";
    });
  };
  const bare = (words) => words.replace(/[{}|]/g, "").trim();
  whenSaved("fields", (fields) => {
    const fallback = bare(fields.elements.fallback.value);
    return `{{ ${fields.elements.tag.value}${fallback ? `|${fallback}` : ""} }}`;
  });
  whenSaved("link", (fields) => `{{ link|${bare(fields.elements.address.value)} }}`);

  form.addEventListener("click", (event) => {
    const tag = event.target.closest("[data-insert]");
    if (tag) insert(`{{ ${tag.dataset.insert} }}`);
    const replace = event.target.closest("[data-replace]");
    if (replace) {
      const parts = body.value.split(/(\{\{[^{}]*\}\})/); // in the words, not in tags and addresses
      body.value = parts.map((part, at) => (at % 2 ? part : part.replaceAll(replace.dataset.replace, replace.dataset.with))).join("");
      body.dispatchEvent(new Event("input", { bubbles: true }));
    }
    const jump = event.target.closest("[data-show]");
    if (jump) {
      form.elements.place.value = jump.dataset.show;
      again();
    }
    const step = event.target.closest("[data-step]");
    if (step) {
      const people = Number(form.querySelector("[data-people]").value);
      const place = Number(form.querySelector("[data-place]").value);
      form.elements.place.value = (place + Number(step.dataset.step) + people) % people;
      again();
    }
  });

  // Pictures: chosen or dropped, they go with the next saving; then the field is empty again.
  const pictures = form.elements.pictures;
  const drop = form.querySelector("[data-drop]");
  ["dragenter", "dragover"].forEach((name) => drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over-it");
  }));
  ["dragleave", "drop"].forEach((name) => drop.addEventListener(name, () => drop.classList.remove("over-it")));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    pictures.files = event.dataTransfer.files;
    pictures.dispatchEvent(new Event("change", { bubbles: true }));
  });
  let sending = "";
  const chosen = () => [...pictures.files].map((file) => `${file.name}:${file.size}:${file.lastModified}`).join();
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.classList.contains("composer")) sending = chosen();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.elt.classList.contains("composer") || !sending) return;
    const taken = event.detail.successful && !event.detail.xhr.responseText.includes("data-refused");
    if (taken && chosen() === sending) pictures.value = "";
    sending = "";
  });

  const show = () => window.carillonShow(form);

  // What is typed is kept here until the server has it: a lost session or connection loses nothing.
  const key = () => `draft:${form.elements.form_id.value}`;
  const fields = () => [...new FormData(form)].filter(([name]) => !["csrfmiddlewaretoken", "place", "window", "former", "step", "pictures"].includes(name));
  const keep = () => {
    const copy = { window: form.elements.window.value, fields: fields() };
    localStorage.setItem(key(), JSON.stringify(copy));
  };
  const said = (words) => (document.getElementById("saved").textContent = ` · ${words}`);
  let typed = 0; // grows with each change, so that an answer tells whether it knows the newest words
  form.addEventListener("input", () => {
    typed += 1;
    form.elements.step.value = typed;
    keep();
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
    // What this very request carried: the next one has often left before this answer settles.
    if (Number(event.detail.requestConfig.parameters.step) === typed) localStorage.removeItem(key());
    else keep(); // with the new revision
  });
  const bringBack = (values, window) => {
    form.elements.former.value = window || "";
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
      document.addEventListener("DOMContentLoaded", () => bringBack(kept.fields, kept.window));
    } else {
      // Somebody has saved other words since: both stay until one is chosen.
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm ms-2";
      button.textContent = "Bring back what you had typed here";
      button.addEventListener("click", () => bringBack(kept.fields, kept.window));
      document.getElementById("saved").after(button);
    }
  }
  // Kept until the next page shows that the server has it.
  form.addEventListener("submit", keep);
})();
