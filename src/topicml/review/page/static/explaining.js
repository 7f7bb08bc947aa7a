// Which words speak for a sentence's topics.

import { byId, el, fill } from "./dom.js";
import { get } from "./server.js";
import { topicName } from "./state.js";

const FAINTEST = 0.12; // of the word that counts most

export async function explain(sentence, view) {
  const place = byId("explained");
  const found = await get(`/explanation?view=${encodeURIComponent(view)}&id=${encodeURIComponent(sentence.id)}`);
  fill(place, el("section", { class: "explained", "aria-label": "Explanation" }, found.topics.map((topic) => part(topic, sentence.text))));
}

function part(topic, text) {
  const pieces = [];
  let at = 0;
  const points = [...text]; // places count characters, not halves of them
  const slice = (start, end) => points.slice(start, end).join("");
  for (const mark of topic.marks.filter((one) => Math.abs(one.strength) >= FAINTEST)) {
    pieces.push(slice(at, mark.start), el(mark.strength > 0 ? "mark" : "del", { "data-strength": Math.ceil(Math.abs(mark.strength) * 4) }, slice(mark.start, mark.end)));
    at = mark.end;
  }
  pieces.push(slice(at));
  return [el("h3", {}, `${topicName(topic.topic)}: ${Math.round(topic.probability * 100)} %, needs ${Math.round(topic.threshold * 100)} %`), el("p", {}, pieces)];
}
