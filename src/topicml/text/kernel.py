r"""The text kernel: paragraphs and sentences of code points, in functions that numba compiles.

``paragraphs`` and ``sentences`` say the same in Python, with regular expressions, and are what
texts with anything rare are left to. Each function names the pattern or function there that it
stands for. They keep to what numba compiles well; see ``scoring.kernel``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

# bits of a class
BREAK, SPACE, WORD, LOWER, UPPER, TITLE, DIGIT = 1, 2, 4, 8, 16, 32, 64
ENDS, BULLET, STOP, IGNORED, HYPHEN, ODD = 128, 256, 512, 1024, 2048, 4096
JOINED, GOES_ON = 8192, 16384
LETTER_BITS, MOST_LETTERS = 6, 10  # of a word as a number, see ``word_key``
OPEN, CLOSED, NUMBER = 1, 2, 3  # kinds of abbreviations
POINT_MASK = (1 << 21) - 1  # tells a compiler that an index is never negative
BROKEN = 1 << 16  # what was seen of a text, besides classes: a hyphen at a line end
NOT_PLAIN = -1

_NEW_LINE, _RETURN, _BLANK, _BANG, _COMMA, _DOT, _SLASH, _COLON = 10, 13, 32, 33, 44, 46, 47, 58
_OPENS, _CLOSES, _STAR, _MORE, _QUESTION, _UPON, _CARET, _UNDERSCORE = (
    40,
    41,
    42,
    62,
    63,
    64,
    94,
    95,
)
_OPENS_SQUARE, _CLOSES_SQUARE, _CAPITAL_A, _CAPITAL_I, _CAPITAL_Z = 91, 93, 65, 73, 90
_A, _E, _G, _I, _M, _P, _V, _X, _Z = 97, 101, 103, 105, 109, 112, 118, 120, 122
_ELLIPSIS, _MINUS = 0x2026, 45
_CASE = 32


class Tables(NamedTuple):
    """What is known of code points and words.

    Attributes:
        classes: Class bits by code point.
        folds: What each code point is folded to.
        abbreviations: Sorted ``word_key``s.
        kinds: Theirs: ``OPEN``, ``CLOSED`` or ``NUMBER``.
        starters: Of words that start sentences, sorted.
        verbs: Of speaking, sorted.
        unfinished: Of words that no line ends with which does not go on, sorted.
        longest_abbreviation: In letters.
        longest_marker: Characters of a line, or sentence, that may be a marker and no more.
        shortest_going_on: Characters of a line.
        wrapped_share: Of the lines must plainly go on in wrapped text.
        widths: The smallest and the largest width of wrapped text, and what is narrow.
        fewest_narrow: Lines by which a narrow width is known.
        full: Share of the width.
    """

    classes: Any
    folds: Any
    abbreviations: Any
    kinds: Any
    starters: Any
    verbs: Any
    unfinished: Any
    longest_abbreviation: int
    longest_marker: int
    shortest_going_on: int
    wrapped_share: float
    narrowest: int
    widest: int
    narrow: int
    fewest_narrow: int
    full: float


class Room(NamedTuple):
    """Room to work in, for one text; arrays have a place for each code point and one more.

    Attributes:
        folded: The text folded, but for full stops.
        final: The text folded.
        parts: Its paragraphs, folded, with two line breaks between them.
        stops: Where full stops, question and exclamation marks are.
        breaks: Where line breaks are, and last the text's end.
        starts: Of lines, then of paragraphs.
        ends: Of those.
        reads: Where lines start, marks of quoted mail aside.
        rows: Numbers of lines; then, at the first place, how many paragraphs there are.
        joined: Whether a line goes on.
        lengths: Room to count lines by length.
        spans: Starts and ends of sentences, in turn; twice as long.
    """

    folded: Any
    final: Any
    parts: Any
    stops: Any
    breaks: Any
    starts: Any
    ends: Any
    reads: Any
    rows: Any
    joined: Any
    lengths: Any
    spans: Any


def is_capital(point: int) -> bool:
    """``[A-Z]``."""
    return _CAPITAL_A <= point <= _CAPITAL_Z


def is_small(point: int) -> bool:
    """``[a-z]``."""
    return _A <= point <= _Z


def is_mark(point: int) -> bool:
    """``[/^]``."""
    return point in (_SLASH, _CARET)


def word_key(points: Any, start: int, end: int) -> int:
    """Return a word of at most ``MOST_LETTERS`` letters of ASCII as a number; -1 for others."""
    if end - start > MOST_LETTERS:
        return -1
    key = 0
    for place in range(start, end):
        point = int(points[place])
        if not (is_capital(point) or is_small(point)):
            return -1
        key = key << LETTER_BITS | (point - _UPON)
    return key


def find_key(key: int, keys: Any) -> int:
    """Return where a key is among sorted ones; -1 where it is not."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low if low < len(keys) and keys[low] == key else -1


