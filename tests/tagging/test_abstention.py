"""What is told apart before tagging, and above all what is not."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.scheme import Scheme
from topicml.tagging.abstention import FEWEST_KNOWN, Reason
from topicml.tagging.abstention import REASONS as REASON_OF_CODE
from topicml.tagging.abstention import abstain as abstain_all
from topicml.text.packed import PackedTexts

KNOWN = 1.0
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
REASONS = {"not_english", "boilerplate", "unfamiliar", "no_topic", None}


def abstain(text: str, known_share: float, relevant: bool, language: str = "en") -> Reason | None:
    """One sentence, its letters counted as ``re`` and ``str`` have them."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    letters = "".join(words)
    latin = len(re.findall(r"[A-Za-zÀ-ɏ]", text.lower()))
    share = latin / len(letters) if letters else 1.0
    counted = np.array([len(words)]), np.array([share]), np.array([known_share])
    scheme = Scheme(language=language)
    codes = abstain_all(PackedTexts.of([text]), *counted, np.array([relevant]), scheme=scheme)
    return REASON_OF_CODE[codes[0]]


BOILERPLATE = [
    "Leave a Reply",
    "Leave a comment",
    "Login",
    "Log in",
    "LOG IN",
    "Sign up for our newsletter",
    "Register here",
    "Subscribe",
    "Share this:",
    "Follow us on Facebook",
    "Read more:",
    "Related Articles",
    "Click here",
    "Advertisement",
    "All rights reserved.",
    "© 2024 Agence France-Presse",
    "(With inputs from agencies.)",
    "(Reporting by Ju-min Park; editing by Lincoln Feast)",
    "Your email address will not be published.",
    "Required fields are marked *",
    "We use cookies",
    "Privacy Policy",
    "Terms of Use",
    "Next article",
    "Photo: Kyodo",
    "Comments are closed.",
    "Comments (12)",
    "BLOGS",
    "Blogs",
    "Home",
    "SEARCH",
    "Menu",
    "» Newsletter «",
    "[ADVERTISEMENT BREAK]",
    "E-mail this",
    "Email this",
    "By our staff",
    "Tags",
]

ORDINARY = [
    "Home to 28,500 American troops, South Korea hosts the largest base overseas.",
    "Home ministers of both countries met in Canberra.",
    "Search teams found the wreck of the submarine.",
    "Search for the missing crew went on through the night.",
    "Register of treaties grows by two, the ministry said.",
    "Registered voters in Okinawa oppose the base.",
    "Share of defence in the budget rose to two per cent.",
    "Shares in the shipyard fell after the deal was signed.",
    "Sharing intelligence with Tokyo is not a choice, she said.",
    "Comments by the minister drew a protest from Beijing.",
    "Comment on the treaty came from Canberra at once.",
    "Blogs run by the army were shut down.",
    "Menus were printed in both languages at the summit.",
    "Tags on the shells showed where they were made.",
    "Newsletters from the embassy warned of the exercise.",
    "Follow-on talks are due in March.",
    "Subscribers of the satellite service lost contact.",
    "Logistics was the weak point of the exercise.",
    "Logging in the north has been halted by the army.",
    "Signing the pact took an hour.",
    "Reading more into the visit would be wrong.",
    "Related to this is the question of command.",
    "Reporting from Seoul was cut off.",
    "Photographs of the base were deleted.",
    "Privacy of the crew was respected.",
    "Copyrights on the maps had lapsed.",
    "Terms of the alliance were set in 1951.",
    "The Leave a Reply box drew thousands of answers.",
]


@pytest.mark.parametrize("text", BOILERPLATE)
def test_page_around_an_article_is_boilerplate(text: str) -> None:
    assert abstain(text, KNOWN, relevant=True) == "boilerplate"


@given(
    st.text(st.characters(exclude_characters="_", categories=["P", "S", "Z"]), max_size=5),
    st.sampled_from(BOILERPLATE),
    st.sampled_from([str.upper, str.lower, str.title]),
)
def test_boilerplate_is_known_in_any_case_behind_any_marks(
    marks: str, text: str, change: Callable[[str], str]
) -> None:
    assert abstain(marks + change(text), KNOWN, relevant=True) == "boilerplate"
    assert abstain(f"  {text} ", KNOWN, relevant=True) == "boilerplate"


