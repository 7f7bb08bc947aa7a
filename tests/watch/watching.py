"""A watcher in this process, on a tiny model, that ends when all is done."""

from __future__ import annotations

import json
from dataclasses import replace

from topicml.io.records import ReadOptions
from topicml.models.folder import open_model
from topicml.models.tagger import make_tagger
from topicml.report.tagged import page_drawer
from topicml.watch.pages import PageFolder
from topicml.watch.run import WatchJob, watch_sources


class Watching:
    def __init__(self, tiny, folder):
        self.model = open_model(tiny.folder)
        self.tagger = make_tagger(self.model)
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        self.job = WatchJob(
            (str(self.inbox),), folder / "tags.jsonl", ReadOptions(), settle=0.0, once=True
        )
        self.output = self.job.output
        self.told = []
        self.printed = []

    def run(self, *, html=None, **options):
        """Tag what is there, with pages in a folder; return ids of what was tagged."""
        self.told, self.printed = [], []
        pages = html and PageFolder(html, page_drawer(self.model, self.tagger.thresholds))
        watch_sources(
            *(replace(self.job, **options), self.tagger, self.printed.append, self.told.append),
            pages,
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
