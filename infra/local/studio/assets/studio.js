// The studio's bar and panels beside the console's page. The server writes all HTML; this fetches, posts and refreshes.
"use strict";
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const headers = { "x-studio": "1", "x-studio-zone": zone };
  const main = document.getElementById("main");
  const root = document.createElement("div");
  root.id = "studio";
  let state = null, shown = "", busy = false, dragging = false;

  const local = (at, more = {}) => new Date(at).toLocaleString("en-GB", {
    timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", ...more,
  });
  const one = (selector, from = root) => from.querySelector(selector);
  const get = async (address) => {
    const answer = await fetch(address, { headers });
    if (!answer.ok) throw new Error((await answer.json()).problem);
    return answer;
  };
  const html = async (address, place, stale = () => false) => {
    const text = await (await get(address)).text();
    if (stale()) return;
    place.innerHTML = text;
    for (const time of place.querySelectorAll("time[datetime]")) time.textContent ||= local(time.dateTime);
  };
  let fades;
  const say = (text, isProblem) => {
    const toast = one(".st-toast");
    toast.textContent = text || "";
    toast.hidden = !text;
    toast.classList.toggle("st-problem", Boolean(isProblem));
    clearTimeout(fades);
    if (!isProblem) fades = setTimeout(() => { toast.hidden = true; }, 6000);
  };

  const act = async (address, form) => {
    if (busy) return {};
    busy = true;
    root.setAttribute("aria-busy", "true");
    try {
      const answer = await (await fetch(address, { method: "POST", headers, body: form })).json();
      say(answer.problem || answer.said, answer.problem);
      if (answer.go) window.location.assign(answer.go);
      return answer;
    } catch (error) {
      say(`The studio does not answer: ${error.message}`, true);
      return {};
    } finally {
      busy = false;
      root.removeAttribute("aria-busy");
      await poll();
    }
  };

  // The panel stays open from page to page.
  const open = () => sessionStorage.getItem("studio-panel") || "";
  const show = async (name, address) => {
    const panel = one(".st-panel");
    const same = panel.dataset.name === name;
    sessionStorage.setItem("studio-panel", name);
    panel.hidden = !name;
    document.body.classList.toggle("st-open", Boolean(name));
    for (const tab of root.querySelectorAll(".st-tabs [data-panel]")) {
      tab.setAttribute("aria-expanded", String(tab.dataset.panel === name));
    }
    if (!name) return;
    panel.dataset.address = address || (same && panel.dataset.address) || `/_studio/panel/${name}`;
    // What is written there stays, also what is written while the panel is being fetched: the next refresh brings the rest.
    const stale = () => same && !address && written(panel);
    const at = same && panel.contains(document.activeElement) ? document.activeElement.id : "";
    try { await html(panel.dataset.address, panel, stale); panel.dataset.name = name; } catch (error) { say(error.message, true); }
    if (at && document.activeElement === document.body) document.getElementById(at)?.focus();
  };
  const typing = (place) => place.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
  const written = (place) => [...place.querySelectorAll("textarea, input[name]")].some((field) => field.value !== field.defaultValue);

  // What a form has sent is not being written any more; what came into it since then is.
  const sent = (form, given) => {
    if (!form.closest(".st-panel")) return;
    for (const field of form.querySelectorAll("textarea, input[name]")) {
      if (given.getAll(field.name).includes(field.value)) field.value = field.defaultValue;
    }
  };

  // The console's page shows what changed; what is being written there is left alone.
  const refresh = async () => {
    const inUse = () => typing(main) || written(main) || document.querySelector("dialog[open]");
    if (inUse()) return false;
    const answer = await fetch(window.location.href, { headers });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("main");
    if (!fresh) return true;
    if (inUse()) return false;  // since it was asked for
    const opened = [...main.querySelectorAll("details")].map((details) => details.open);
    main.replaceChildren(...fresh.childNodes);
    main.querySelectorAll("details").forEach((details, at) => { details.open = opened[at] || false; });
    if (window.htmx) window.htmx.process(main);
    await walk();
    return true;
  };

  const poll = async () => {
    try {
      state = await (await get("/_studio/state")).json();
    } catch (error) {
      return say(`The studio does not answer: ${error.message}`, true);
    }
    one(".st-now").textContent = local(state.now, { year: "numeric", second: "2-digit" });
    one(".st-now").title = `${state.now}${state.next ? `; next: ${local(state.next)}` : "; nothing is due by itself"}`;
    for (const button of root.querySelectorAll("[data-runs]")) button.hidden = (button.dataset.runs === "yes") !== state.running;
    one("[value=step]").disabled = !state.next;
    one("[value=timer]").disabled = !state.timer;
    const from = Date.parse(state.starts), slider = one("input[type=range]");
    if (!dragging) {
      slider.max = Math.round((Date.parse(state.ends) - from) / 1000);
      slider.value = Math.round((Date.parse(state.now) - from) / 1000);
      slider.setAttribute("aria-valuetext", local(state.now));
      one(".st-from").textContent = local(state.starts, { hour: undefined, minute: undefined });
      one(".st-to").textContent = local(state.ends, { hour: undefined, minute: undefined });
    }
    const problems = one(".st-problems");
    problems.hidden = !state.problems;
    problems.textContent = state.problems;
    if (state.refused.length && state.refused[0] !== poll.refused) say(state.refused[0], true);
    poll.refused = state.refused[0];
    if (shown && shown !== state.version) {
      if (!(await refresh())) return;
      const panel = one(".st-panel");
      if (open() && !typing(panel) && !written(panel)) await show(open());
    }
    shown = state.version;
  };

  // On a journey's page, the path of a customer or of a sample is drawn on the graph.
  const walk = async (query) => {
    const found = window.location.pathname.match(/^\/console\/journeys\/([^/]+)$/);
    const card = main.querySelector(".graph");
    if (!found || !card) return;
    let place = one("#studio-walk", card);
    if (!place) {
      place = document.createElement("div");
      place.id = "studio-walk";
      card.querySelector(".picture")?.remove();
      card.append(place);
    }
    const key = `studio-walk-${found[1]}`;
    if (query !== undefined) sessionStorage.setItem(key, query);
    try { await html(`/_studio/walk/${found[1]}${sessionStorage.getItem(key) || ""}`, place); } catch (error) { say(error.message, true); }
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target, action = new URL(form.action);
    if (!action.pathname.startsWith("/_studio/") || form.closest(".door")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const given = new FormData(form, event.submitter);
    if (event.submitter?.dataset.by) given.set("by", event.submitter.dataset.by);
    if (form.method === "get") {
      const query = `?${new URLSearchParams(given)}`;
      return form.closest("#studio-walk") ? walk(query) : show(open(), action.pathname + query);
    }
    const answer = await act(action.pathname, given);
    if (answer.body) { one("#st-samples").value = "track/"; one("#st-body").value = answer.body; one("#st-body").focus(); }
    else if (answer.said && open()) { sent(form, given); await show(open()); }
  }, true);

  document.addEventListener("change", async (event) => {
    const field = event.target;
    if (field.matches("#st-samples")) {
      if (!field.value.endsWith("/")) one("#st-body").value = (await (await get(`/_studio/sample/${field.value}`)).json()).body;
    } else if (field.matches("#studio .st-slider input")) {
      dragging = false;
      const form = new FormData();
      form.set("do", "to");
      form.set("to", new Date(Date.parse(state.starts) + field.value * 1000).toISOString().replace(/\.\d+Z$/, "Z"));
      await act("/_studio/clock", form);
    } else if (field.matches("#st-user, #st-reader, #st-walker, #st-events")) field.form.requestSubmit();
  });
  root.addEventListener("input", (event) => {
    if (!event.target.matches(".st-slider input")) return;
    dragging = true;
    one(".st-now").textContent = local(Date.parse(state.starts) + event.target.value * 1000, { year: "numeric", second: "2-digit" });
  });
  root.addEventListener("click", (event) => {
    const fills = event.target.closest("[data-fill]"), opens = event.target.closest("[data-panel]");
    const leads = event.target.closest("[data-panel-link]");
    if (fills) document.getElementById(fills.dataset.fill).value = fills.textContent;
    else if (opens) show(opens.closest(".st-tabs") && open() === opens.dataset.panel ? "" : opens.dataset.panel, `/_studio/panel/${opens.dataset.panel}`);
    else if (leads) {
      event.preventDefault();
      show(open(), leads.dataset.panelLink + leads.getAttribute("href"));
    }
  });
  root.addEventListener("keydown", (event) => { if (event.key === "Escape") show(""); });

  // The graph shows a path here. The flow through it is counted only on asking; then the card with the graph comes again.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt } = event.detail;
    if (!elt.matches(".graph [hx-trigger=load]")) return;
    event.preventDefault();
    elt.remove();
  });
  document.addEventListener("htmx:afterSettle", () => { if (main && !one("#studio-walk", main)) walk(); });

  const begin = async () => {
    await html("/_studio/panel/bar", root);
    document.body.append(root);
    if (window.location.hash === "#studio-guide") sessionStorage.setItem("studio-panel", "guide");
    if (main) await walk();
    await show(open());
    await poll();
    setInterval(() => { if (!busy && !document.hidden) poll(); }, 1000);
  };
  if (main) begin();
})();
