// Behaviour that makes the pages pleasant. Everything here has a way without it.
(() => {
  "use strict";

  document.documentElement.classList.add("script");

  // Dialogs: an answer that lands in the dialog opens it; Escape and "go back" close it.
  const dialog = () => document.getElementById("dialog");
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "dialog" && !dialog().open) dialog().showModal();
  });
  document.addEventListener("click", (event) => {
    const closer = event.target.closest("[data-close]");
    if (closer && dialog().open) {
      event.preventDefault();
      dialog().close();
    }
  });

  // Menus (details): one open at a time, closed by Escape and by a click elsewhere.
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  // Selects that act at once.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-send-on-change]");
    if (form) form.requestSubmit();
  });

  // Parts of a form that show when they are chosen.
  window.carillonShow = (form) => {
    form.querySelectorAll("[data-when]").forEach((part) => {
      part.hidden = form.elements[part.dataset.when].value !== part.dataset.is;
    });
  };
  document.addEventListener("change", (event) => {
    if (event.target.form) window.carillonShow(event.target.form);
  });
  document.querySelectorAll("form").forEach(window.carillonShow);

  // Signing in again, in another window too, changes the token that forms carry: take the newest along.
  const token = () => (document.cookie.match(/(?:^|; )csrftoken=([^;]+)/) || [])[1];
  document.addEventListener("htmx:configRequest", (event) => {
    if (token() && event.detail.verb === "post") event.detail.parameters.set("csrfmiddlewaretoken", token());
  });
  document.addEventListener("submit", (event) => {
    const field = event.target.elements.csrfmiddlewaretoken;
    if (field && token()) field.value = token();
    if (event.target.action.endsWith("/logout/")) {
      Object.keys(localStorage)
        .filter((key) => key.startsWith("draft:"))
        .forEach((key) => localStorage.removeItem(key));
    }
  });

  // A form is sent once: the second click finds its button resting.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 8000);
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  // Tables: all of them, and how many are chosen.
  const count = (form) => {
    const chosen = form.querySelectorAll("input[data-choose]:checked").length;
    form.querySelectorAll("[data-chosen]").forEach((place) => (place.textContent = chosen));
    form.classList.toggle("has-chosen", chosen > 0);
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-bulk]");
    if (!form) return;
    if (event.target.matches("[data-choose-all]")) {
      form.querySelectorAll("input[data-choose]").forEach((box) => (box.checked = event.target.checked));
    }
    count(form);
  });
})();
