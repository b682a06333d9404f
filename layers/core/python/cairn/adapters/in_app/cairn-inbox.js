customElements.define;