@pytest.mark.parametrize("text", ORDINARY)
def test_sentence_that_only_begins_like_boilerplate_is_none(text: str) -> None:
    assert abstain(text, KNOWN, relevant=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "Sponsored by Washington, the talks resumed in Geneva.",
        "Reporting by state media suggests that the launch failed.",
        "With input from allies, the ministry drafted a plan.",
        "Photos by satellite show new missile sites.",
        "Share this burden, Washington tells Tokyo.",
        "Copyright law covers the maps that the ministry published.",
        "Read more closely, the treaty says nothing of Taiwan.",
        "Terms of service in the army were extended to 18 months.",
    ],
)
def test_sentence_that_goes_on_after_a_boilerplate_phrase_is_none(text: str) -> None:
    assert abstain(text, KNOWN, relevant=True) is None


@pytest.mark.parametrize(("more", "reason"), [(10, "boilerplate"), (11, None)])
def test_only_a_short_sentence_is_boilerplate(more: int, reason: str | None) -> None:
    text = "Sign up for the" + " treaty" * more
    assert abstain(text, KNOWN, relevant=True) == reason


FOREIGN = {
    "japanese": "日米同盟の抑止力を強化することで一致した。",
    "japanese-with-latin": "NATOと日本は共同訓練を実施すると発表した。",
    "korean": "한미 동맹은 북한의 위협에 대한 억제력을 강화한다.",
    "chinese": "两国国防部长在北京举行会谈。",
    "russian": "Министры обороны подписали соглашение.",
    "arabic": "وقع الوزيران اتفاقية دفاعية جديدة",
    "german": "Die Bundeswehr wird mit den Verbündeten in Polen üben.",
    "german-short": "Die Truppen sind nicht auf dem Weg nach Litauen.",
    "french": "Les alliés ont signé un accord de défense avec la France.",
    "spanish": "El ministro de Defensa visitó la base naval de Rota.",
    "polish": "Prezydent nie jest w Warszawie i nie przyjedzie do Brukseli.",
}


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize("relevant", [True, False])
@pytest.mark.parametrize("known_share", [0.0, 0.45])  # few of its words are an English model's
def test_other_language_is_not_english(language: str, known_share: float, relevant: bool) -> None:
    assert abstain(FOREIGN[language], known_share, relevant) == "not_english"


@pytest.mark.parametrize(
    "text",
    [
        "Japan, Philippines sign defence pact",
        "North Korea fires ballistic missile",
        "Macron visits La Rochelle",
        "Trump, Kim hold second summit Hanoi",
        "Australia buys three Virginia-class submarines",
        "US, Seoul start drills",
        "Ministry denies Asahi report",
        "São Paulo hosts José Múcio, Jürgen Schröder",
        "The treaty binds both sides, von der Leyen said of the pact.",
        "The carrier Charles de Gaulle is in the port of La Spezia.",
        "NATO",
        "AUKUS 2.0",
    ],
)
def test_english_without_small_words_stays_english(text: str) -> None:
    assert abstain(text, KNOWN, relevant=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "A drone hit a ship near a port.",
        "A missile, a drone: a night's work.",
        "“I think I made myself clear,” Trump told reporters.",
        "I said I support Japan.",
        "Do I regret it? I do.",
        "I don't do polls.",
        "The film, made in Tehran without a permit, follows a nurse through a single night shift.",
    ],
)
def test_small_words_that_english_shares_are_no_sign_of_another_language(text: str) -> None:
    assert abstain(text, KNOWN, relevant=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "UN sanctions hit Kim Jong Un",
        "UN chief meets Kim Jong Un",
        "Von der Leyen visits Kyiv",
        "Al Qaeda attacks Al Shabaab base",
        "Charles de Gaulle sails towards La Rochelle",
    ],
)
def test_names_are_no_sign_of_another_language(text: str) -> None:
    assert abstain(text, KNOWN, relevant=True) is None


