"""What commands read: files, folders, standard input and web pages, and what is rejected of it."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import typer

from topicml.cli import options
from topicml.cli.exits import exit_rejected
from topicml.errors import InputError, RemoteError, TopicmlError
from topicml.io.blocks import Block
from topicml.io.readers import check_named, parse_block, read_blocks
from topicml.io.records import Format, ReadOptions, Reject, list_counts
from topicml.io.sources import Source, list_sources, measure, paths_of, web_source
from topicml.io.writers.texts import TextFolder
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Tagger
from topicml.text.document import Document

_REJECTS_KEPT = 1000  # for a page


def given_or_stdin(sources: list[str] | None) -> list[str]:
    """Return what was given, or standard input where something comes from it."""
    if sources:
        return sources
    if sys.stdin.isatty():
        raise typer.BadParameter("give a file, a folder, or - for standard input")
    return ["-"]


class Rejects:
    """Says on standard error what cannot be read, and counts it.

    Attributes:
        count: How many inputs and records were rejected so far.
        lines: What was said of the first of them.
    """

    def __init__(self) -> None:
        self.count = 0
        self.lines: list[str] = []

    def tell(self, rejected: Reject | TopicmlError) -> None:
        """Say what is wrong with a record or an input."""
        if isinstance(rejected, Reject):
            line = f"{rejected.place}: {rejected.detail}"
        else:
            line = str(rejected)
        self.count += 1
        if self.count < _REJECTS_KEPT:
            self.lines.append(line)
        options.tell(f"error: {line}")


class WebPages(NamedTuple):
    """Addresses to be asked, each when its turn comes.

    Attributes:
        urls: The addresses.
        allow_private: Whether they may be of this machine or its network.
    """

    urls: list[str]
    allow_private: bool = False


class Inputs:
    """What is read; whatever is wrong with it is said on standard error, and counted.

    Attributes:
        texts: Where texts are saved; None for nowhere.
        paths: Files to be read, standard input among them.
        size: Bytes of all inputs, or None where that is not known.
        rejects: Inputs and records that could not be read.
    """

    def __init__(
        self,
        given: list[str],
        input_format: Format | None,
        reading: ReadOptions,
        web: WebPages | None = None,
        *,
        follow_links: bool = False,
    ) -> None:
        listing = list_sources(given, input_format, follow_links=follow_links)
        self._sources, self._reading, self._web = listing.sources, reading, web or WebPages([])
        self._format = input_format
        self._is_all = len(self._sources) + len(self._web.urls) == 1
        self.texts: TextFolder | None = None
        if not self._web.urls:  # what is there is not known yet
            check_named(self._sources, reading)
        self._stdin, self.size = measure(self._sources, sys.stdin.buffer)
        self.paths = paths_of(self._sources, sys.stdin.buffer)
        self.rejects = Rejects()
        for line in listing.notes():
            options.note(line)
        for error in listing.errors:
            self.rejects.tell(error)

    def tag(self, tagger: Tagger) -> Iterator[list[TaggedArticle]]:
        """Yield the articles, some at a time."""
        skipped: Counter[str] = Counter()
        for source in itertools.chain(self._sources, self._web_sources()):
            try:
                for block in self._blocks(source):
                    skipped += block.skipped()
                    yield tagger.tag(list(self._documents(block)))
            except InputError as err:
                self.rejects.tell(err)
        if skipped:
            options.note(f"skipped, no texts: {list_counts(dict(skipped.most_common()))}")

    def end(self, count: int, what_for: str) -> None:
        """End the command as one that made something of so many texts.

        Raises:
            Exit: Something was rejected.
            InputError: There was no text at all.
        """
        if self.rejects.count:
            raise exit_rejected(count)
        if not count:
            what = f"nothing to {what_for}: no input holds a text"
            raise InputError(what, hint="Check what was given.")

    def _blocks(self, source: Source) -> Iterator[Block]:
        return read_blocks(
            *([source], self._reading, self._stdin), note=options.note, is_all=self._is_all
        )

    def _documents(self, block: Block) -> Iterator[Document]:
        for item in parse_block(block, self._reading):
            if isinstance(item, Reject):
                self.rejects.tell(item)
                continue
            if item.encoding != "utf-8" and item.source == item.id:
                options.note(f"{item.source}: read as {item.encoding}")
            if self.texts:
                self.texts.save(item)
            yield item

    def _web_sources(self) -> Iterator[Source]:
        from topicml.io.web import fetch_page

        for url in self._web.urls:
            try:
                page = fetch_page(url, allow_private=self._web.allow_private)
            except RemoteError as err:
                self.rejects.tell(err)
            else:
                yield web_source(page, self._format)
