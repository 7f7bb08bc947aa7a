// How much is labelled, by whom, and how well annotators agree.

import { byId, el, fill, plural, table } from "./dom.js";
import { topicName } from "./state.js";

const number = (value) => value === null ? "–" : value.toFixed(2);

export function drawCounts(found) {
  fill(byId("work"),
    el("div", { class: "head" },
      el("h1", {}, "Counts and agreement"),
      el("p", { class: "muted" }, `${plural(found.labels, "label")}, ${found.without_topic} of them without a topic; ${plural(found.unlabelled, "sentence")} without a label.`)),
    table(["topic", "sentences"], found.topics.map((row) => [topicName(row.topic), row.sentences]), "Labels by topic"),
    found.annotators.length ? table(["annotator", "sentences", "skipped", "settled"], found.annotators.map((row) => [row.annotator, row.sentences, row.skipped, row.settled]), "Annotators") : null,
    table(["decided by", "sentences"], Object.entries(found.rules).map(([rule, count]) => [rule, count]), "What is decided"),
    found.pairs.length ? found.pairs.map((pair) => table(["topic", "kappa", "alpha"],
      [...pair.topics.map((row) => [topicName(row.topic), number(row.kappa), number(row.alpha)]), ["sets of topics", "", number(pair.alpha)]],
      `${pair.first} and ${pair.second}: the same topics in ${pair.same} of ${plural(pair.sentences, "sentence")}`))
      : el("p", { class: "muted" }, "No two annotators have read the same sentence yet."));
}
