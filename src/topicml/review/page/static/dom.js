// Elements made of plain values. Strings become text nodes, so that no text is ever markup.

export function el(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return made;
}

export const byId = (id) => document.getElementById(id);

export function button(label, onclick, properties = {}) {
  return el("button", { type: "button", onclick, ...properties }, label);
}

export function fill(place, ...children) {
  place.replaceChildren(...children.flat(3).filter(Boolean));
}

export function plural(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

export function table(columns, rows, caption) {
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    el("table", {},
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, columns.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, rows.map((cells) => el("tr", {},
        cells.map((cell, n) => el(n ? "td" : "th", n ? {} : { scope: "row" }, String(cell))))))));
}

// A dialog that goes away when it is closed; resolves to what was chosen, or null.
export function dialog(title, body, { actions = [], wide = false, needed = false } = {}) {
  return new Promise((resolve) => {
    let chosen = null;
    const heading = `dialog-${Math.random().toString(36).slice(2)}`;
    const box = el("dialog", { class: wide ? "wide" : "", "aria-labelledby": heading },
      el("form", { method: "dialog", onsubmit: (event) => {
        event.preventDefault();
        const action = actions.find((one) => one.label === event.submitter?.value) ?? actions[0];
        chosen = action?.value ? action.value(new FormData(event.target)) : null;
        box.close();
      } },
        el("h2", { id: heading }, title), body,
        el("div", { class: "actions" },
          actions.map((one, n) => el("button", { type: "submit", value: one.label, class: n ? "" : "main" }, one.label)),
          needed ? null : button("Close", () => box.close(), { class: "quiet" }))));
    box.addEventListener("cancel", (event) => { if (needed) event.preventDefault(); });
    box.addEventListener("close", () => { box.remove(); resolve(chosen); });
    document.body.append(box);
    box.showModal();
  });
}
