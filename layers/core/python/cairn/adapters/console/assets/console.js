// Comfort on top of pages that work without it: the palette, keys, the time zone, and the names of columns on phones.
"use strict";
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes(`cairn_zone=${encodeURIComponent(zone)}`)) {
    document.cookie = `cairn_zone=${encodeURIComponent(zone)}; path=/console; max-age=31536000; samesite=lax`;
  }

  const nameColumns = (root) => {
    for (const box of root.querySelectorAll(".table")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; // so that it is scrolled by keyboard
    }
    for (const table of root.querySelectorAll("table")) {
      const names = [...table.querySelectorAll("thead th")].map((one) => one.textContent.trim());
      for (const row of table.querySelectorAll("tbody tr")) {
        [...row.cells].forEach((cell, at) => names[at] && cell.setAttribute("data-label", names[at]));
      }
    }
  };
  nameColumns(document);
  document.addEventListener("htmx:afterSwap", () => nameColumns(document));

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 5000);
  });

  const palette = document.getElementById("palette");
  const opener = document.querySelector(".palette-opens");
  if (!palette || !opener) return;
  const field = palette.querySelector("input");
  const list = document.getElementById("palette-list");
  const pages = [...document.querySelectorAll("#menu a[data-key]")].map((link) => ({
    text: link.textContent.trim(), href: link.href, key: link.dataset.key,
  }));
  let chosen = 0;

  const found = () => {
    const words = field.value.trim().toLowerCase();
    const some = pages.filter((page) => page.text.toLowerCase().includes(words));
    return words ? [...some, { text: `Find customer “${field.value.trim()}”`, customer: field.value.trim() }] : some;
  };
  const draw = () => {
    const rows = found();
    chosen = Math.max(0, Math.min(chosen, rows.length - 1));
    list.replaceChildren(...rows.map((row, at) => {
      const item = document.createElement("li");
      item.textContent = row.text;
      item.id = `choice-${at}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(at === chosen));
      item.addEventListener("click", () => go(row));
      return item;
    }));
    if (rows.length) field.setAttribute("aria-activedescendant", `choice-${chosen}`);
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  };
  const go = (row) => {
    if (!row) return;
    if (row.href) return window.location.assign(row.href);
    const form = document.querySelector(".search");
    form.elements.name.value = row.customer;
    form.requestSubmit();
  };
  const open = () => { field.value = ""; chosen = 0; draw(); palette.showModal(); field.focus(); };

  opener.hidden = false;
  opener.addEventListener("click", open);
  field.addEventListener("input", () => { chosen = 0; draw(); });
  field.addEventListener("keydown", (event) => {
    const rows = found();
    if (event.key === "ArrowDown") chosen = (chosen + 1) % rows.length;
    else if (event.key === "ArrowUp") chosen = (chosen + rows.length - 1) % rows.length;
    else if (event.key === "Enter") return event.preventDefault(), go(rows[chosen]);
    else return;
    event.preventDefault();
    draw();
  });

  let begun = false;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return event.preventDefault(), open();
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
    if (event.key === "/") return event.preventDefault(), document.querySelector(".search input").focus();
    if (begun) {
      begun = false;
      const page = pages.find((one) => one.key === event.key);
      if (page) event.preventDefault(), window.location.assign(page.href);
      return;
    }
    if (event.key === "g") { begun = true; setTimeout(() => { begun = false; }, 1500); }
  });
})();
