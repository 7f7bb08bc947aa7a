// Answers on their way. They go one after the other, stay here until the server has them, and
// survive a closed page; a server that is gone gets them when it is back.

import { Gone, Refused, post } from "./server.js";

const RETRY = 2000;

export class Outbox {
  constructor(annotator, { onSaved, onRefused, onState }) {
    this.place = `topicml-outbox:${annotator}`;
    this.handlers = { onSaved, onRefused, onState };
    this.busy = false;
    this.gone = false;
  }

  get waiting() {
    try {
      return JSON.parse(localStorage.getItem(this.place) ?? "[]");
    } catch {
      return [];
    }
  }

  set waiting(items) {
    localStorage.setItem(this.place, JSON.stringify(items));
  }

  add(item) {
    this.waiting = [...this.waiting, { ...item, number: crypto.randomUUID() }];
    return this.send();
  }

  async send() {
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.waiting.length) {
        const [item] = this.waiting;
        this.tell();
        try {
          const answer = await post(item.path, item.body);
          this.gone = false;
          this.drop(item);
          this.handlers.onSaved(item, answer);
        } catch (error) {
          if (error instanceof Gone) {
            this.gone = true;
            this.tell();
            setTimeout(() => this.send(), RETRY);
            return;
          }
          this.drop(item);
          this.handlers.onRefused(item, error instanceof Refused ? error.message : String(error));
        }
      }
    } finally {
      this.busy = false;
      this.tell();
    }
  }

  drop(item) {
    this.waiting = this.waiting.filter((one) => one.number !== item.number);
  }

  tell() {
    this.handlers.onState({ waiting: this.waiting.length, gone: this.gone });
  }
}
