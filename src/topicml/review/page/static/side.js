// The opened articles and the lists.

import { button, byId, el, fill, plural } from "./dom.js";
import { LISTS, state, topicName } from "./state.js";

function link(view, title, detail, actions) {
  return button([el("span", { class: "title" }, title), detail ? el("span", { class: "detail" }, detail) : null],
    () => actions.open(view), { class: "link", "aria-current": state.view === view ? "page" : null, "data-view": view });
}

function article(one, actions) {
  const view = `article:${one.key}`;
  const topics = one.topics.slice(0, 3).map(topicName).join(", ") + (one.topics.length > 3 ? ", …" : "");
  return el("li", {},
    link(view, one.name, `${one.labelled}/${one.sentences} labelled${topics ? ` · ${topics}` : ""}`, actions),
    button("×", () => actions.close(one), { class: "quiet put-away", "aria-label": `Put ${one.name} away`, title: "Put away" }));
}

export function drawSide(actions) {
  fill(byId("side"),
    el("div", { class: "openers", id: "drop" },
      el("p", {}, "Drop files here, or"),
      el("div", { class: "buttons" },
        button("Files…", actions.pickFiles), button("Folder…", actions.pickFolder), button("Paste text", actions.paste), button("Link", actions.link),
        state.hasFolders ? button("Pick…", actions.pickGiven) : null)),
    el("h2", {}, "Articles"),
    state.articles.length ? el("ul", { class: "links articles" }, state.articles.map((one) => article(one, actions)))
      : el("p", { class: "muted" }, "None is open yet."),
    el("h2", {}, "Work lists"),
    el("ul", { class: "links" }, Object.entries(LISTS).map(([name, [title]]) => el("li", {}, link(name, title, plural(state.lists[name] ?? 0, "sentence"), actions)))),
    el("h2", {}, "Project"),
    el("ul", { class: "links" },
      el("li", {}, link("counts", "Counts and agreement", "", actions)),
      el("li", {}, link("training", "Model and retraining", state.status?.model ? `in use: ${state.status.model}` : "no model yet", actions))),
    state.articles.length ? el("p", { class: "handed-on" },
      el("a", { href: "/report.html", target: "_blank", rel: "noopener" }, "Report of these articles"),
      el("a", { href: "/api/review/articles.jsonl", download: "articles.jsonl" }, "Download JSONL")) : null);
}
