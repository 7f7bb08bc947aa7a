"""What of a mail's body is its own: no signature, no quoted reply, no footer of a list.

A message that was forwarded is the mail's own text, for so articles are passed on. Rules are
strict where prose could look the same: what is in doubt stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from topicml.io.readers.furniture import is_furniture

_FORWARDED = re.compile(
    r"[-_ ]{0,20}(?:Forwarded message|Weitergeleitete Nachricht|Message transféré"
    r"|Mensaje reenviado|Begin forwarded message|Anfang der weitergeleiteten Nachricht)"
    r"(?: (?:from|by|von) .{1,100})?\s*[-_: ]{1,40}",
    re.I,
)
_ORIGINAL = re.compile(
    r"\s*-{2,}\s*(?:Original (?:Message|Appointment)|Ursprüngliche Nachricht"
    r"|Message d'origine|Mensaje original)\s*-{2,}\s*",
    re.I,
)
_RULE = re.compile(r"\s*_{10,}\s*")
_FIELD = re.compile(
    r"\s*\*?(?:From|Sent|Date|To|Cc|Bcc|Reply-To|Subject|Importance|Attachments"
    r"|Von|Gesendet|Datum|An|Betreff|De|Envoyé|À|Objet)\s*:\*?(?:\s|$)",
    re.I,
)
_FIRST_FIELD = re.compile(r"\s*\*?(?:From|Von|De)\s*:\*?\s", re.I)
_ATTRIBUTION = re.compile(
    r"(?:On|Am|Le|El)\b.{4,300}?\b(?:wrote|schrieb|a écrit|escribió)\b[^:]{0,100}:", re.DOTALL
)
_WROTE = re.compile(r"\w.{1,80}\b(?:wrote|schrieb|a écrit|escribió)\s?:")
_SURE = re.compile(r"@|\d{1,2}:\d\d")  # an address or a time: no prose says so who wrote
_SENT_FROM = re.compile(
    r"(?:Sent|Gesendet|Envoyé|Get)\s(?:from|via|with|using|for|mit|von|de|Outlook for)\b.{1,50}",
    re.I,
)
_DEVICE = re.compile(
    r"iPhone|iPad|Android|Galaxy|Samsung|BlackBerry|Huawei|Xperia|mobile|phone|Outlook"
    r"|Mail for Windows|Yahoo|Proton|Gmail",
    re.I,
)
_LIST_FOOTER = re.compile(
    r"You (?:received|are receiving) this (?:message|e-?mail|mail) because\b"
    r"|To unsubscribe from this (?:group|list)\b|-=(?:-=){4,}-?"
    r"|_{20,}\s*\n.{0,200}\bmailing list\b",
    re.I,
)
_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----\n"
_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"
_SIGNATURE_END = "-----END PGP SIGNATURE-----"
_BLANKS = re.compile(r"\n{2,}")
_ITEM = re.compile(r"(?m)^[ \t]*[*•-] .+(?:\n[ \t]+(?![*•\s-]).+)+")  # of several lines
_LONGEST_SIGNATURE = {"-- ": 30, "--": 12}  # lines; below "--" alone, prose may stand
_LONGEST_FOOTER = 15
_MOST_FIELDS, _FEWEST_FIELDS = 15, 3
_LONGEST_MARK = 200
_MOST_INSIDE = 20  # messages one inside the other


def own_words(text: str, *, is_forward: bool = False) -> str:
    """Return what of a body is the mail's own.

    Args:
        text: The body.
        is_forward: Whether the mail's subject says that it forwards another.
    """
    lines = _without_armour(text).split("\n")
    own: list[str] = []
    for _ in range(_MOST_INSIDE):
        found = _next_header(lines)
        if found is None:
            break
        head, body, is_marked = found
        own += _segment(lines[:head])
        if not (is_marked or is_forward or not any(map(str.strip, own))):
            lines = []  # it is a reply, and this is what it replies to
            break
        lines = _unquoted(lines[body:])
    own += _segment(lines)
    if not any(map(str.strip, own)):  # a mail of nothing but quotes is an article that came so
        own = _segment(_unquoted([line for line in lines if line.startswith(">")]))
    return _joined(own)


def _joined(lines: Iterable[str]) -> str:
    whole = "\n".join(line.rstrip() for line in lines)
    whole = _ITEM.sub(lambda item: re.sub(r"\n[ \t]+", " ", item[0]), whole)
    paragraphs = _BLANKS.split(whole.strip("\n"))
    return "\n\n".join(part for part in paragraphs if not is_furniture(part)).strip()


def _without_armour(text: str) -> str:
    """Return a text without what PGP puts around one that is signed."""
    before, is_signed, rest = text.partition(_SIGNED)
    signed, is_ended, signature = rest.partition(_SIGNATURE)
    if not is_signed or not is_ended:
        return text
    _, _, signed = signed.partition("\n\n")  # behind its own header
    after = signature.partition(_SIGNATURE_END)[2]
    return before + re.sub(r"(?m)^- ", "", signed) + after


def _next_header(lines: Sequence[str]) -> tuple[int, int, bool] | None:
    """Return where another message stands inside: its header, its body, and if it is forwarded."""
    for number, line in enumerate(lines):
        if len(line) > _LONGEST_MARK:
            continue
        is_marked = bool(_FORWARDED.fullmatch(line))
        if is_marked or _ORIGINAL.fullmatch(line):
            return number, _behind_fields(lines, number + 1)[1], is_marked
        first = number + bool(_RULE.fullmatch(line))
        if first < len(lines) and _FIRST_FIELD.match(lines[first][:_LONGEST_MARK]):
            count, body = _behind_fields(lines, first)
            if count >= _FEWEST_FIELDS:
                return number, body, False
    return None


def _behind_fields(lines: Sequence[str], start: int) -> tuple[int, int]:
    """Return how many fields of a header are here or behind blank lines, and where they end."""
    first = start
    while first < len(lines) and not lines[first].strip("> "):
        first += 1
    count, number = 0, first
    while number < min(len(lines), first + _MOST_FIELDS):
        line = lines[number].lstrip("> ")
        if _FIELD.match(line):
            count += 1
        elif not (count and line and lines[number].lstrip(">")[:2] in {"  ", " \t", "\t"}):
            break  # no folded line either
        number += 1
    return (count, number) if count else (0, start)


def _unquoted(lines: Sequence[str]) -> list[str]:
    """Return lines without one level of quotes, where nearly all have it."""
    filled = [line for line in lines if line.strip()]
    quoted = sum(line.startswith(">") for line in filled)
    if 2 * quoted <= len(filled):
        return list(lines)
    return [re.sub(r"^> ?", "", line) for line in lines]


def _segment(lines: Sequence[str]) -> list[str]:
    """Return the lines of one message that are its own."""
    own: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        below = len(lines) - number - 1
        is_set_off = line != "--" or (number > 0 and not lines[number - 1].strip())
        if is_set_off and below <= _LONGEST_SIGNATURE.get(line, -1):
            break
        if _is_footer(lines, number):
            break
        if length := _attribution(lines, number):
            behind = next((each for each in lines[number + length :] if each.strip()), "")
            if behind.startswith(">"):
                number += length
                continue
            if _SURE.search(" ".join(lines[number : number + length])):
                break
        is_device = len(line) < 80 and _SENT_FROM.fullmatch(line.strip())
        if not line.startswith(">") and not (is_device and _DEVICE.search(line)):
            own.append(line)
        number += 1
    return own


def _is_footer(lines: Sequence[str], number: int) -> bool:
    if len(lines) - number > _LONGEST_FOOTER:
        return False
    return bool(_LIST_FOOTER.match("\n".join(line[:300] for line in lines[number : number + 3])))


def _attribution(lines: Sequence[str], number: int) -> int:
    """Return how many lines from here say who wrote what follows; 0 where none does."""
    if not lines[number].startswith(("On ", "Am ", "Le ", "El ")):
        is_quoted = any(line.startswith(">") for line in lines[number + 1 : number + 3])
        return int(is_quoted and _WROTE.fullmatch(lines[number].strip()) is not None)
    for length in (1, 2, 3):
        said = "\n".join(lines[number : number + length])
        if len(said) > 500:
            return 0
        if _ATTRIBUTION.fullmatch(said.rstrip()):
            return length
    return 0
