from __future__ import annotations

import pytest
from lxml import html as lxml_html
from test_watch_run import BOAT, BREAD, FEED, item
from watching import Watching

from topicml.errors import OutputError
from topicml.io.records import ALL, Fields, ReadOptions
from topicml.report.tagged import EPOCH
from topicml.watch.pages import page_name


@pytest.fixture
def watching(tiny, tmp_path):
    return Watching(tiny, tmp_path)


def page_of(folder, record):
    return lxml_html.fromstring((folder / record["arrived"]["page"]).read_text("utf-8"))


def test_each_article_has_the_page_that_classify_makes_of_it(watching, tmp_path, run, tiny):
    folder = tmp_path / "new" / "pages"
    text = f"Bread\n\n{BREAD}"
    path = watching.write("bread.txt", text)
    watching.write("boat.txt", BOAT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(EPOCH, "0")
        watching.run(html=folder)
        made = run(
            *("classify", path, "-f", "html", "-m", tiny.folder),
            env={EPOCH: "0"},
        )
    boat, bread = watching.records()
    assert (folder / bread["arrived"]["page"]).read_text("utf-8") == made.stdout
    assert page_of(folder, bread).findtext(".//title") == "Bread"
    assert page_of(folder, boat).findtext(".//title") == BOAT
    assert len([*folder.iterdir()]) == 2


def test_an_article_that_changes_gets_another_page(watching, tmp_path):
    for text in (BREAD, BOAT, BREAD):
        watching.write("a.txt", text)
        watching.run(html=tmp_path / "pages")
    records = watching.records()
    assert len({record["arrived"]["page"] for record in records}) == 3
    for record, text in zip(records, (BREAD, BOAT, BREAD), strict=True):
        assert text.split(".")[0] in page_of(tmp_path / "pages", record).text_content()


def test_what_a_page_shows_of_an_input_is_in_records_only_if_it_is_kept(watching, tmp_path):
    feed, folder = tmp_path / "news.xml", tmp_path / "pages"
    address = "https://news.example/1"
    for number, keep in enumerate(((), ("title",), (ALL,))):
        entry = item(number, f"{BREAD} {number}")
        feed.write_text(FEED.format(entry.replace("<title>", f"<link>{address}</link><title>")))
        options = ReadOptions(Fields(keep=keep))
        watching.run(sources=(str(feed),), html=folder, options=options)
    plain, titled, whole = watching.records()
    assert {"title", "url", "source"}.isdisjoint(plain)
    assert (titled["title"], "url" in titled) == ("Item 1", False)
    assert (whole["title"], whole["url"]) == ("Item 2", address)
    for record in (plain, titled, whole):
        (link,) = page_of(folder, record).xpath("//article//a/@href")
        assert link == address


def test_pages_are_never_read_as_articles(watching, tmp_path):
    path = watching.write("a.txt", BREAD)
    inside = watching.inbox / "pages"
    assert watching.run(html=inside) == [path]
    (watching.inbox / "link").symlink_to(inside)
    (watching.inbox / "link.html").symlink_to(next(inside.iterdir()))
    assert watching.run(html=inside, follow_links=True) == []
    (tmp_path / "inbox-too").symlink_to(watching.inbox)
    for folder in (watching.inbox, tmp_path / "inbox-too", inside / ".."):
        with pytest.raises(OutputError, match="pages would be read as articles") as caught:
            watching.run(html=folder)
        assert "folder of their own" in str(caught.value)


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_written(watching, tmp_path):
    watching.write("a.txt", BREAD)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="cannot be written"):
        watching.run(html=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(EPOCH, "noon")
        with pytest.raises(OutputError, match="'noon' is no time"):
            watching.run(html=tmp_path / "pages")
    assert watching.records() == []


def test_without_its_page_no_record_is_written(watching, tmp_path):
    path, folder = watching.write("a.txt", BREAD), tmp_path / "pages"
    watching.run(html=folder)
    (page,) = folder.iterdir()
    page.unlink()
    page.mkdir()
    for file in tmp_path.glob("tags.jsonl*"):
        file.unlink()
    with pytest.raises(OutputError, match="cannot be written") as caught:
        watching.run(html=folder)
    assert str(caught.value).startswith(str(page))
    assert (watching.records(), watching.printed) == ([], [])
    page.rmdir()
    assert watching.run(html=folder) == [path]
    assert [*folder.iterdir()] == [page]


def test_names_are_safe_and_no_two_records_share_one():
    origins = [
        {"from": "in", "number": 1, "version": 1, "sha256": "a"},
        {"from": "in", "number": 2, "version": 1, "sha256": "a"},
        {"from": "in", "number": 1, "version": 2, "sha256": "a"},
        {"from": "in", "number": 1, "version": 1, "sha256": "b"},
        {"from": "on", "number": 1, "version": 1, "sha256": "a"},
        {"from": "in", "entry": "1", "version": 1, "sha256": "a"},
    ]
    names = [page_name(id_, origin) for id_ in ("../é", "", "a/b.txt") for origin in origins]
    assert len({*names}) == len(names)
    assert all(name.isascii() and "/" not in name and name[0] != "." for name in names)
    assert [name.rpartition("-")[0] for name in names[::6]] == ["text", "text", "a_b"]
