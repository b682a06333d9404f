/* <cairn-inbox src="https://hooks.example.com" token="…">: the in-app inbox (docs/in-app.md). Texts of messages are
   only ever set as text. `element.token` may also be a function that gives a token, or a promise of one. */
const TEXTS = {
  en: ["Messages", "unread", "No messages.", "Dismiss", "Older messages", "Messages cannot be loaded.", "Try again"],
  de: ["Nachrichten", "ungelesen", "Keine Nachrichten.", "Entfernen", "Ältere Nachrichten",
    "Nachrichten können nicht geladen werden.", "Noch einmal"],
  es: ["Mensajes", "sin leer", "No hay mensajes.", "Descartar", "Mensajes anteriores",
    "No se pueden cargar los mensajes.", "Reintentar"],
  fr: ["Messages", "non lus", "Aucun message.", "Supprimer", "Messages plus anciens",
    "Impossible de charger les messages.", "Réessayer"],
};

const STYLE = `
:host { --ink: #1b1f24; --soft: #57606a; --page: #fff; --line: #d0d7de; --accent: var(--cairn-accent, #0b5cad);
  --on-accent: var(--cairn-on-accent, #fff); position: relative; display: inline-block; color-scheme: light dark;
  font: 16px/1.45 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) {
  :host { --ink: #e6edf3; --soft: #9da7b3; --page: #161b22; --line: #3d444d;
    --accent: var(--cairn-accent-dark, #79b8ff); --on-accent: var(--cairn-on-accent-dark, #0d1117); } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
button { font: inherit; color: inherit; background: none; border: 0; cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
.bell { display: inline-flex; align-items: center; gap: .5em; min-height: 44px; padding: 0 .9em; color: var(--ink);
  background: var(--page); border: 1px solid var(--line); border-radius: 10px; }
.count { min-width: 1.6em; padding: 0 .4em; border-radius: 1em; font-size: .85em; font-weight: 600;
  text-align: center; color: var(--on-accent); background: var(--accent); }
.panel { position: absolute; z-index: 10; inset-inline-end: 0; margin-top: 8px; width: 24rem; max-height: 70vh;
  overflow: auto; color: var(--ink); background: var(--page); border: 1px solid var(--line); border-radius: 12px;
  box-shadow: 0 8px 28px rgb(0 0 0 / .2); }
@media (max-width: 480px) { .panel { position: fixed; inset-inline: 8px; width: auto; } }
ul { list-style: none; margin: 0; padding: 0; }
li { display: flex; align-items: flex-start; border-bottom: 1px solid var(--line); }
li:last-child { border-bottom: 0; }
details { flex: 1; min-width: 0; overflow-wrap: anywhere; }
summary { position: relative; padding: .75rem 0 .75rem 2rem; cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary::before { content: ""; position: absolute; inset: 1.15rem auto auto .9rem; width: .45em; height: .45em;
  border: solid var(--soft); border-width: 0 2px 2px 0; transform: rotate(-45deg); }
[open] > summary::before { transform: translateY(-.1em) rotate(45deg); }
.new .title { font-weight: 650; }
.new .title::after { content: ""; display: inline-block; width: .5em; height: .5em; margin-inline-start: .5em;
  border-radius: 50%; background: var(--accent); vertical-align: .1em; }
time { display: block; font-size: .85em; color: var(--soft); }
.text { margin: 0; padding: 0 0 .75rem 2rem; white-space: pre-line; }
.go { display: inline-block; margin: 0 0 1rem 2rem; padding: .65em 1em; line-height: 1.4; border-radius: 8px;
  color: var(--on-accent); background: var(--accent); text-decoration: none; }
.x { flex: none; width: 44px; height: 44px; margin: .4rem; color: var(--soft); }
.note { margin: 0; padding: 1.25rem 1rem; color: var(--soft); }
.more { width: 100%; min-height: 44px; color: var(--accent); }`;

const make = (tag, set = {}, ...inside) => {
  const element = Object.assign(document.createElement(tag), set);
  element.append(...inside);
  return element;
};

const leadsTo = (link) => {
  try {
    const url = new URL(link, document.baseURI);
    return ["https:", "http:"].includes(url.protocol) ? url.href : "";
  } catch { return ""; }
};