def skip_point(points: Any, start: int, end: int, point: int) -> int:
    """Return the first place from ``start`` on with another code point, at most ``end``."""
    while start < end and points[start] == point:
        start += 1
    return start


def skip_marks(points: Any, start: int, end: int) -> int:
    """``[/^]*``."""
    while start < end and is_mark(points[start]):
        start += 1
    return start


def skip_class(points: Any, start: int, end: int, bit: int, classes: Any) -> int:
    """Return the first place from ``start`` on without a class, at most ``end``."""
    while start < end and classes[points[start]] & bit:
        start += 1
    return start


def skip_digits(points: Any, start: int, end: int, classes: Any) -> int:
    r"""``\d{0,3}``."""
    return skip_class(points, start, min(start + 3, end), DIGIT, classes)


def number_end(points: Any, start: int, end: int, classes: Any) -> int:
    """Return where ``LIST_NUMBER`` ends, -1 where there is none."""
    if start >= end:
        return -1
    point = int(points[start])
    if classes[point] & DIGIT:
        place = skip_digits(points, start, end, classes)
        while place < end and points[place] == _DOT:
            after = skip_digits(points, place + 1, end, classes)
            if after == place + 1:
                break
            place = after
        return place
    case = point & _CASE
    if not (is_capital(point) or is_small(point)):
        return -1
    place = start
    while place < end:
        letter = int(points[place])
        if letter & _CASE != case or letter | _CASE not in (_I, _V, _X):
            break
        place += 1
    return max(place, start + 1)


def marker_end(points: Any, start: int, end: int, classes: Any) -> int:
    """Return where a marker of a list's item ends (``_MARKER``), -1 where there is none."""
    point = int(points[start])
    if classes[point] & BULLET:
        return start + 1
    if point in (_OPENS, _OPENS_SQUARE):
        place = number_end(points, start + 1, end, classes)
        if 0 <= place < end and points[place] in (_CLOSES, _CLOSES_SQUARE):
            return place + 1
        return -1
    place = number_end(points, start, end, classes)
    if place < 0 or place == end:
        return -1
    if points[place] == _DOT:
        place += 1
        return place + 1 if place < end and points[place] == _CLOSES else place
    return place + 1 if points[place] == _CLOSES else -1


def starts_item(points: Any, start: int, end: int, classes: Any) -> bool:
    """``_STARTS_ITEM``."""
    place = marker_end(points, start, end, classes)
    return 0 <= place < end and classes[points[place]] & SPACE != 0


def is_lone_marker_line(points: Any, start: int, end: int, classes: Any) -> bool:
    """``paragraphs._LONE_MARKER``."""
    if marker_end(points, start, end, classes) == end:
        return True
    while start < end and (points[start] == _MORE or classes[points[start]] & SPACE):
        start += 1
    return start == end


def is_upper(points: Any, start: int, end: int, classes: Any) -> bool:
    """``str.isupper``."""
    seen = 0
    for place in range(start, end):
        kind = int(classes[points[place]])
        if kind & (LOWER | TITLE):
            return False
        seen |= kind
    return seen & UPPER != 0


