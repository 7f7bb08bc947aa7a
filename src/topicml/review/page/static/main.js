// The page: what is shown, and what becomes of what one does.

import { drawCodebook } from "./codebook.js";
import { drawCounts } from "./counts.js";
import { button, byId, dialog, el, fill } from "./dom.js";
import { explain } from "./explaining.js";
import { listen, showHelp } from "./keys.js";
import { acceptDrops, paste, pasteLink, pickFiles, pickGiven, sendFiles } from "./opening.js";
import { Outbox } from "./outbox.js";
import { drawRows, redrawRow, reveal } from "./rows.js";
import { Gone, Refused, get, post } from "./server.js";
import { drawSide } from "./side.js";
import { LISTS, current, sentences, state, toggled, topicsOf } from "./state.js";
import { drawTraining, leaveTraining } from "./training.js";

const POLL_MS = 4000;
let outbox = null;
let placing = 0;

// what is said at the top

function say(line) {
  byId("saved").textContent = line;
}

function trouble(line) {
  byId("trouble").hidden = !line;
  fill(byId("trouble"), line ? el("p", {}, line) : null, line ? button("Dismiss", () => trouble(""), { class: "quiet" }) : null);
}

function told({ waiting, gone }) {
  if (gone) {
    say("Not saved yet");
    trouble(`The server does not answer. ${waiting === 1 ? "Your last answer is" : `Your last ${waiting} answers are`} kept here and sent again.`);
  } else {
    if (byId("saved").textContent === "Not saved yet") { trouble(""); remember({ isNow: true }); }
    say(waiting ? "Saving …" : "Saved");
  }
}

async function guarded(work) {
  try {
    return await work();
  } catch (error) {
    trouble(error instanceof Gone ? "The server does not answer." : error.message);
    if (!(error instanceof Gone || error instanceof Refused)) throw error;
    return null;
  }
}

// the sentence that is looked at

function select(number, { focus = true } = {}) {
  const before = state.index;
  state.index = Math.max(0, Math.min(number, sentences().length - 1));
  redrawRow(before, select);
  redrawRow(state.index, select);
  reveal(state.index, { focus });
  drawCodebook(actions);
  remember();
}

function remember({ isNow = false } = {}) {
  const sentence = current();
  if (sentence) state.at[state.view] = sentence.id;
  if (!state.annotator) return;
  clearTimeout(placing);
  placing = isNow ? place() : setTimeout(place, 300);
}

function place() {
  placing = 0;
  post("/place", { view: state.view, id: current()?.id ?? "" }).catch(() => {}); // it is where one was before, then
  return 0;
}

function update(said) {
  const number = sentences().findIndex((one) => one.id === said.id);
  if (number < 0) return number;
  const before = JSON.stringify(sentences()[number]);
  Object.assign(sentences()[number], said, { pending: null });
  if (JSON.stringify(sentences()[number]) === before) return number;
  redrawRow(number, select);
  return number;
}

function give(topics, { note, moves = true } = {}) {
  const sentence = current();
  if (!sentence) return;
  if (!state.annotator) { introduce(); return; }
  sentence.pending = { topics };
  redrawRow(state.index, select);
  const body = { view: state.view, id: sentence.id, topics, note: note ?? sentence.note ?? "" };
  outbox.add({ path: "/answers", body });
  if (moves) select(state.index + 1); else drawCodebook(actions);
}

async function onSaved(item, answer) {
  const said = item.path === "/undo" ? answer.sentence : answer;
  if (item.path === "/undo" && !said) { say("Nothing to undo"); return; }
  const waits = outbox.waiting.some((one) => one.body.id === said.id);
  if (!waits) {
    const number = update(said);
    if (item.path === "/undo" && number >= 0) select(number);
    else if (number === state.index) drawCodebook(actions);
  }
  if (item.path === "/undo") say("Taken back");
}

