// Retraining: begin, watch, compare, promote or not.

import { button, byId, dialog, el, fill, plural, table } from "./dom.js";
import { Refused, get, post } from "./server.js";
import { state, topicName } from "./state.js";

let timer = 0;
let refusal = "";

const figure = (value, sign = "") => value === null || value === undefined ? "–" : `${sign && value > 0 ? "+" : ""}${value.toFixed(3)}`;
const interval = (row) => row.interval ? `${figure(row.interval[0], "+")} to ${figure(row.interval[1], "+")}` : "none";
const difference = (row) => [figure(row.old), figure(row.new), figure(row.difference, "+"), interval(row)];
const COLUMNS = ["old", "new", "difference", "95 % interval"];
const NAMES = { micro_f1: "micro F1", macro_f1: "macro F1", macro_average_precision: "mean average precision", false_tag_rate: "false tags", expected_calibration_error: "calibration error", accuracy: "accuracy" };

async function act(path, body) {
  refusal = "";
  try {
    draw(await post(path, body));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refusal = error.message;
    draw(await get("/training"));
  }
}

function progress(found) {
  const told = found.progress;
  const seconds = Math.max(0, Math.round(Date.now() / 1000 - found.started));
  return el("section", {},
    el("h2", {}, found.command ? "Comparing" : "Training"),
    el("p", {}, `Version ${found.about.new}, begun by ${found.about.by} ${plural(seconds, "second")} ago. It goes on when this page is closed.`),
    el("progress", told ? { max: told.total, value: told.done, "aria-label": told.name } : { "aria-label": "Training" }),
    told ? el("p", { class: "muted" }, `${told.name}: ${told.done} of ${told.total}`) : null,
    log(found, true),
    el("div", { class: "actions" }, button("Cancel", () => act("/training/cancel"))));
}

function log(found, isOpen) {
  return found.lines.length ? el("details", { class: "log", open: isOpen || null }, el("summary", {}, "What it said"), el("pre", { tabindex: "0" }, found.lines.join("\n"))) : null;
}

function verdict(found) {
  const comparison = found.comparison;
  const version = found.about.new;
  const checks = comparison.checks.filter((check) => check.passed === false);
  const isDecided = found.decision || found.in_use === version;
  return el("section", {},
    el("h2", {}, `Version ${version} in place of ${found.about.old}`),
    el("p", { class: `verdict ${comparison.verdict}` }, comparison.verdict === "ok" ? "The gate lets it through." : `The gate refuses it: ${checks.map((check) => NAMES[check.what] ?? check.what).join(", ") || "nothing could be measured"}.`),
    comparison.cautions.length ? el("ul", { class: "cautions" }, comparison.cautions.map((caution) => el("li", {}, caution))) : null,
    found.decision ? el("p", { class: "decision" }, found.decision.what === "promoted" ? `Promoted by ${found.decision.by}: it is in use.` : `${found.decision.by} kept ${found.about.old}.`) : null,
    isDecided ? null : el("div", { class: "actions" },
      button("Promote", () => act("/training/decision", { version, promote: true }), { class: comparison.verdict === "ok" ? "main" : "" }),
      button(`Keep ${found.about.old}`, () => act("/training/decision", { version, promote: false }), { class: comparison.verdict === "ok" ? "" : "main" })),
    table(["figure", ...COLUMNS], Object.entries(comparison.metrics).map(([name, row]) => [NAMES[name] ?? name, ...difference(row)]), `Figures on ${plural(comparison.sentences, "sentence")} of ${plural(comparison.documents, "document")}`),
    table(["topic", "sentences", ...COLUMNS], comparison.topics.map((row) => [topicName(row.topic), row.support, ...difference(row.f1)]), "F1 by topic"),
    comparison.checks.length ? table(["limit", "found", "allowed", "kept"], comparison.checks.map((check) => [NAMES[check.what] ?? check.what, figure(check.found, "+"), figure(check.limit, "+"), check.passed === null ? "–" : check.passed ? "yes" : "no"]), "The gate") : null,
    flips(comparison));
}

function flips(comparison) {
  const tags = (row, key, sign) => row[key].map((topic) => el("li", { class: `chip ${key}` }, `${sign} ${topicName(topic)}`));
  return el("details", { class: "flips" },
    el("summary", {}, `${plural(comparison.flipped, "sentence")} changed topics`),
    el("ul", {}, comparison.flips.slice(0, 100).map((row) => el("li", {}, el("p", {}, row.text),
      el("ul", { class: "chips" }, tags(row, "gained", "+"), tags(row, "lost", "−"), el("li", { class: "chip note" }, `labelled ${row.labels.map(topicName).join(", ") || "no topic"}`))))));
}

function outcome(found) {
  if (found.status === "running") return progress(found);
  if (found.status === "failed") return el("section", {}, el("h2", {}, "The last training ended early"), el("p", { class: "refusal" }, found.error), log(found, false));
  if (found.status === "cancelled") return el("section", {}, el("h2", {}, "Cancelled"), el("p", {}, "Nothing was changed."));
  if (found.status === "done" && found.comparison) return verdict(found);
  if (found.status === "done") return el("section", {}, el("h2", {}, `Version ${found.about.new} is in use`), el("p", {}, "It is the first one: there was none to compare it with."));
  return null;
}

function draw(found) {
  clearTimeout(timer);
  if (state.view !== "training") return;
  const isRunning = found.status === "running";
  fill(byId("work"),
    el("div", { class: "head" },
      el("h1", {}, "Model and retraining"),
      el("p", { class: "muted" }, found.in_use ? `${state.scheme.name}@${found.in_use} is in use.` : "There is no model yet: label some sentences, then train the first."),
      refusal ? el("p", { class: "refusal", role: "alert" }, refusal) : null,
      isRunning ? null : el("div", { class: "actions" }, button(found.in_use ? "Retrain on all labels" : "Train the first version", () => act("/training"), { class: found.status === "done" && !found.decision && found.comparison ? "" : "main", id: "retrain" }))),
    outcome(found));
  if (isRunning) timer = setTimeout(drawTraining, 1000);
}

export async function drawTraining() {
  clearTimeout(timer);
  try {
    draw(await get("/training"));
  } catch {
    timer = setTimeout(drawTraining, 2000);
  }
}

export function leaveTraining() {
  clearTimeout(timer);
  refusal = "";
}