GIBBERISH = "Blorp frindle gnash wibblet snork."


@pytest.mark.parametrize("relevant", [True, False])
@pytest.mark.parametrize("text", [GIBBERISH, "xqj zzkv wwpt mmgr"])
def test_text_of_unknown_words_is_unfamiliar(text: str, relevant: bool) -> None:
    assert abstain(text, 0.0, relevant) == "unfamiliar"


@pytest.mark.parametrize(
    ("known_share", "reason"),
    [(0.0, "unfamiliar"), (FEWEST_KNOWN - 1e-9, "unfamiliar"), (FEWEST_KNOWN, None), (1.0, None)],
)
def test_sentence_needs_its_share_of_known_words(known_share: float, reason: str | None) -> None:
    assert abstain(GIBBERISH, known_share, relevant=True) == reason


@pytest.mark.parametrize(
    ("text", "reason"), [("Blorp frindle gnash", None), ("Blorp frindle gnash snork", "unfamiliar")]
)
def test_few_words_are_too_few_to_be_unfamiliar(text: str, reason: str | None) -> None:
    assert abstain(text, 0.0, relevant=True) == reason


@pytest.mark.parametrize("text", ["", " \n", "1951", "12.5 %, 2024", "***", "🤝", "\x00", "_"])
@pytest.mark.parametrize("relevant", [True, False])
def test_text_without_a_word_is_unfamiliar(text: str, relevant: bool) -> None:
    assert abstain(text, KNOWN, relevant) == "unfamiliar"


@pytest.mark.parametrize("text", ORDINARY)
def test_sentence_about_nothing_has_no_topic(text: str) -> None:
    assert abstain(text, KNOWN, relevant=False) == "no_topic"


def test_reasons_are_checked_in_their_order() -> None:
    assert abstain("© de la defensa y del mar", 0.0, relevant=False) == "not_english"
    assert abstain("Leave a Reply to blorp frindle", 0.0, relevant=False) == "boilerplate"
    assert abstain(GIBBERISH, 0.0, relevant=False) == "unfamiliar"
    assert abstain(GIBBERISH, 1.0, relevant=False) == "no_topic"
    assert abstain(GIBBERISH, 1.0, relevant=True) is None


@given(text=ANY_TEXT, known_share=st.floats(0, 1), relevant=st.booleans())
def test_any_text_gets_a_reason_or_none(text: str, known_share: float, relevant: bool) -> None:
    reason = abstain(text, known_share, relevant)
    assert reason in REASONS
    assert relevant or reason is not None
    assert not (relevant and reason == "no_topic")


@given(start=st.sampled_from([*BOILERPLATE, *ORDINARY, *FOREIGN.values()]), rest=ANY_TEXT)
def test_any_text_after_a_known_start_gets_a_reason_or_none(start: str, rest: str) -> None:
    assert abstain(start + rest, KNOWN, relevant=True) in REASONS - {"no_topic"}


@pytest.mark.parametrize("text", ["(" * 200_000, "log " * 50_000, "de " * 50_000, "«»" * 100_000])
def test_long_text_is_judged_too(text: str) -> None:
    assert abstain(text, KNOWN, relevant=True) in REASONS - {"no_topic"}


@pytest.mark.parametrize("text", ["Leave a Reply", *FOREIGN.values(), "日本、韓国、米国、中国。"])
def test_rules_for_english_are_not_for_other_languages(text: str) -> None:
    half_known = 0.45
    assert abstain(text, half_known, relevant=True, language="fi") is None
    assert abstain(text, half_known, relevant=False, language="fi") == "no_topic"
    assert abstain(text, half_known, relevant=True, language="en-GB") is not None


def test_unknown_words_are_unfamiliar_in_every_language_that_parts_them() -> None:
    assert (
        abstain("Совсем другой язык и алфавит", 0.0, relevant=True, language="ru") == "unfamiliar"
    )
    assert abstain("日本、韓国、米国、中国。", 0.0, relevant=True, language="ja") is None
    assert abstain("2024", 0.0, relevant=True, language="ja") == "unfamiliar"
