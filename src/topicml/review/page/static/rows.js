// The sentences of an article or a list, a row each.

import { byId, el, fill, plural } from "./dom.js";
import { LISTS, sentences, state, topicName, topicsOf } from "./state.js";

const REASONS = {
  not_english: "not in the model's language", boilerplate: "part of the page around an article",
  unfamiliar: "hardly a word that the model knows", no_topic: "likely about none of the topics",
  below_threshold: "no topic is likely enough",
};

const chip = (text, kind, title) => el("li", { class: `chip ${kind}`, title }, text);

function chips(sentence) {
  const found = [];
  const isOpen = sentence.state !== "answered";
  const known = sentence.pending ? "saving" : isOpen ? (sentence.label ? "label" : "suggested") : "mine";
  const topics = topicsOf(sentence);
  if (sentence.state === "skipped" && !sentence.pending?.topics) found.push(chip("skipped", "note"));
  found.push(...topics.map((topic) => chip(topicName(topic), known)));
  if (!topics.length && (!isOpen || sentence.pending || sentence.label)) found.push(chip("no topic", `${known} none`));
  if (!topics.length && isOpen && !sentence.label && sentence.reason) found.push(chip(REASONS[sentence.reason] ?? sentence.reason, "note"));
  if (known === "suggested" && topics.length) found.push(chip("model", "note", "Suggested by the model"));
  if (known === "label") found.push(chip(`label${sentence.label_by ? ` by ${sentence.label_by}` : ""}`, "note"));
  for (const other of sentence.others) {
    const said = other.state === "answered" ? other.topics.map(topicName).join(", ") || "no topic" : other.state;
    const differs = other.state === "answered" && sentence.mine && other.topics.join() !== [...sentence.mine].sort().join();
    found.push(chip(`${other.annotator}: ${said}`, differs ? "other differs" : "other"));
  }
  return found;
}

const MARKS = { open: "", answered: "answered", skipped: "skipped", split: "split since" };

function row(sentence, number, onSelect) {
  const isHere = number === state.index;
  const mark = sentence.pending ? "being saved" : MARKS[sentence.state];
  return el("li", { class: `row ${sentence.pending ? "saving" : sentence.state}${isHere ? " here" : ""}${sentence.opens ? " opens" : ""}`, "data-id": sentence.id },
    el("button", { type: "button", class: "sentence", "aria-current": isHere ? "true" : null, onclick: () => onSelect(number) },
      sentence.text, mark ? el("span", { class: "visually-hidden" }, ` (${mark})`) : null),
    el("ul", { class: "chips" }, chips(sentence)),
    sentence.why.length ? el("ul", { class: "why" }, sentence.why.map((line) => el("li", {}, line))) : null,
    sentence.note ? el("p", { class: "remark" }, sentence.note) : null);
}

export function summary() {
  const all = sentences();
  const answered = all.filter((one) => one.state === "answered").length;
  return `${plural(all.length, "sentence")}, ${answered} answered by you`;
}

export function drawRows({ onSelect, head }) {
  const name = state.work.name;
  const [title, remark] = LISTS[state.view] ?? [name, ""];
  const fields = Object.entries(state.work.fields ?? {}).filter(([key]) => ["url", "date", "author", "source"].includes(key));
  fill(byId("work"),
    el("div", { class: "head" },
      el("h1", {}, title),
      remark ? el("p", { class: "muted" }, remark) : null,
      fields.length ? el("p", { class: "muted fields" }, fields.map(([, value]) => el("span", {}, value))) : null,
      el("p", { class: "muted", id: "summary" }, summary()), head),
    el("ol", { class: "rows" }, sentences().map((one, number) => row(one, number, onSelect))));
}

export function redrawRow(number, onSelect) {
  const old = byId("work").querySelectorAll(".rows > .row")[number];
  const sentence = sentences()[number];
  if (!old || !sentence) return;
  const hadFocus = old.contains(document.activeElement);
  const made = row(sentence, number, onSelect);
  old.replaceWith(made);
  if (hadFocus) made.querySelector(".sentence").focus({ preventScroll: true });
  byId("summary").textContent = summary();
}

export function reveal(number, { focus = true, isFirst = false } = {}) {
  const found = byId("work").querySelectorAll(".rows > .row")[number];
  if (!found) return;
  if (focus) found.querySelector(".sentence").focus({ preventScroll: true });
  found.scrollIntoView(isFirst ? { block: "center", behavior: "instant" } : { block: "nearest" });
}