def find_lines(points: Any, classes: Any, room: Room) -> int:
    """Write the lines that are not blank, stripped (``_lines``); return how many there are."""
    length, breaks = len(points), room.breaks
    position = row = count = nth = 0
    while position < length:
        end = int(breaks[nth])
        start = skip_class(points, position, end, SPACE, classes)
        while end > start and classes[points[end - 1]] & SPACE:
            end -= 1
        if start < end:
            room.starts[count] = start
            room.ends[count] = end
            room.rows[count] = row
            read = start
            while read < end and points[read] in (_MORE, _BLANK):
                read += 1
            room.reads[count] = start if read == end else read
            count += 1
        position = int(breaks[nth])
        nth += 1
        if breaks[nth - 1] + 1 == breaks[nth] < length and points[position] == _RETURN:
            is_pair = points[position + 1] == _NEW_LINE
            position += is_pair
            nth += is_pair
        position += 1
        row += 1
    return count


def ends_unfinished(points: Any, start: int, end: int, tables: Tables) -> bool:
    """Whether a line ends with a word of ``UNFINISHED``."""
    place = end
    while place > start and end - place <= MOST_LETTERS and points[place - 1] != _BLANK:
        place -= 1
    if place == start or points[place - 1] != _BLANK:
        return False
    return find_key(word_key(points, place, end), tables.unfinished) >= 0


def plainly_goes_on(points: Any, line: int, tables: Tables, room: Room) -> bool:
    """``_plain_wraps``, of one line."""
    classes = tables.classes
    start, end = int(room.starts[line]), int(room.ends[line])
    read, stop = int(room.reads[line + 1]), int(room.ends[line + 1])
    last, following = int(classes[points[end - 1]]), int(classes[points[read]])
    if last & ENDS:
        return False
    if last & HYPHEN and end - start > 1 and following & WORD:
        before = int(points[end - 2])
        if classes[before] & WORD or before in (_UNDERSCORE, _DOT):
            return True
    if end - start < tables.shortest_going_on:
        return False
    if following & LOWER:
        return not starts_item(points, read, stop, classes)
    return ends_unfinished(points, start, end, tables)


def is_full(points: Any, line: int, width: int, tables: Tables, room: Room) -> bool:
    """``_is_full``, of a line and the next one."""
    classes = tables.classes
    start, end = int(room.starts[line]), int(room.ends[line])
    read, stop = int(room.reads[line + 1]), int(room.ends[line + 1])
    word = read
    while word < stop and points[word] != _BLANK:
        word += 1
    goes_on = classes[points[read]] & LOWER != 0 and classes[points[end - 1]] & ENDS == 0
    if not goes_on and (
        end - start + 1 + word - read <= tables.full * width
        or points[end - 1] == _COLON
        or is_upper(points, start, end, classes) != is_upper(points, read, stop, classes)
    ):
        return False
    return not starts_item(points, read, stop, classes)


def usual_width(count: int, tables: Tables, room: Room) -> int:
    """Return the width of wrapped text; 0 where lines have none."""
    lengths = room.lengths
    lengths[:] = 0
    for line in range(count):
        lengths[min(room.ends[line] - room.starts[line], tables.widest + 1)] += 1
    rank, width = count * 9 // 10, 0
    below = int(lengths[0])
    while below <= rank:
        width += 1
        below += lengths[width]
    if not tables.narrowest <= width <= tables.widest:
        return 0
    return 0 if width < tables.narrow and count < tables.fewest_narrow else width


def usual_spacing(count: int, wraps: int, room: Room) -> int:
    """Return the median of the rows from a line that goes on to the next one."""
    spacing = below = 0
    while below <= wraps // 2:
        spacing += 1
        below = 0
        for line in range(count - 1):
            if room.joined[line] and room.rows[line + 1] - room.rows[line] <= spacing:
                below += 1
    return spacing


