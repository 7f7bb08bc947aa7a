"""Pages of figures in a real browser, where axe finds nothing wrong in any light."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import needs_browser, open_browser

from topicml.training.page import html_page, html_table

BODY = (
    "<p class='muted'>Of 3 documents.</p><h2>Figures</h2>"
    + html_table(("figure", *("value " * 20).split()), [("micro F1", *range(20))])
    + "<figure><img alt='A dot' src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>"
    "<figcaption>A dot</figcaption></figure>"
)


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(tmp_path: Path, scheme: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(html_page("Evaluation", BODY), encoding="utf-8")
    said: list[str] = []
    with open_browser() as browser:
        page = browser.new_page(color_scheme=scheme, viewport={"width": 420, "height": 800})
        page.on("console", lambda message: said.append(message.text))
        page.goto(file.as_uri())
        found = Axe().run(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert found.violations_count == 0, found.generate_report()
    assert said == []
    assert (ground == "rgb(17, 21, 27)") is (scheme == "dark")