function onRefused(item, why) {
  trouble(why);
  const sentence = sentences().find((one) => one.id === item.body.id);
  if (sentence) { sentence.pending = null; redrawRow(sentences().indexOf(sentence), select); drawCodebook(actions); }
}

// views

async function open(view, { focus = true } = {}) {
  leaveTraining();
  if (view !== state.view) byId("work").scrollTop = 0;
  state.view = view;
  document.body.classList.remove("menu-open");
  byId("menu").setAttribute("aria-expanded", "false");
  if (view === "training") { state.work = null; await drawTraining(); }
  else if (view === "counts") { state.work = null; await guarded(async () => drawCounts(await get("/counts"))); }
  else if (view) await guarded(async () => show(await get(`/views/${encodeURIComponent(view)}`), focus));
  else welcome();
  if (!state.work) document.body.classList.remove("with-book");
  drawSide(actions);
  drawCodebook(actions);
  remember({ isNow: true });
}

function show(work, focus) {
  state.work = work;
  document.body.classList.toggle("with-book", work.sentences.length > 0);
  const found = work.sentences.findIndex((one) => one.id === state.at[state.view]);
  const firstOpen = work.sentences.findIndex((one) => one.state === "open");
  state.index = Math.max(0, found >= 0 ? found : firstOpen);
  drawRows({ onSelect: select, head: listHead(work) });
  reveal(state.index, { focus, isFirst: state.index > 0 });
}

function listHead(work) {
  if (!LISTS[state.view]) return null;
  const job = work.job;
  if (!job) return work.sentences.length ? null : el("p", {}, "There is nothing to settle.");
  const isRunning = job.status === "running";
  const make = async () => { await guarded(() => post("/lists", { name: state.view })); await open(state.view); };
  return el("div", { class: "actions" },
    button(isRunning ? "Being made …" : work.sentences.length ? "Make it anew" : "Make the list", make, { disabled: isRunning, class: work.sentences.length ? "" : "main" }),
    isRunning ? el("progress", { "aria-label": "Making the list" }) : null,
    job.status === "failed" ? el("p", { class: "refusal" }, job.lines.filter((line) => line.startsWith("error: ")).at(-1) ?? "It ended early.") : null,
    job.status === "done" && !work.sentences.length ? el("p", {}, "Nothing was found.") : null,
    job.status === "done" ? job.lines.filter((line) => line.startsWith("left out:")).map((line) => el("p", { class: "muted" }, line)) : null);
}

function welcome() {
  state.work = null;
  fill(byId("work"), el("div", { class: "head welcome" },
    el("h1", {}, "Open an article"),
    el("p", {}, "Drop files anywhere on this page: text, web pages, JSON Lines, CSV and whatever else the project reads. Or paste text, or a link."),
    el("p", { class: "muted" }, "Nothing leaves this machine. Answers are written into the project's label files, with your name.")));
}

async function opened(work) {
  await guarded(async () => {
    say("Opening …");
    const found = await work();
    state.articles = found.articles;
    say(found.keys.length ? "Opened" : "");
    trouble(found.problems.join(" · "));
    if (found.keys.length) await open(`article:${found.keys[0]}`); else drawSide(actions);
  });
}

const openFiles = (files) => named(() => sendFiles(files, opened));

async function named(work) {
  if (!state.annotator) await introduce();
  if (state.annotator) await work();
}

// who one is

async function introduce() {
  const field = el("input", { name: "name", type: "text", required: true, maxlength: "100", autocomplete: "name", value: state.annotator });
  const name = await dialog("Who are you?", [el("label", {}, "Name", field), el("p", { class: "muted" }, "It stands beside each of your answers.")],
    { actions: [{ label: "Go on", value: (form) => form.get("name") }] });
  if (!name) return;
  await guarded(async () => { await post("/annotator", { name }); await start(); });
}

