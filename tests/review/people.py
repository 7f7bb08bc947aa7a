"""Somebody at the page, in a browser of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from topicml.labels.agreement import passes_by_annotator
from topicml.labels.annotations import AnnotationStore


class Visitor:
    """Somebody at the page, and what went wrong in their browser."""

    def __init__(self, browser: Browser, link: str, name: str, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}} | options)
        self.page = self.context.new_page()
        self.troubles: list[str] = []
        self.page.on("dialog", lambda dialog: self.troubles.append(f"dialog: {dialog.message}"))
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("console", self._note)
        self.page.goto(link)
        self.page.get_by_label("Name").fill(name)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#who")).to_have_text(name)

    def _note(self, message: Any) -> None:
        is_refusal = message.text.startswith("Failed to load resource")  # what the page tells of
        if message.type in ("error", "warning") and not is_refusal:
            self.troubles.append(f"{message.type}: {message.text}")

    def paste(self, text: str, title: str) -> None:
        self.page.get_by_role("button", name="Paste text").click()
        self.page.get_by_label("Title").fill(title)
        self.page.get_by_label("Text", exact=True).fill(text)
        self.page.get_by_role("button", name="Open", exact=True).click()
        expect(self.page.locator("h1")).to_have_text(title)

    def open_files(self, *paths: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Files…").click()
        chooser.value.set_files(paths)

    def go(self, view: str) -> None:
        self.page.locator(f"[data-view='{view}']").click()
        expect(self.page.locator(f"[data-view='{view}']")).to_have_attribute("aria-current", "page")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.saved()

    def saved(self) -> None:
        expect(self.page.locator("#saved")).to_have_text(re.compile("Saved|Taken back"))

    def chips(self, number: int) -> list[str]:
        return self.page.locator(".row").nth(number).locator(".chip").all_inner_texts()


def readings(project: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """What each annotator says of each sentence."""
    store = AnnotationStore(project / "data/labels/annotations")
    passes = passes_by_annotator(store.read())
    return {name: {one.id: one.topics for one in said} for name, said in passes.items()}
