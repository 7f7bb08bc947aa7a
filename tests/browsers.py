"""A real browser for the tests that look at pages: the chromium that is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

REQUIRED = "TOPICML_REQUIRE_BROWSER"
"""Environment variable that makes a missing browser a failure."""

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_browser = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get(REQUIRED),
    reason="no chromium is installed: pages are not looked at",
)


@contextmanager
def open_browser(**options: Any) -> Iterator[Browser]:
    """Give a browser of its own, ended with the block.

    Raises:
        RuntimeError: None is installed, and ``REQUIRED`` says that one must be.
    """
    if CHROMIUM is None:
        raise RuntimeError("no chromium is installed: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], **options
        )
        try:
            yield browser
        finally:
            browser.close()
