"""A watcher in this process, on a tiny model, that ends when all is done."""

from __future__ import annotations

import json
from dataclasses import replace

from topicml.io.records import ReadOptions
from topicml.models.folder import open_model
from topicml.models.tagger import make_tagger
from topicml.watch.run import WatchJob, watch_sources


class Watching:
    def __init__(self, tiny, folder):
        self.tagger = make_tagger(open_model(tiny.folder))
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        self.job = WatchJob(
            (str(self.inbox),), folder / "tags.jsonl", ReadOptions(), settle=0.0, once=True
        )
        self.output = self.job.output
        self.told = []
        self.printed = []

    def run(self, **options):
        """Tag what is there; return ids of what was tagged."""
        self.told, self.printed = [], []
        watch_sources(
            replace(self.job, **options), self.tagger, self.printed.append, self.told.append
        )
        return [arrival.article.id for arrival in self.printed]

    def write(self, name, text):
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def records(self):
        if not self.output.exists():
            return []
        return [json.loads(line) for line in self.output.read_text().splitlines()]

    def written(self):
        return [(r["id"], r["arrived"]["version"], r["duplicate_of"]) for r in self.records()]