class CairnInbox extends HTMLElement {
  connectedCallback() {
    if (!this.shadowRoot) this.build();
    this.outside = (event) => { if (!event.composedPath().includes(this)) this.show(false); };
    document.addEventListener("click", this.outside);
    const seconds = Number(this.getAttribute("poll") ?? 60);
    const look = () => { if (!document.hidden && this.panel.hidden) this.load(); };
    if (seconds > 0) this.timer = setInterval(look, seconds * 1000);
    this.load();
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.outside);
    clearInterval(this.timer);
  }

  build() {
    const language = (this.closest("[lang]")?.lang || navigator.language || "en").slice(0, 2).toLowerCase();
    this.t = TEXTS[language] || TEXTS.en;
    this.language = TEXTS[language] ? language : "en";
    const root = this.attachShadow({ mode: "open" });
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    root.adoptedStyleSheets = [style];
    this.label = this.getAttribute("label") || this.t[0];
    this.count = make("span", { className: "count", hidden: true, ariaHidden: "true" });
    this.bell = make("button", { className: "bell", type: "button", ariaExpanded: "false" }, this.label, this.count);
    this.list = make("ul", { role: "list" });
    this.note = make("p", { className: "note", role: "status", hidden: true });
    this.more = make("button", { className: "more", type: "button", hidden: true });
    this.panel = make("section", { className: "panel", hidden: true, ariaLabel: this.label, tabIndex: -1 },
      this.list, this.note, this.more);
    root.append(make("div", { lang: this.language }, this.bell, this.panel));
    this.bell.addEventListener("click", () => this.show(this.panel.hidden));
    this.more.addEventListener("click", () => this.load(this.after));
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.panel.hidden) { this.show(false); this.bell.focus(); }
    });
  }

  async call(method, path, again = true) {
    const own = this.token ?? this.getAttribute("token");
    if (typeof own === "function") this.current ??= await own();
    const base = this.getAttribute("src") || new URL(import.meta.url).origin;
    const answer = await fetch(`${base}/in-app/${path}`, {
      method, keepalive: method === "POST", headers: { authorization: `Bearer ${this.current ?? own ?? ""}` },
    });
    if (answer.status === 401 && again && typeof own === "function") {
      this.current = undefined;
      return this.call(method, path, false);
    }
    if (!answer.ok && answer.status !== 404) throw new Error(`${answer.status}`);
    return answer;
  }

  does(message, what) {
    return this.call("POST", `messages/${message.id}/${what}`).catch(() => {});
  }

  async load(after = "") {
    try {
      const page = await (await this.call("GET", after ? `messages?after=${after}` : "messages")).json();
      const rows = page.messages.map((message) => this.row(message));
      if (after) this.list.append(...rows); else this.list.replaceChildren(...rows);
      this.after = page.after;
      this.unread(page.unread);
      this.say(this.list.children.length ? "" : this.t[2], page.after ? this.t[4] : "");
      if (after) rows[0]?.querySelector("summary").focus();
    } catch {
      this.say(this.t[5], this.t[6]);
    }
  }

  say(note, more) {
    this.note.textContent = note;
    this.note.hidden = !note;
    this.more.textContent = more;
    this.more.hidden = !more;
  }

  unread(number) {
    this.count.textContent = number > 99 ? "99+" : number;
    this.count.hidden = !number;
    this.bell.ariaLabel = number ? `${this.label}, ${number} ${this.t[1]}` : this.label;
    this.number = number;
    this.dispatchEvent(new CustomEvent("cairn-unread", { detail: number }));
  }

  show(open) {
    if (open === !this.panel.hidden) return;
    this.panel.hidden = !open;
    this.bell.ariaExpanded = String(open);
    if (!open) { this.list.querySelectorAll(".new").forEach((row) => row.classList.remove("new")); return; }
    if (this.number) this.call("POST", "seen").then(() => this.unread(0)).catch(() => {});
  }

  row(message) {
    const sent = new Date(message.sent_at);
    const when = new Intl.DateTimeFormat(this.language, { dateStyle: "medium", timeStyle: "short" }).format(sent);
    const details = make("details", {},
      make("summary", {}, make("span", { className: "title", textContent: message.title }),
        make("time", { dateTime: message.sent_at, textContent: when })),
      make("p", { className: "text", textContent: message.text }));
    const href = message.link ? leadsTo(message.link) : "";
    if (href) {
      const link = make("a", { className: "go", href, rel: "noopener", textContent: message.button });
      link.addEventListener("click", () => this.does(message, "clicked"));
      details.append(link);
    }
    details.addEventListener("toggle", () => { if (details.open) this.does(message, "opened"); });
    const dismiss = make("button", { className: "x", type: "button", textContent: "✕",
      ariaLabel: `${this.t[3]}: ${message.title}` });
    const row = make("li", { className: message.status === "new" ? "new" : "" }, details, dismiss);
    dismiss.addEventListener("click", async (event) => {
      event.stopPropagation();
      const next = row.nextElementSibling || row.previousElementSibling;
      row.remove();
      (next?.querySelector("summary") || this.panel).focus();
      if (!this.list.children.length && !this.after) this.say(this.t[2], "");
      await this.does(message, "dismissed");
      if (!this.list.children.length && this.after) this.load();
    });
    return row;
  }
}

customElements.define("cairn-inbox", CairnInbox);
