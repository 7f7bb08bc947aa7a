// The keyboard: topics by their keys, and what the letters left over mean.

import { el, dialog } from "./dom.js";
import { state } from "./state.js";

export const HELP = [
  ["1 … 9", "give the sentence a topic, or take it away (further topics: the letter beside each)"],
  ["Enter", "right as it stands: save, and go to the next"],
  ["0 or n", "nothing here: save that it has no topic, and go to the next"],
  ["s", "skip: save that you do not decide, and go to the next"],
  ["u", "undo your last answer, then the one before it"],
  ["j or →", "next sentence, without an answer"],
  ["k or ←", "previous sentence"],
  ["e", "explain: which words speak for its topics"],
  ["/", "filter topics, or write a remark where there are few"],
  ["?", "this help"],
];

export function showHelp() {
  return dialog("Keys", el("dl", { class: "keys" }, HELP.map(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)])));
}

export function listen(actions) {
  const commands = {
    Enter: actions.accept, 0: actions.nothing, n: actions.nothing, s: actions.skip, u: actions.undo,
    j: actions.next, ArrowRight: actions.next, ArrowDown: actions.next,
    k: actions.previous, ArrowLeft: actions.previous, ArrowUp: actions.previous,
    e: actions.explain, "/": actions.search, "?": showHelp,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const target = event.target;
    if (target.closest("input, textarea, select")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const isControl = target.closest("button:not(.sentence), a, summary");
    if (isControl && ["Enter", " "].includes(event.key)) return; // it is pressed
    if (target.closest("pre, .scroll") && event.key.startsWith("Arrow")) return; // it is scrolled
    const topic = state.scheme?.topics.find((one) => one.key && one.key === event.key);
    const command = topic ? () => actions.toggle(topic.id) : commands[event.key];
    if (!command) return;
    event.preventDefault();
    command();
  });
}