def add_full_lines(points: Any, count: int, wraps: int, tables: Tables, room: Room) -> None:
    """``_add_full_lines``."""
    width = usual_width(count, tables, room)
    if width == 0:
        return
    spacing = usual_spacing(count, wraps, room)
    for line in range(count - 1):
        if not room.joined[line] and room.rows[line + 1] - room.rows[line] <= spacing:
            room.joined[line] = is_full(points, line, width, tables, room)


def find_paragraphs(points: Any, tables: Tables, room: Room) -> int:
    """Write where paragraphs start and end (``paragraph_spans``); return how many there are."""
    count = find_lines(points, tables.classes, room)
    starts, ends, joined = room.starts, room.ends, room.joined
    wraps = 0
    for line in range(count - 1):
        joined[line] = plainly_goes_on(points, line, tables, room)
        wraps += joined[line]
    if wraps > tables.wrapped_share * max(count - 1, 0):
        add_full_lines(points, count, wraps, tables, room)
    found = 0
    is_joined = False
    for line in range(count):
        start, end = int(starts[line]), int(ends[line])
        if not is_joined:
            starts[found] = start
            found += 1
        ends[found - 1] = end
        is_joined = line + 1 < count and (
            joined[line] != 0
            or (
                end - start <= tables.longest_marker
                and is_lone_marker_line(points, start, end, tables.classes)
            )
        )
    return found


def broken_end(points: Any, place: int, classes: Any) -> int:
    """Return where a line break behind a hyphen ends, -1 where there is none."""
    length = len(points)
    place += 1
    while place < length and classes[points[place]] & (SPACE | BREAK) == SPACE:
        place += 1
    return place + 1 if place < length and classes[points[place]] & BREAK else -1


def join_hyphenated(points: Any, classes: Any, folded: Any) -> bool:
    """Fill hyphens in words at line ends (``replace_hyphenated``); return whether there may be."""
    length = len(points)
    is_broken = False
    for place in range(length):
        if points[place] == _MINUS and broken_end(points, place, classes) > 0:
            is_broken = True
            break
    if not is_broken:
        return False
    for place in range(1, length):
        if not (classes[points[place]] & HYPHEN and classes[points[place - 1]] & JOINED):
            continue
        end = broken_end(points, place, classes)
        if end < 0:
            continue
        while end < length and (points[end] == _MORE or classes[points[end]] & SPACE):
            end += 1
        if end < length and classes[points[end]] & JOINED:
            folded[place:end] = _X
    return True


def may_be_footnote(folded: Any, place: int, classes: Any) -> bool:
    """Whether ``_FOOTNOTES`` may match at a sentence's end, once its full stops are folded."""
    length = len(folded)
    if place < 3:
        return False
    for before in range(place - 3, place):
        point = int(folded[before])
        if not (is_capital(point) or is_small(point) or is_mark(point) or point == _DOT):
            return False
    after = place + 1
    while after < length and (is_mark(folded[after]) or folded[after] == _DOT):
        after += 1
    if after >= length or not classes[folded[after]] & DIGIT:
        return False
    while after < length and (
        is_mark(folded[after]) or folded[after] in (_DOT, _COMMA) or classes[folded[after]] & DIGIT
    ):
        after += 1
    return after < length and folded[after] == _BLANK


def is_boundary(folded: Any, place: int, classes: Any) -> bool:
    r"""Whether a word that is at ``place`` starts there: ``\b``."""
    return place == 0 or not classes[folded[place - 1]] & WORD


def initials_kind(folded: Any, start: int, classes: Any) -> int:
    """Return the kind of an abbreviation whose last word is the letter at ``start``, 0 for none."""
    letter = int(folded[start])
    place = start - 1
    if letter == _M and place >= 0 and folded[place] == _BLANK:
        place -= 1
    if place < 1 or folded[place] != _DOT or not is_boundary(folded, place - 1, classes):
        return 0
    first = int(folded[place - 1])
    if letter == _M and first in (_A, _P):
        return CLOSED
    if (letter == _E and first == _I) or (letter == _G and first == _E):
        return OPEN
    return CLOSED if is_capital(letter) and is_capital(first) else 0


