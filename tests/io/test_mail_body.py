"""What of a mail's body is its own, on bodies as mail programs write them."""

import time

import pytest

from topicml.io.readers.mail_body import own_words

OWN = "The ministers met in Tokyo on Monday.\nThey agreed on a new command structure."
FIELDS = "From: A B <a@example.org>\nSent: Monday, 1 January 2024 10:00\nTo: C\nSubject: Talks\n"
ARTICLE = "The allies agreed on Friday to hold a drill.\n\nIt starts on Monday."


@pytest.mark.parametrize(
    "below",
    [
        "-- \nJohn Doe\nEditor, Daily News\n+1 555 0100",
        "--\nJohn",
        "Sent from my iPhone",
        "Get Outlook for iOS",
        "Sent from Mail for Windows 10",
        "On Mon, Jan 1, 2024 at 10:00 AM John Doe <j@example.org>\nwrote:\n\n> Old.\n> More.\n",
        "On 1 Jan 2024, at 10:00, John Doe <j@example.org> wrote:\nOld text without marks.",
        "Am 01.01.24 um 10:00 schrieb John Doe:\n> Alt.",
        "-----Original Message-----\n" + FIELDS + "\nOld text.",
        "________________________________\n" + FIELDS + "\nOld text.",
        FIELDS + "\nOld text.",
        "> Old text.\n> > Older text.",
        "_______________________________________________\nallies mailing list\na@example.org",
        "You received this message because you are subscribed to the Google Groups.\nMore.",
        "-=-=-=-=-=-=-=-=-=-=-=-\nView/Reply Online",
    ],
)
def test_what_is_below_a_text_is_left_out(below: str) -> None:
    assert own_words(f"{OWN}\n\n{below}") == OWN


@pytest.mark.parametrize(
    "above",
    [
        "---------- Forwarded message ---------\nFrom: Yonhap <y@example.org>\n"
        "Date: Mon, Jan 1, 2024 at 10:00 AM\nSubject: Drill\nTo: <me@example.org>\n\n\n",
        "-------- Forwarded Message --------\nSubject: Drill\nDate: Mon\nFrom: Y\nTo: me\n\n",
        "-----Original Message-----\n" + FIELDS + "\n",
        "________________________________\n" + FIELDS + "\n",
    ],
)
def test_a_forwarded_article_is_text_and_its_header_is_not(above: str) -> None:
    assert own_words(above + ARTICLE) == ARTICLE
    said = own_words(f"For you.\n\n-- \nJohn\n\n{above}{ARTICLE}\n\n-- \nYonhap", is_forward=True)
    assert said == f"For you.\n\n{ARTICLE}"


def test_a_forward_that_is_quoted() -> None:
    quoted = "".join(f"> {line}\n" for line in f"{FIELDS}\n{ARTICLE}".split("\n"))
    assert own_words(f"FYI\n\nBegin forwarded message:\n\n{quoted}") == f"FYI\n\n{ARTICLE}"


def test_forwards_inside_forwards() -> None:
    marked = f"---------- Forwarded message ---------\n{FIELDS}\n"
    assert own_words(f"One.\n{marked}Two.\n{marked}{ARTICLE}") == f"One.\n\nTwo.\n\n{ARTICLE}"


def test_answers_between_quotes_stay() -> None:
    text = "On Mon, 1 Jan 2024, a@example.org wrote:\n> When?\nOn Friday.\n\n> Where?\nIn Tokyo."
    assert own_words(text) == "On Friday.\n\nIn Tokyo."


@pytest.mark.parametrize(
    "prose",
    [
        'On Monday the minister wrote:\n"We will go on."\nHe left on Tuesday.',
        "From the sea, ships fired.\nTo the north, nothing moved.\nDate lines vary.",
        "Headline\n--\nText goes on.\n" + "More of it.\n" * 20,
        "Headline\n--\nText goes on.",
        "Sent from the front, the letter was long.",
        "To unsubscribe from this view:\n" + "think.\n" * 30,
        "They said on Monday: From: is a word.\n\nSubject: to review.",
        "",
    ],
)
def test_prose_that_looks_like_it_stays(prose: str) -> None:
    assert own_words(prose) == prose.strip()


def test_a_mail_of_nothing_but_quotes_is_its_text() -> None:
    quoted = "".join(f"> {line}\n" for line in ARTICLE.split("\n"))
    assert own_words(f"On 1 Jan 2024 at 10:00 a@example.org wrote:\n{quoted}") == ARTICLE
    assert own_words("-- \nJohn\nEditor") == ""


def test_what_pgp_puts_around_a_signed_text_is_left_out() -> None:
    text = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nThe text.\n- - One item.\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n"
    )
    assert own_words(text) == "The text.\n- One item."


def test_long_bodies_of_marks_take_no_time() -> None:
    start = time.monotonic()
    for piece in ("On a\n", "From: a\n", "> ", "\n", "_" * 20 + "\n", "-- \n", "On " * 90 + "\n"):
        own_words(piece * (200_000 // len(piece)))
    assert time.monotonic() - start < 60


def test_an_item_of_several_lines_is_one_paragraph():
    text = "News:\n\n* Ships were seen\n  at the pier\n  on Monday.\n* No more."
    assert own_words(text) == "News:\n\n* Ships were seen at the pier on Monday.\n* No more."


def test_who_wrote_what_is_quoted_is_no_text_and_prose_is():
    assert own_words("Kim Lee wrote:\n> No.\n\nYes.") == "Yes."
    assert own_words("In 2021 the minister wrote:\n\nWe stay.").startswith("In 2021")


def test_how_to_stop_a_mail_is_no_text():
    said = "Talks began.\n\nTo stop these alerts, reply with STOP."
    assert own_words(said) == "Talks began."
    assert own_words("To stop these ships, Japan sent three.") != ""
