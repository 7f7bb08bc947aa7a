// The topics with their keys, and what the codebook says of each.

import { button, byId, el, fill } from "./dom.js";
import { explained } from "./explaining.js";
import { current, isSettling, state, topicsOf } from "./state.js";

function list(title, items) {
  return items.length ? [el("h4", {}, title), el("ul", {}, items.map((item) => el("li", {}, item)))] : null;
}

function entry(topic, sentence, actions, opened) {
  const given = sentence ? topicsOf(sentence).includes(topic.id) : false;
  const probability = sentence?.probabilities?.[topic.id];
  const isSuggested = sentence?.suggested?.includes(topic.id);
  return el("li", { class: `topic${given ? " given" : ""}`, "data-topic": topic.id },
    button([
      el("kbd", {}, topic.key || " "),
      el("span", { class: "name" }, topic.name),
      probability === undefined ? null : el("span", { class: `share${isSuggested ? " suggested" : ""}`, title: "Probability, by the model" }, `${Math.round(probability * 100)} %`),
    ], () => actions.toggle(topic.id), { class: "toggle", "aria-pressed": String(given), disabled: !sentence }),
    el("details", { open: opened.has(topic.id) || null, ontoggle: (event) => (event.target.open ? opened.add(topic.id) : opened.delete(topic.id)) },
      el("summary", {}, el("span", { class: "definition" }, topic.definition), el("span", { class: "visually-hidden" }, `: more about ${topic.name}`)),
      topic.excludes ? el("p", {}, el("b", {}, "Not: "), topic.excludes) : null,
      list("Settled", topic.settled), list("Carries it", topic.cases), list("Only seems to", topic.near)));
}

const opened = new Set();

export function drawCodebook(actions) {
  const sentence = current();
  const wanted = state.filter.toLowerCase();
  const topics = state.scheme.topics.filter((topic) => !wanted || `${topic.id} ${topic.name} ${topic.definition}`.toLowerCase().includes(wanted));
  const none = state.scheme.is_multiclass ? null
    : button([el("kbd", {}, "0"), el("span", { class: "name" }, "Nothing here")], actions.nothing, { class: "toggle none", disabled: !sentence, "aria-pressed": String(Boolean(sentence && sentence.state === "answered" && !topicsOf(sentence).length)) });
  fill(byId("book"),
    el("div", { class: "moves" },
      button([el("kbd", {}, "k"), "Back"], actions.previous),
      button([el("kbd", {}, "↵"), "Accept"], actions.accept, { class: "main", disabled: !sentence }),
      button([el("kbd", {}, "j"), "Next"], actions.next),
      button([el("kbd", {}, "s"), "Skip"], actions.skip, { disabled: !sentence }),
      button([el("kbd", {}, "u"), "Undo"], actions.undo),
      button([el("kbd", {}, "e"), "Explain"], actions.explain, { disabled: !sentence })),
    explained(sentence),
    el("h2", {}, "Topics"),
    state.scheme.topics.length > 9 ? el("input", { type: "search", id: "filter", placeholder: "Filter topics ( / )", "aria-label": "Filter topics", value: state.filter, oninput: (event) => actions.filter(event.target.value) }) : null,
    el("ul", { class: "topics" }, topics.map((topic) => entry(topic, sentence, actions, opened))),
    none,
    sentence ? el("label", { class: "remark-field" }, isSettling() ? "Why (Enter saves)" : "Remark (Enter saves)",
      el("input", { type: "text", id: "note", maxlength: "10000", value: sentence.note, onkeydown: (event) => { if (event.key === "Enter") { event.preventDefault(); actions.note(event.target.value); } } })) : null,
    state.scheme.rules.length || state.scheme.introduction ? el("details", { class: "rules" }, el("summary", {}, "Rules of the codebook"),
      el("p", {}, state.scheme.introduction), el("ol", {}, state.scheme.rules.map((rule) => el("li", {}, rule)))) : null);
}
