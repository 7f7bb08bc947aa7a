// What the page knows, and what it says of a sentence.

export const state = {
  scheme: null,
  annotator: "",
  articles: [],
  lists: {},
  hasFolders: false,
  view: "",
  at: {},
  work: null, // the article or list that is open
  index: 0,
  filter: "",
  status: null,
  explanation: null, // of one sentence, the last that was asked for
};

export const LISTS = {
  queue: ["To label next", "Sentences of the opened articles whose labels would teach the model most."],
  issues: ["Likely wrong labels", "What you answer here is settled."],
  disagreements: ["Disagreements", "What annotators differ in. What you answer here is settled."],
};

export const sentences = () => state.work?.sentences ?? [];
export const current = () => sentences()[state.index] ?? null;
export const topicName = (id) => state.scheme.topics.find((topic) => topic.id === id)?.name ?? id;
export const isSettling = () => ["issues", "disagreements"].includes(state.view);

// The topics that the sentence has on the screen: one's own, else the label's, else the model's.
export function topicsOf(sentence) {
  return sentence.pending?.topics ?? sentence.mine ?? sentence.label ?? sentence.suggested ?? [];
}

export function toggled(sentence, topic) {
  const topics = topicsOf(sentence);
  if (state.scheme.is_multiclass) return [topic];
  return topics.includes(topic) ? topics.filter((one) => one !== topic) : [...topics, topic];
}
