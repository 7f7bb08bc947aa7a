"""`classify --url` and `--save-text`, in real processes."""

import json
from pathlib import Path

from conftest import Run, Tiny, assert_clean_failure
from test_same_records import ARCHIVE, FEED, MAIL, PAGE, TEXT
from web_server import answer, redirect, serving

LATIN = ("Content-Type", "text/plain; charset=cp1252")
HTML = ("Content-Type", "text/html; charset=utf-8")


def slices_fit(record: dict, text: str) -> bool:
    return all(text[s["start"] : s["end"]] == s["text"] for s in record["sentences"])


def test_what_is_at_addresses_is_tagged(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    answers = {
        "/page": answer(PAGE.encode(), HTML),
        "/moved": redirect("/page"),
        "/feed": answer(FEED.encode(), HTML),  # whatever the server says
        "/mail": answer(MAIL.encode()),
        "/pdf": answer(b"\x89PNG\r\n\x1a\n" + bytes(50), HTML),
        "/latin": answer("Señor Núñez left.".encode("cp1252"), LATIN),
    }  # fmt: skip
    (tmp_path / "a.txt").write_text(TEXT)
    with serving(answers) as server:
        urls = [f"--url={server.url}{path}" for path in ("/none", "/moved", *answers)]
        common = ["-f", "jsonl", "--keep", "url", "--models-dir", tiny.store.root]
        result = run("classify", tmp_path / "a.txt", *urls, "--allow-private", *common)
        refused = run("classify", urls[0], *common)
    assert result.code == 3
    page = f"{server.url}/page"
    assert [(record["id"], record.get("url")) for record in result.records()] == [
        (str(tmp_path / "a.txt"), None),
        (page, page),
        (page, page),
        (page, page),
        ("g1", None),
        (f"{server.url}/feed:2", None),
        ("1@example.org", None),
        (f"{server.url}/latin", f"{server.url}/latin"),
    ]
    assert result.records()[-1]["sentences"][0]["text"] == "Señor Núñez left."
    assert result.records()[1]["sentences"][0]["text"] == "Bread and boats"
    assert "/none: the server answers 404" in result.stderr
    assert "an image (PNG)" in result.stderr
    assert_clean_failure(refused, "this leads to 127.0.0.1", "--allow-private")


def test_saved_texts_are_what_offsets_refer_to(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.eml").write_text(MAIL)
    (folder / "b.xml").write_text(FEED)
    (folder / "c.mhtml").write_text(ARCHIVE + PAGE + "\n--b--\n")
    (folder / "d.txt").write_bytes(f"\ufeff{TEXT}\r\n\r\nA second\r\nline.\r".encode())
    (folder / "e.html").write_text("<html></html>")
    out, texts = tmp_path / "out.jsonl", tmp_path / "texts"
    command = ["classify", folder, "-o", out, "--save-text", texts, "--models-dir", tiny.store.root]
    assert run(*command).code == 3
    saved = {}
    for path in texts.iterdir():
        with path.open(encoding="utf-8", newline="") as file:
            saved[path.name] = file.read()
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(records) == len(saved) == 5
    assert all(any(slices_fit(record, text) for text in saved.values()) for record in records)
    assert slices_fit(records[1], saved["g1.txt"])
    assert saved["g1.txt"] == f"Bread\n\n{TEXT}"
    assert any(text.endswith("A second\r\nline.\r") for text in saved.values())
    again = run(*command, "--force")
    assert again.code == 3
    refused = run(*command[:2], "-o", tmp_path / "new.jsonl", *command[4:])
    assert_clean_failure(refused, "exists already. Replace it with --force.")
    assert not (tmp_path / "new.jsonl").exists()


def test_mails_and_feeds_on_standard_input(run: Run, tiny: Tiny) -> None:
    for data, count in ((MAIL, 1), (FEED, 2), (ARCHIVE + PAGE, 1)):
        result = run("classify", "-f", "jsonl", "--models-dir", tiny.store.root, stdin=data)
        assert (result.code, len(result.records())) == (0, count)
