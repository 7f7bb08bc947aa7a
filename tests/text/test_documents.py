import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.errors import InputError
from topicml.text.documents import LARGEST_TEXT, Document, decode_text, read_documents


def read(*sources: str | Path, stdin: bytes = b"", encoding: str = "utf-8") -> list[object]:
    return list(read_documents(map(str, sources), io.BytesIO(stdin), encoding))


def rejected(*sources: str | Path, stdin: bytes = b"") -> InputError:
    (item,) = read(*sources, stdin=stdin)
    assert isinstance(item, InputError)
    return item


def test_sources_come_in_the_order_given(tmp_path: Path) -> None:
    first, second = tmp_path / "b.txt", tmp_path / "a.txt"
    first.write_text("First.")
    second.write_text("Second.")
    assert read(first, "-", second, stdin=b"Between.") == [
        Document(str(first), "First."),
        Document("<stdin>", "Between."),
        Document(str(second), "Second."),
    ]


@given(st.text(min_size=1).filter(lambda t: t.strip("\t\n\r\v\f ") and t.count("\0") == 0))
def test_any_utf8_text_comes_back_as_it_is(text: str) -> None:
    assert decode_text(text.encode("utf-8"), "x") == text


def test_line_ends_are_kept_so_that_offsets_hold(tmp_path: Path) -> None:
    path = tmp_path / "crlf.txt"
    path.write_bytes(b"One.\r\nTwo.\r\n")
    assert read(path) == [Document(str(path), "One.\r\nTwo.\r\n")]


@pytest.mark.parametrize("data", [b"", b" \n\t"])
def test_empty_text_is_rejected(data: bytes) -> None:
    err = rejected("-", stdin=data)
    assert (err.where, err.what, bool(err.hint)) == (
        "<stdin>",
        "empty: there is no text to tag",
        True,
    )


@pytest.mark.parametrize(
    ("encoding", "name"), [("utf-16", "UTF-16"), ("utf-32", "UTF-32"), ("utf-16-be", "UTF-16")]
)
def test_text_with_another_byte_order_mark_is_named(encoding: str, name: str) -> None:
    data = ("\ufeff" * encoding.endswith("be") + "The treaty.").encode(encoding)
    err = rejected("-", stdin=data)
    assert name in err.what
    assert f"--encoding {name.lower()}" in err.hint


def test_cp1252_text_is_rejected_with_line_and_byte_and_read_when_named() -> None:
    data = "Fine.\nThe allies’ treaty.".encode("cp1252")
    err = rejected("-", stdin=data)
    assert err.where == "<stdin>:2"
    assert "0x92" in err.what
    assert "--encoding cp1252" in err.hint
    assert decode_text(data, "x", "cp1252") == "Fine.\nThe allies’ treaty."


@pytest.mark.parametrize("data", [b"\x7fELF\x02\0\0\0\xff\xfe\xfa" * 9, b"ab\0\0cd" * 50])
def test_binary_data_is_named_as_such(data: bytes) -> None:
    assert "binary" in rejected("-", stdin=data).what


def test_largest_text_is_read_and_one_byte_more_is_not() -> None:
    assert len(decode_text(b"a" * LARGEST_TEXT, "x")) == LARGEST_TEXT
    with pytest.raises(InputError, match=r"^x: more than 10 MB for one text\. .*\.jsonl"):
        decode_text(b"a" * (LARGEST_TEXT + 1), "x")


def test_missing_file_is_an_error_beside_the_good_ones(tmp_path: Path) -> None:
    good = tmp_path / "good.txt"
    good.write_text("Good.")
    bad, document = read(tmp_path / "missing.txt", good)
    assert isinstance(bad, InputError)
    assert bad.where == str(tmp_path / "missing.txt")
    assert bad.hint
    assert document == Document(str(good), "Good.")


