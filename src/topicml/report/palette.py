"""How topics look: a colour and a kind of line each, so that colour alone says nothing.

The colours are Paul Tol's qualitative schemes, made to be told apart by people with any kind of
colour-blindness: *muted* on a light page, *light* on a dark one (P. Tol, Colour Schemes, SRON
technical note SRON/EPS/TN/09-002, issue 3.2, 2021). There are nine; from the tenth topic on they
come again with other lines, and only after ``len(COLOURS) * len(LINES)`` topics both do.
"""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """A colour on a light page and its counterpart on a dark one."""

    light: str
    dark: str


COLOURS = (
    Colour("#332288", "#77AADD"),
    Colour("#88CCEE", "#99DDFF"),
    Colour("#44AA99", "#44BB99"),
    Colour("#117733", "#BBCC33"),
    Colour("#999933", "#AAAA00"),
    Colour("#DDCC77", "#EEDD88"),
    Colour("#CC6677", "#EE8866"),
    Colour("#882255", "#FFAABB"),
    Colour("#AA4499", "#DDDDDD"),
)
LINES = (
    *("3px solid", "3px dashed", "3px dotted", "4px double"),
    *("2px dashed", "4px solid", "2px dotted"),  # sand, the palest, gets the broadest
)
"""Widths and styles of borders in CSS."""


def look_of(topic: int) -> tuple[Colour, str]:
    """Return the colour and the line of a topic, by its column."""
    turn, place = divmod(topic, len(COLOURS))
    return COLOURS[place], LINES[(place + turn) % len(LINES)]


def topic_style(count: int) -> str:
    """Return the CSS of T topics: ``.tN`` has the look of topic N.

    Inside ``.xN``, which is set where a reader has left topic N out, its marks are gone.
    """
    colours = range(min(count, len(COLOURS)))
    light = "".join(f"--c{n}:{COLOURS[n].light};" for n in colours)
    dark = "".join(f"--c{n}:{COLOURS[n].dark};" for n in colours)
    rules = [
        f":root{{{light}}}",
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}",
    ]
    for topic in range(count):
        line = look_of(topic)[1]
        rules.append(f".t{topic}{{--c:var(--c{topic % len(COLOURS)});--l:{line}}}")
        rules.append(f".x{topic} .m.t{topic}{{border-color:transparent;background:none}}")
        rules.append(f".x{topic} .c.t{topic}{{display:none}}")
    return "\n".join(rules)