def abbreviation_kind(folded: Any, place: int, tables: Tables) -> int:
    """Return the kind of the abbreviation that a full stop belongs to (``_FULL_STOP``), or 0."""
    classes, length = tables.classes, len(folded)
    if place + 1 >= length or place == 0:
        return 0
    following = int(folded[place + 1])
    if not (following == _BLANK or is_mark(following) or classes[following] & DIGIT):
        is_inside = (
            place >= 2
            and folded[place - 2] == _CARET
            and is_capital(folded[place - 1])
            and is_capital(following)
            and place + 2 < length
            and folded[place + 2] == _DOT
        )
        return CLOSED if is_inside else 0
    start = place
    while start > 0 and place - start <= tables.longest_abbreviation:
        if is_boundary(folded, start, classes):
            break
        start -= 1
    if start == place or place - start > tables.longest_abbreviation:
        return 0
    found = find_key(word_key(folded, start, place), tables.abbreviations)
    if found >= 0:
        return int(tables.kinds[found])
    return initials_kind(folded, start, classes) if place - start == 1 else 0


def starts_sentence(folded: Any, place: int, starters: Any) -> bool:
    """Whether ``_NEXT_WORD`` matches at a place and the word starts sentences."""
    length = len(folded)
    place = skip_marks(folded, place, length)
    after = skip_point(folded, place, length, _BLANK)
    if after == place:
        return False
    place = skip_marks(folded, after, length)
    if place >= length or not is_capital(folded[place]):
        return False
    end = place + 1
    while end < length and is_small(folded[end]):
        end += 1
    if end >= length:
        return False
    following = int(folded[end])
    is_small_next = end + 1 < length and is_small(folded[end + 1])
    if end > place + 1:
        is_end = following in (_BLANK, _COMMA) or (following == _CARET and is_small_next)
        return is_end and find_key(word_key(folded, place, end), starters) >= 0
    return (
        folded[place] in (_CAPITAL_A, _CAPITAL_I)
        and following in (_BLANK, _CARET)
        and is_small_next
    )


def fold_full_stop(folded: Any, place: int, tables: Tables) -> int:
    """Return what a full stop is folded to (``_plain_or_end``)."""
    kind = abbreviation_kind(folded, place, tables)
    if kind == 0:
        return _DOT
    if kind != OPEN and starts_sentence(folded, place + 1, tables.starters):
        return _BANG
    return _DOT if kind == NUMBER else _SLASH


def fold_text(points: Any, tables: Tables, room: Room) -> int:
    """Write a text folded (``_encode`` and ``_fold``).

    Returns:
        The classes that were seen in it, and ``BROKEN``; ``NOT_PLAIN`` where this cannot be done.
    """
    classes, folds = tables.classes, tables.folds
    length = len(points)
    folded, final, stops, breaks = room.folded[:length], room.final, room.stops, room.breaks
    seen = count = lines = 0
    for place in range(length):
        point = int(points[place]) & POINT_MASK
        kind = int(classes[point])
        folded[place] = folds[point]
        seen |= kind
        stops[count] = place
        count += kind >> 9 & 1
        breaks[lines] = place
        lines += kind & BREAK
    breaks[lines] = breaks[lines + 1] = length
    if seen & IGNORED:
        return NOT_PLAIN
    if seen & HYPHEN and join_hyphenated(points, classes, folded):
        seen |= BROKEN
    for place in range(length):
        final[place] = folded[place]
    for nth in range(count):
        place = int(stops[nth])
        if may_be_footnote(folded, place, classes):
            return NOT_PLAIN
        if folded[place] == _DOT:
            final[place] = fold_full_stop(folded, place, tables)
    return seen