async function start() {
  const found = await get("");
  Object.assign(state, { scheme: found.scheme, annotator: found.annotator, articles: found.articles, lists: found.lists, hasFolders: found.has_folders, status: found.status });
  state.at = { ...found.at, ...state.at };
  byId("who").textContent = state.annotator || "Who are you?";
  outbox = new Outbox(state.annotator, { onSaved, onRefused, onState: told });
  const first = state.articles.length ? `article:${state.articles[0].key}` : "";
  await open(state.view || found.view || first, { focus: false });
  if (outbox.waiting.length) outbox.send();
}

// what others do meanwhile

async function poll() {
  try {
    const found = await get("/status");
    const before = state.status;
    if (outbox?.gone) outbox.send();
    if (JSON.stringify(before) === JSON.stringify(found)) return;
    const everything = await get("");
    Object.assign(state, { articles: everything.articles, lists: everything.lists });
    if (before && !await isRefreshed(before, found)) return; // heard again: it is not shown yet
    state.status = found;
    drawSide(actions);
  } catch {
    if (outbox && !outbox.gone && !outbox.waiting.length) say("The server does not answer");
  } finally {
    setTimeout(poll, POLL_MS);
  }
}

async function isRefreshed(before, now) {
  const made = before.jobs[state.view] !== now.jobs[state.view] || before.model !== now.model;
  const view = state.view;
  if (!state.work) return true;
  if (outbox.waiting.length) return false;
  const work = await get(`/views/${encodeURIComponent(view)}`);
  if (view !== state.view || outbox.waiting.length) return false;
  if (made) { show(work, false); drawCodebook(actions); return true; }
  const here = JSON.stringify(current());
  for (const said of work.sentences) update(said);
  const isTyping = document.activeElement?.closest("#book input");
  if (!isTyping && JSON.stringify(current()) !== here) drawCodebook(actions);
  return true;
}

// what can be done

const actions = {
  open,
  toggle: (topic) => { const one = current(); if (one) give(toggled(one, topic), { moves: false }); },
  accept: () => { const one = current(); if (one) give(topicsOf(one)); },
  nothing: () => { if (!state.scheme.is_multiclass) give([]); },
  skip: () => give(null),
  note: (note) => { const one = current(); if (one) give(topicsOf(one), { note, moves: false }); },
  undo: () => { if (state.annotator) outbox.add({ path: "/undo", body: {} }); },
  next: () => { if (current()) select(state.index + 1); },
  previous: () => { if (current()) select(state.index - 1); },
  explain: () => { if (current()) guarded(async () => { await explain(current()); drawCodebook(actions); }); },
  filter: (text) => { state.filter = text; drawCodebook(actions); const box = byId("filter"); box.focus(); box.setSelectionRange(text.length, text.length); },
  search: () => (byId("filter") ?? byId("note"))?.focus(),
  pickFiles: () => pickFiles(openFiles),
  pickFolder: () => pickFiles(openFiles, { isFolder: true }),
  paste: () => named(async () => { const work = await paste(); if (work) await opened(work); }),
  link: () => named(async () => { const work = await pasteLink(); if (work) await opened(work); }),
  pickGiven: () => named(async () => { const work = await guarded(pickGiven); if (work) await opened(work); }),
  close: (article) => guarded(async () => {
    state.articles = (await post("/close", { key: article.key })).articles;
    if (state.view === `article:${article.key}`) await open(state.articles.length ? `article:${state.articles[0].key}` : ""); else drawSide(actions);
  }),
};

byId("who").addEventListener("click", introduce);
byId("help").addEventListener("click", showHelp);
byId("menu").addEventListener("click", () => {
  const isOpen = document.body.classList.toggle("menu-open");
  byId("menu").setAttribute("aria-expanded", String(isOpen));
});
window.addEventListener("pagehide", () => { if (placing) { clearTimeout(placing); place(); } });
acceptDrops(openFiles);
listen(actions);
await guarded(start);
if (state.scheme && !state.annotator) introduce();
setTimeout(poll, POLL_MS);
