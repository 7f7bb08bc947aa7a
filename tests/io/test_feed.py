import json
from pathlib import Path

import pytest
from reading import blocks_of, read, rejects, texts

from topicml.io.records import Fields, ReadOptions, Reject
from topicml.text.document import Document

ALL = Fields(keep=("*",))
RSS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Daily &amp; more</title><language>en-us</language><link>https://example.org/</link>
<item><title>Allies agree</title><link>/a</link><guid isPermaLink="false">g1</guid>
<pubDate>Mon, 01 Jan 2024 10:00:00 +0000</pubDate><description>Short.</description>
<content:encoded><![CDATA[<p>One &amp; two.</p><script>x</script><p>Three.<br>Four.</p>]]>
</content:encoded></item>
<item><title>Talks</title><link>https://example.org/b</link>
<description>&lt;p&gt;They met.&lt;/p&gt;</description></item>
<item><title>Only a title here</title></item></channel></rss>
"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Desk</title>
<entry><id>urn:1</id><title type="html">A &lt;b&gt;bold&lt;/b&gt; title</title>
<updated>2024-01-02T00:00:00Z</updated><link href="https://example.org/1"/>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Hi.</p><p>There.</p></div>
</content></entry></feed>
"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="x"><title>R</title></channel><item rdf:about="https://example.org/1">
<title>News</title><link>https://example.org/1</link><dc:date>2024-01-03</dc:date>
<description>They met.</description></item></rdf:RDF>
"""


def test_each_item_of_a_feed_is_a_record(tmp_path: Path) -> None:
    path = tmp_path / "a.rss"
    path.write_text(RSS)
    first, second, third = read(tmp_path, fields=ALL)
    assert isinstance(first, Document)
    assert (first.id, first.number) == ("g1", 1)
    assert first.text == "Allies agree\n\nOne & two.\n\nThree.\n\nFour."
    assert first.kept == {
        "title": "Allies agree",
        "date": "2024-01-01",
        "url": "https://example.org/a",
        "source": "Daily & more",
        "language": "en-us",
    }
    assert (second.id, texts([second])) == ("https://example.org/b", ["Talks\n\nThey met."])
    assert (third.id, texts([third])) == (f"{path}:3", ["Only a title here"])


@pytest.mark.parametrize(
    ("feed", "expected"),
    [
        (ATOM, ("urn:1", "A bold title\n\nHi.\n\nThere.", "2024-01-02", "Desk", "en")),
        (RDF, ("https://example.org/1", "News\n\nThey met.", "2024-01-03", "R", None)),
        (RSS.replace('version="2.0"', 'version="0.91"'),
         ("g1", "Allies agree\n\nOne & two.\n\nThree.\n\nFour.", "2024-01-01", "Daily & more",
          "en-us")),
    ],
)  # fmt: skip
def test_feeds_of_all_kinds_also_from_standard_input(feed: str, expected: tuple[str, ...]) -> None:
    item = read("-", stdin=feed.encode(), fields=Fields(keep=("date", "source", "language")))[0]
    assert isinstance(item, Document)
    assert (item.id, item.text, *item.kept.values()) == expected


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_feeds_in_any_encoding(encoding: str) -> None:
    feed = (
        RSS.replace("Short", "x")
        .replace("Allies", "Café")
        .replace('"1.0"?', f'"1.0" encoding="{encoding}"?')
    )
    items = read("-", stdin=feed.encode(encoding))
    assert texts(items)[0].startswith("Café agree")
    assert rejects(items) == []


def test_plain_text_keeps_its_lines() -> None:
    feed = RSS.replace("&lt;p&gt;They met.&lt;/p&gt;", "They met &lt; 5 times.\n\nThen they left.")
    expected = "Talks\n\nThey met < 5 times.\n\nThen they left."
    assert texts(read("-", stdin=feed.encode()))[1] == expected


def test_of_broken_xml_what_can_be_read_is(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "a.xml").write_text(RSS.replace("Talks", "Talks &nbsp; & more"))
    items = read(tmp_path / "a.xml", note=said.append)
    assert texts(items)[1] == "Talks & more\n\nThey met."
    assert (len(items), rejects(items)) == (3, [])
    assert said == [
        f"{tmp_path / 'a.xml'}: the XML is broken (line 8: undefined entity); what can be read is"
    ]
    (tmp_path / "a.xml").write_text(RSS[: RSS.index("<item><title>Only")])
    items = read(tmp_path / "a.xml")
    assert len(texts(items)) == 2
    assert rejects(items) == [(3, "truncated_input")]


def test_a_feed_without_items_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "a.atom").write_text('<feed xmlns="http://www.w3.org/2005/Atom"></feed>')
    assert read(tmp_path / "a.atom", note=said.append) == []
    assert said == [f"{tmp_path / 'a.atom'}: there are no records in it"]


def test_xml_in_a_folder_that_is_no_feed_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<urlset><url/></urlset>")
    (tmp_path / "b.xml").write_text(ATOM)
    items = read(tmp_path)
    assert rejects(items) == [(1, "unsupported_format")]
    assert len(texts(items)) == 1


def bomb(entities: str, name: str = "r") -> str:
    return f'<?xml version="1.0"?><!DOCTYPE rss [{entities}]>\n' + RSS.partition("\n")[2].replace(
        "Allies agree", f"&{name};"
    )


LAUGHS = '<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 20}">' for n in range(17)
)


@pytest.mark.parametrize(
    "feed",
    [
        bomb(LAUGHS),
        bomb(f'<!ENTITY r "{"a" * 50_000}">').replace("They met.", "&r;" * 5000),
        bomb('<!ENTITY r SYSTEM "file:///etc/passwd">'),
        bomb('<!ENTITY r SYSTEM "http://127.0.0.1:9/">'),
        RSS.replace("Short.", "<a>" * 20_000),
        RSS.replace("They met.", "&lt;div&gt;" * 50_000),
        RSS.replace("<title>Talks", "<title>" * 5_000),
        RSS.replace('xmlns:content="', 'xmlns:content="http://[::1'),
        RSS.replace("/a</link>", "http://[::1</link>"),
        RSS.replace("01 Jan 2024", "99 Xyz 99999"),
    ],
)
def test_hostile_feeds_end_in_records_or_a_reject(feed: str) -> None:
    options = ReadOptions(fields=ALL, seconds=20)
    items = read("-", stdin=feed.encode(), fields=options.fields)
    assert items
    assert "root:" not in "".join(texts(items))
    assert max(map(len, texts(items)), default=0) < 1_000_000
    assert {reason for _, reason in rejects(items)} <= {"too_slow", "out_of_memory", "empty_text"}


def test_a_limit_counts_items(tmp_path: Path) -> None:
    (tmp_path / "a.rss").write_text(RSS)
    (block,) = blocks_of(tmp_path / "a.rss", options=ReadOptions(limit=2))
    assert [item.number for item in block.items] == [1, 2]
    assert json.loads(block.items[0].raw)["id"] == "g1"


def test_a_feed_beyond_the_largest_record_is_a_reject(tmp_path: Path) -> None:
    (tmp_path / "a.rss").write_text(RSS.replace("Short", "x" * 16_000_001))
    (reject,) = read(tmp_path / "a.rss")
    assert isinstance(reject, Reject)
    assert reject.reason == "too_large"