def prepare_text(points: Any, tables: Tables, room: Room) -> tuple[int, int]:
    """Write the paragraphs of a text, folded, for sentencex.

    Returns:
        What ``fold_text`` does, and how long the paragraphs are together.
    """
    seen = fold_text(points, tables, room)
    if seen == NOT_PLAIN:
        return seen, 0
    count = find_paragraphs(points, tables, room)
    room.rows[0] = count
    size = 0
    for nth in range(count):
        if nth > 0:
            room.parts[size] = room.parts[size + 1] = _NEW_LINE
            size += 2
        for place in range(room.starts[nth], room.ends[nth]):
            room.parts[size] = room.final[place]
            size += 1
    return seen, size


def closing_end(final: Any, place: int, end: int, classes: Any) -> int:
    """Return where ``_CLOSING``, whose marks end at ``place``, ends itself; -1 if it does not."""
    if place == end or classes[final[place]] & GOES_ON:
        return place
    return skip_point(final, place, end, _BLANK) if final[place] == _BLANK else -1


def is_speaker(final: Any, place: int, end: int, tables: Tables) -> bool:
    """``_SPEAKER``."""
    classes = tables.classes
    for _ in range(4):
        if place >= end or not is_capital(final[place]):
            return False
        place += 1
        while place < end and (
            classes[final[place]] & WORD or final[place] == _DOT or is_mark(final[place])
        ):
            place += 1
        if place >= end or final[place] != _BLANK:
            return False
        place += 1
        stop = skip_class(final, place, end, WORD, classes)
        if stop > place and find_key(word_key(final, place, stop), tables.verbs) >= 0:
            return True
    return False


def is_lone_marker(final: Any, start: int, end: int, classes: Any) -> bool:
    """``sentences._LONE_MARKER``."""
    place = start
    while place < end and (is_mark(final[place]) or final[place] in (_DOT, _ELLIPSIS)):
        place += 1
    if place == end:
        return True
    place = number_end(final, start + int(final[start] == _SLASH), end, classes)
    if place < 0 or not 1 <= end - place <= 2:
        return False
    return final[place] in (_DOT, _SLASH) and final[end - 1] in (_DOT, _SLASH)


def locate_sentences(pieces: Any, tables: Tables, room: Room) -> int:
    """Write where sentences start and end (``_locate``).

    Args:
        pieces: How long the pieces are that the paragraphs were split into.
        tables: See there.
        room: ``spans`` is written.

    Returns:
        How many sentences there are; ``NOT_PLAIN`` where pieces are not those of paragraphs.
    """
    final, spans, classes = room.final, room.spans, tables.classes
    count = int(room.rows[0])
    cursor = limit = nth = found = 0
    is_open = False
    for piece in range(len(pieces)):
        is_first = cursor == limit
        if is_first:
            if nth == count:
                return NOT_PLAIN
            cursor, limit = int(room.starts[nth]), int(room.ends[nth])
            nth += 1
            is_open = False
        end = cursor + int(pieces[piece])
        if end == cursor or end > limit:
            return NOT_PLAIN
        start = cursor
        if not is_first and is_mark(final[cursor]) and final[cursor - 1] != _BLANK:
            marks = skip_marks(final, cursor, end)
            after = closing_end(final, marks, end, classes)
            if after >= 0:
                spans[2 * found - 1] = marks
                start = after
                is_open = (after < end and classes[final[after]] & GOES_ON != 0) or (
                    final[cursor - 1] in (_BANG, _QUESTION)
                    and is_speaker(final, after, end, tables)
                )
        start = skip_point(final, start, end, _BLANK)
        stop = end
        while stop > start and final[stop - 1] == _BLANK:
            stop -= 1
        if start < stop:
            is_marker = stop - start <= tables.longest_marker and is_lone_marker(
                final, start, stop, classes
            )
            if is_open or (is_marker and stop == limit and not is_first):
                spans[2 * found - 1] = stop
            else:
                spans[2 * found] = start
                spans[2 * found + 1] = stop
                found += 1
            is_open = is_marker
        cursor = end
    return found if cursor == limit and nth == count else NOT_PLAIN


ENTRIES = (prepare_text, locate_sentences)
