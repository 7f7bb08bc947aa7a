"""Topics are told apart by anyone, and what is written on their colours can be read."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import topicml.pages.render
import topicml.report.palette
from topicml.report.palette import COLOURS, LINES, look_of, topic_style

Floats = NDArray[np.float64]

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", IEEE TVCG 15(6), 2009: severity 1.0, for linear RGB.
SEEN_BY = {
    "everybody": np.eye(3),
    "protanopes": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopes": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopes": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
AA = 4.5
AA_GRAPHICS = 3.0
JUST_NOTICEABLE = 2.3  # of CIE 1976 differences (Mahy et al., 1994)
MODES = ("light", "dark")

LOOK = (Path(topicml.pages.render.__file__).parent / "look.css").read_text("utf-8")
PAGE = (Path(topicml.report.palette.__file__).parent / "tagged.css").read_text("utf-8")


def rgb(colour: str) -> Floats:
    digits = colour.removeprefix("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    return np.array([int(digits[n : n + 2], 16) for n in (0, 2, 4)]) / 255


def linear(colour: Floats) -> Floats:
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def lab(light: Floats) -> Floats:
    scaled = TO_XYZ @ np.clip(light, 0, 1) / WHITE
    f = np.where(scaled > (6 / 29) ** 3, np.cbrt(scaled), scaled / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: Floats, other: Floats) -> float:
    """As WCAG 2.2 has it."""
    low, high = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def mixed(colour: Floats, share: float, ground: Floats) -> Floats:
    return share * colour + (1 - share) * ground


def variable(name: str, mode: str, css: str = LOOK) -> str:
    """The value of a CSS variable: the first is of the light page, the second of the dark one."""
    found = re.findall(rf"--{name}: ([^;]+);", css)
    return str(found[MODES.index(mode)])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("people", SEEN_BY)
def test_the_first_nine_are_told_apart(mode: str, people: str) -> None:
    seen = [lab(SEEN_BY[people] @ linear(rgb(getattr(colour, mode)))) for colour in COLOURS]
    nearest = min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))
    assert nearest > 4 * JUST_NOTICEABLE


@pytest.mark.parametrize("mode", MODES)
def test_text_on_a_topic_can_be_read(mode: str) -> None:
    share = float(variable("tint", mode, PAGE).removesuffix("%")) / 100
    surface, text = (rgb(variable(name, mode)) for name in ("surface", "text"))
    for colour in COLOURS:
        ground = mixed(rgb(getattr(colour, mode)), share, surface)
        assert contrast(text, ground) > AA


@pytest.mark.parametrize("mode", MODES)
def test_all_other_text_can_be_read(mode: str) -> None:
    shade = np.array([int(n) for n in variable("shade", mode).split(",")]) / 255
    surface, page = (rgb(variable(name, mode)) for name in ("surface", "page"))
    for ground in (surface, page):
        for name in ("text", "muted", "accent", "warn"):
            assert contrast(rgb(variable(name, mode)), ground) > AA, name
        assert contrast(rgb(variable("strong-line", mode)), ground) > AA_GRAPHICS
    shares = [float(share) for share in re.findall(r"rgba\(var\(--shade\), (\.\d+)\)", PAGE)]
    assert len(shares) >= 6
    for share in shares:
        assert contrast(rgb(variable("text", mode)), mixed(shade, share, surface)) > AA, share


def test_topics_look_otherwise_each_as_long_as_there_are_looks() -> None:
    most = len(COLOURS) * len(LINES)
    assert most >= 60
    assert len({look_of(topic) for topic in range(most)}) == most
    assert [look_of(topic)[0] for topic in range(9)] == [*COLOURS]


@pytest.mark.parametrize("count", [2, 9, 60, 100])
def test_every_topic_has_its_rules(count: int) -> None:
    style = topic_style(count)
    for topic in range(count):
        assert f"\n.t{topic}{{--c:var(--c{topic % 9});--l:{look_of(topic)[1]}}}" in style
    assert f".t{count}{{" not in style
