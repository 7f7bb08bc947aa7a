"""What a scheme says of its kind and language."""

import pytest

from topicml.scheme import Scheme, is_language


@pytest.mark.parametrize("code", ["en", "de", "pt-BR", "zh-Hant-TW", "gsw"])
def test_codes_of_languages(code: str) -> None:
    assert is_language(code)


@pytest.mark.parametrize(
    "value", ["", "e", "EN", "german", "de_AT", "de-", "de\n", None, 1, ["de"]]
)
def test_what_is_no_code_of_a_language(value: object) -> None:
    assert not is_language(value)


def test_regions_are_of_their_language() -> None:
    assert Scheme(language="en-GB").is_english
    assert Scheme(language="pt-BR").primary_language == "pt"
    assert Scheme(language="zh-Hant").is_written_without_spaces
    assert not Scheme(language="de").is_english
    assert not Scheme(language="ru").is_written_without_spaces