def test_folder_gives_its_text_files_by_name_and_no_hidden_ones(tmp_path: Path) -> None:
    for name in ["b.txt", "sub/a.MD", "c.png", ".hidden.txt", ".git/d.txt"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    (tmp_path / "d.jsonl").write_text('{"id": "r", "text": "record"}\n')
    assert [document.text for document in read(tmp_path)] == ["b.txt", "record", "sub/a.MD"]


def test_folder_inside_a_hidden_one_is_read(tmp_path: Path) -> None:
    folder = tmp_path / ".cache" / "articles"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("A.")
    assert read(folder) == [Document(str(folder / "a.txt"), "A.")]


def test_folder_without_text_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    err = rejected(tmp_path)
    assert err.where == str(tmp_path)
    assert ".txt" in err.hint


def test_records_keep_their_ids_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": 7, "text": "Seven."}\n\n{"text": ""}\n{"id": "", "text": "x"}')
    assert read(path) == [
        Document("7", "Seven."),
        Document(f"{path}:3", ""),
        Document(f"{path}:4", "x"),
    ]


@pytest.mark.parametrize("identifier", ["true", "1.5", '["a", 1]', '{"a": 1}'])
def test_id_must_be_a_string_or_a_whole_number(tmp_path: Path, identifier: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(f'{{"id": {identifier}, "text": "x"}}\n{{"id": "b", "text": "y"}}')
    bad, good = read(path)
    assert isinstance(bad, InputError)
    assert "'id' must be a string or a whole number" in bad.what
    assert bad.where == f"{path}:1"
    assert good == Document("b", "y")


def test_records_on_standard_input_are_records() -> None:
    data = b'{"id": "a", "text": "One."}\n{"id": "b", "text": "Two."}\n'
    assert list(read_documents(["-"], io.BytesIO(data))) == [
        Document("a", "One."),
        Document("b", "Two."),
    ]


@pytest.mark.parametrize("text", ["{braces} open this text.\nSecond line.", "One.\n" * 50_000])
def test_text_on_standard_input_is_whole(text: str) -> None:
    assert list(read_documents(["-"], io.BytesIO(text.encode()))) == [Document("<stdin>", text)]


def test_pasted_text_as_a_file_name_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("Fine.")
    bad, good = read_documents(["A text. " * 100, str(tmp_path / "good.txt")], io.BytesIO())
    assert isinstance(bad, InputError)
    assert "standard input" in bad.hint
    assert len(bad.where) < 250
    assert isinstance(good, Document)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not valid JSON"),
        (b'{"text": "\xff"}', "not valid JSON in UTF-8"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"id": ' + b"9" * 5000 + b', "text": "x"}', "not valid JSON"),
        (b"[1]", "expected an object, found list"),
        (b"null", "expected an object, found NoneType"),
        (b'{"id": 1}', "'text' must be a string, found nothing"),
        (b'{"text": 5}', "'text' must be a string, found int"),
        (b'{"text": "\\ud800"}', "lone surrogate"),
    ],
)
def test_bad_record_is_named_by_line_and_the_good_ones_go_on(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"id": "a", "text": "A."}\n' + line + b'\n{"id": "b", "text": "B."}\n')
    first, bad, last = read(path)
    assert (first, last) == (Document("a", "A."), Document("b", "B."))
    assert isinstance(bad, InputError)
    assert bad.where == f"{path}:2"
    assert reason in bad.what
    assert bad.hint


def test_overlong_line_is_skipped_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"x" * (2 * LARGEST_TEXT + 5) + b'\n{"id": "b", "text": "B."}\n')
    bad, last = read(path)
    assert isinstance(bad, InputError)
    assert bad.where == f"{path}:1"
    assert last == Document("b", "B.")


def test_file_without_records_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("\n \n")
    assert "no record" in rejected(path).what


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_records_of_any_text_come_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("records") / "in.jsonl"
    rows = [json.dumps({"id": str(i), "text": text}) for i, text in enumerate(texts)]
    path.write_text("\n".join(rows))
    assert read(path) == [Document(str(i), text) for i, text in enumerate(texts)]


@pytest.mark.parametrize(
    "page", ["<!DOCTYPE html><p>Hi.", "\n <html lang='en'>", "<?xml version='1.0'?>\n<html>"]
)
def test_web_page_is_refused_with_what_to_do(page):
    with pytest.raises(InputError) as caught:
        decode_text(page.encode(), "page.txt")
    assert caught.value.what == "an HTML page, not plain text"
    assert caught.value.where == "page.txt"
    assert "Save the article's text" in caught.value.hint


def test_text_that_mentions_html_is_text():
    text = "Write <html> at the top of the page."
    assert decode_text(text.encode(), "a.txt") == text
