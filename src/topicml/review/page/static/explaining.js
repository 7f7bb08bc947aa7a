// Which words speak for a sentence's topics.

import { el } from "./dom.js";
import { get } from "./server.js";
import { state, topicName } from "./state.js";

const FAINTEST = 0.12; // of the word that counts most

export async function explain(sentence) {
  const query = new URLSearchParams({ view: state.view, id: sentence.id });
  state.explanation = { id: sentence.id, ...(await get(`/explanation?${query}`)) };
}

export function explained(sentence) {
  const found = state.explanation;
  if (!sentence || found?.id !== sentence.id) return null;
  return el("section", { class: "explained", "aria-label": "Explanation" },
    found.failed ? el("p", {}, `No topic is given: it fails at ${found.failed}.`) : null,
    found.topics.map(part));
}

const percent = (share) => `${Math.round(share * 100)} %`;

function part(topic) {
  return [
    el("h3", {}, `${topicName(topic.topic)}: ${percent(topic.probability)}, needs ${percent(topic.threshold)}`),
    el("p", {}, topic.pieces.map(([text, strength]) => Math.abs(strength) < FAINTEST ? text
      : el("mark", { class: strength > 0 ? null : "against", "data-strength": Math.ceil(Math.abs(strength) * 4) }, text))),
  ];
}
