r"""The scoring kernel: from UTF-8 bytes to log-odds, in functions that numba compiles.

They keep to what it compiles well: whole numbers and floats, flat arrays, named tuples of
them, loops. They are never run as Python; the reference scorer says the same in a few lines.

Features are those of scikit-learn's ``TfidfVectorizer``: n-grams of the words of
``(?u)\b\w\w+\b``, and n-grams of characters inside blank-separated words (``char_wb``). A
vocabulary is a trie over the ids of words, or of characters; an n-gram is a walk from state to
state, one id an edge. Words and edges are found in hash tables, and what is found there is
compared in full, so no collision can change a result. Text repeats itself: what a token, the
bytes between two blanks, is made of, its words and what its characters' n-grams add up to, is
found out once and then kept in the token cache.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

WORD, BLANK, CASED, IGNORABLE, LETTER, LATIN = 1, 2, 4, 8, 16, 32  # bits of a class
EMPTY = -1  # the key of an empty place
LAST_ASCII = 0x7F
ID_BITS = 24
ID_MASK = (1 << ID_BITS) - 1
LOW_MASK, HIGH_SHIFT = (1 << 31) - 1, 31
HASH_MASK = 0xFFFFFFFF
FIRST_FACTOR, SECOND_FACTOR, THIRD_FACTOR = 0x5BD1E995, 0x2545F491, 0x2C1B3C6D
FOURTH_FACTOR = 0x27D4EB2F
MOST_BYTES, MOST_TOKENS, TOKEN_BYTES = 1 << 15, 1024, 64  # of a text whose tokens are cached
FIRST, LAST, SIZE, SPELLING, NUMBER, WORDS, KINDS, TERMS, SLOT = range(9)  # see TokenCache
EIGHT, SIXTEEN = 8, 16  # bytes that one number and two numbers tell
PROBES = 100  # of the token cache, which is at most half full
COUNT_BITS, KIND_BITS = 8, 15
COUNT_MASK, KIND_MASK = (1 << COUNT_BITS) - 1, (1 << KIND_BITS) - 1
COUNTS = 5  # numbers that are counted of each text
NEVER = 1 << 62  # a count that no text comes to
INDEX = (1 << 62) - 1  # a mask that tells a compiler that an index is never negative

_CAPITAL_SIGMA, _SMALL_SIGMA, _FINAL_SIGMA = 0x3A3, 0x3C3, 0x3C2
_CAPITAL_I_DOTTED, _SMALL_I, _DOT_ABOVE = 0x130, 0x69, 0x307
_REPLACEMENT = 0xFFFD
_LAST_POINT = 0x10FFFF


class UnicodeTables(NamedTuple):
    """What Unicode says of each code point: its lower case, and its class bits.

    Attributes:
        lower: By code point.
        classes: By code point.
        solid: By byte, whether it is none of the blanks of ASCII.
    """

    lower: Any
    classes: Any
    solid: Any


class Table(NamedTuple):
    """A hash table with open addressing: a key is at its hash, or behind it.

    Attributes:
        keys: The keys, or ``EMPTY``, by place; at least half of them are empty.
        values: Their values, by place.
    """

    keys: Any
    values: Any


class Words(NamedTuple):
    """The words of word n-grams, as a trie over their characters.

    Attributes:
        character_ids: Id of each code point: the state that it leads to by itself.
        edges: The states that edges, ``state << 24 | character id``, lead to.
        unknown: The last state.
        ids: By state the id of the word that ends there, or that of the unknown word.
    """

    character_ids: Any
    edges: Table
    unknown: int
    ids: Any


class Ngrams(NamedTuple):
    """N-grams as a trie, with their weights.

    States are numbered: first those that an id by itself leads to, which have its number, then
    those further on, and last ``unknown``. A state where no term ends has an idf and weights
    of zero.

    Attributes:
        edges: The states that edges, ``state << 24 | id``, lead to.
        idf: Inverse document frequency of each state's term.
        weights: For each state ``width`` coefficients.
        unknown: The last state.
        longest: Length of the longest n-gram.
        sublinear: Whether term frequencies are damped to ``1 + log(tf)``.
        damping: The weights of small frequencies, to save their logarithms.
    """

    edges: Table
    idf: Any
    weights: Any
    unknown: int
    longest: int
    sublinear: bool
    damping: Any


class Features(NamedTuple):
    """All that a model knows of texts.

    Attributes:
        unicode: Unicode's tables.
        words: The words of word n-grams.
        word_ngrams: Word n-grams.
        character_ids: Id of each code point.
        blank: Id of the blank before and behind a span.
        character_ngrams: Character n-grams; those of a model without have no edges.
        width: Columns of the weights; a multiple of four.
    """

    unicode: UnicodeTables
    words: Words
    word_ngrams: Ngrams
    character_ids: Any
    blank: int
    character_ngrams: Ngrams
    width: int


class TokenCache(NamedTuple):
    """The tokens met so far, and what is in them.

    Attributes:
        slots: A hash table of tokens: a power of two of places, ``SLOT`` numbers each.
            ``FIRST`` and ``LAST`` are made of the token's first and last eight bytes, see
            ``find_slot``; ``SIZE`` is how many it has, 0 where the slot is free;
            ``SPELLING`` is where in ``spellings`` they are, for those of more than 16;
            ``NUMBER`` is which token it is; ``WORDS`` are its words, see ``cache_words``;
            ``KINDS`` how many runs of letters, letters, Latin ones and known words it has,
            ``KIND_BITS`` each; ``TERMS`` is where its terms start, and, in the lowest
            ``KIND_BITS``, how many they are.
        spellings: Bytes of tokens.
        words: Ids of the words of tokens of more than two.
        terms: The terms of all tokens.
        sums: For each token ``width`` numbers: weights times idf, summed over its terms,
            and last, over the same, the squares of the idf.
        used: Five numbers: tokens, places in ``spellings``, ``words`` and ``terms``, and
            what the next text's counts start from.
    """

    slots: Any
    spellings: Any
    words: Any
    terms: Any
    sums: Any
    used: Any


class Workspace(NamedTuple):
    """Room to work in, as large as the longest text asks.

    Attributes:
        bounds: Where each token starts and where it ends, in turn.
        slots: Where the slot of each token is.
        numbers: The number of each token.
        points: Code points, lower-cased.
        starts: Where each span starts.
        ends: Where each span ends.
        ids: Of the words of a text, or of the characters of a span.
        states: The state that each word has led to.
        terms: Terms of a token.
        word_counts: A count for each state of word n-grams; ``NEVER`` for the unknown.
        character_counts: The same for character n-grams.
        found: Room for as many terms.
        tfidf: Room for as many numbers.
        ones: ``MOST_TOKENS`` times the number one.
    """

    bounds: Any
    slots: Any
    numbers: Any
    points: Any
    starts: Any
    ends: Any
    ids: Any
    states: Any
    terms: Any
    word_counts: Any
    character_counts: Any
    found: Any
    tfidf: Any
    ones: Any


class Context(NamedTuple):
    """What one thread scores with.

    Attributes:
        features: What the model knows; the same for all threads.
        cache: Tokens met so far.
        workspace: Room to work in.
    """

    features: Features
    cache: TokenCache
    workspace: Workspace


def decode_point(buffer: Any, position: int, end: int) -> tuple[int, int]:
    """Return the code point that starts with a byte over 127, and where the next one starts.

    What is no UTF-8 is read as U+FFFD, byte by byte; never beyond ``end``.
    """
    byte = int(buffer[position])
    if 0xC2 <= byte < 0xE0 and position + 1 < end:
        low = int(buffer[position + 1]) ^ 0x80  # under 0x40 where the byte continues a letter
        if low < 0x40:
            return (byte & 0x1F) << 6 | low, position + 2
    elif 0xE0 <= byte < 0xF0 and position + 2 < end:
        middle, low = int(buffer[position + 1]) ^ 0x80, int(buffer[position + 2]) ^ 0x80
        point = (byte & 0x0F) << 12 | middle << 6 | low
        if middle | low < 0x40 and point >= 0x800:
            return point, position + 3
    elif 0xF0 <= byte < 0xF8 and position + 3 < end:
        high, middle = int(buffer[position + 1]) ^ 0x80, int(buffer[position + 2]) ^ 0x80
        low = int(buffer[position + 3]) ^ 0x80
        point = (byte & 0x07) << 18 | high << 12 | middle << 6 | low
        if high | middle | low < 0x40 and 0x10000 <= point <= _LAST_POINT:
            return point, position + 4
    return _REPLACEMENT, position + 1


def is_final_sigma(
    buffer: Any, position: int, end: int, points: Any, count: int, unicode: UnicodeTables
) -> bool:
    """Whether a sigma ends a word: a cased letter before it and none behind.

    Unicode's Final_Sigma condition (The Unicode Standard, section 3.13), which
    ``str.lower`` keeps to. UnicodeTables before it are those written to ``points`` already.
    """
    before = count - 1
    while before >= 0 and unicode.classes[points[before]] & IGNORABLE:
        before -= 1
    if before < 0 or not unicode.classes[points[before]] & CASED:
        return False
    while position < end:
        point = int(buffer[position])
        position += 1
        if point >= 0x80:
            point, position = decode_point(buffer, position - 1, end)
        if not unicode.classes[point] & IGNORABLE:
            return not unicode.classes[point] & CASED
    return True


def lower_text(buffer: Any, start: int, end: int, unicode: UnicodeTables, points: Any) -> int:
    """Write the lowered code points of a text to ``points``; return how many there are."""
    lower = unicode.lower
    count = 0
    position = start
    while position < end:
        point = int(buffer[position])
        position += 1
        if point >= 0x80:
            point, position = decode_point(buffer, position - 1, end)
            if point == _CAPITAL_SIGMA:
                final = is_final_sigma(buffer, position, end, points, count, unicode)
                point = _FINAL_SIGMA if final else _SMALL_SIGMA
            elif point == _CAPITAL_I_DOTTED:  # the one letter whose lower case is two
                points[count] = _SMALL_I
                count += 1
                point = _DOT_ABOVE
        points[count] = lower[point]
        count += 1
    return count


def first_place(key: int, size: int) -> int:
    """Return the place in a table of that size where a key of up to 62 bits is looked for first."""
    mixed = (key & LOW_MASK) * FIRST_FACTOR ^ (key >> HIGH_SHIFT) * SECOND_FACTOR
    mixed ^= mixed >> 29
    moved = (mixed >> 14 & HASH_MASK) * THIRD_FACTOR
    return (moved >> 12 & HASH_MASK) * size >> 32


def fill_table(keys: Any, values: Any, table: Table) -> None:
    """Put keys with their values into an empty table."""
    size = len(table.keys)
    for nth in range(len(keys)):
        place = first_place(keys[nth], size)
        while table.keys[place] != EMPTY:
            place = place + 1 if place + 1 < size else 0
        table.keys[place] = keys[nth]
        table.values[place] = values[nth]


def next_state(edges: Table, unknown: int, state: int, token_id: int) -> int:
    """Return the state that an id leads to, or the unknown one."""
    key = state << ID_BITS | token_id
    size = len(edges.keys)
    place = first_place(key, size) & INDEX
    while edges.keys[place] != key:
        if edges.keys[place] == EMPTY:
            return unknown
        place = place + 1 if place + 1 < size else 0
    return int(edges.values[place])


def find_word(start: int, end: int, words: Words, points: Any) -> int:
    """Return the id of the word ``points[start:end]``, or the unknown one."""
    state = int(words.character_ids[points[start]])
    place = start + 1
    while place < end and state != words.unknown:
        token_id = int(words.character_ids[points[place]])
        state = next_state(words.edges, words.unknown, state, token_id)
        place += 1
    return int(words.ids[state])


def find_spans(
    length: int, unicode: UnicodeTables, bit: int, inside: int, shortest: int, workspace: Workspace
) -> int:
    """Write the starts and ends of a text's spans; return how many there are.

    A span is of ``shortest`` and more code points with ``inside`` for that ``bit`` of their
    class: the bit itself, or zero.
    """
    points, classes = workspace.points, unicode.classes
    count = 0
    position = 0
    while position < length:
        start = position
        while position < length and classes[points[position]] & bit == inside:
            position += 1
        if position - start >= shortest:
            workspace.starts[count] = start
            workspace.ends[count] = position
            count += 1
        position += 1
    return count


def read_words(length: int, features: Features, workspace: Workspace) -> int:
    """Write the ids of a text's words; return how many there are."""
    starts, ends, points = workspace.starts, workspace.ends, workspace.points
    count = find_spans(length, features.unicode, WORD, WORD, 2, workspace)
    for nth in range(count):
        workspace.ids[nth] = find_word(starts[nth], ends[nth], features.words, points)
    return count


def read_characters(start: int, end: int, features: Features, workspace: Workspace) -> int:
    """Write the ids of a span's characters, with blanks around; return how many."""
    size = 1
    for place in range(start, end):
        workspace.ids[size] = features.character_ids[workspace.points[place]]
        size += 1
    workspace.ids[0] = workspace.ids[size] = features.blank
    return size + 1


def read_terms(
    first: int, stop: int, size: int, ngrams: Ngrams, ids: Any, terms: Any, count: int
) -> int:
    """Write the terms that start at ids ``first`` to ``stop``; return where they end.

    A span that is shorter than all n-grams is a term itself, with a blank before and
    behind, as in scikit-learn; in the trie that is one more walk to a term. The first term
    is written to ``terms[count]``; no term goes beyond the ``size`` ids that there are.
    """
    unknown, idf = ngrams.unknown, ngrams.idf
    for start in range(first, stop):
        state = int(ids[start])
        last = min(start + ngrams.longest, size)
        place = start + 1
        while state != unknown:
            if idf[state] > 0.0:
                terms[count] = state
                count += 1
            if place == last:
                break
            state = next_state(ngrams.edges, unknown, state, int(ids[place]))
            place += 1
    return count


def count_term(term: int, nth: int, base: int, counts: Any, found: Any, count: int) -> int:
    """Count a term; keep it where it comes for the nth time; return how many are kept.

    Counts under ``base`` are left from other texts and taken for zero.
    """
    times = max(int(counts[term]), base)
    counts[term] = times + 1
    found[count & INDEX] = term
    return count + int(times == base + nth - 1)  # without a branch, which would be guessed


def count_words(count: int, ngrams: Ngrams, base: int, workspace: Workspace) -> int:
    """Count the terms of a text's words; return how many are found."""
    ids, states = workspace.ids, workspace.states
    counts, terms = workspace.word_counts, workspace.found
    found = 0
    for place in range(count):
        states[place] = ids[place]
        found = count_term(int(ids[place]), 1, base, counts, terms, found)
    for depth in range(1, ngrams.longest):
        for place in range(count - depth):
            before, token_id = int(states[place]), int(ids[place + depth])
            state = next_state(ngrams.edges, ngrams.unknown, before, token_id)
            states[place] = state
            found = count_term(state, 1, base, counts, terms, found)
    return found


def count_characters(count: int, features: Features, base: int, workspace: Workspace) -> int:
    """Count the terms of ``count`` spans of any length; return how many are found."""
    ngrams, counts, found = features.character_ngrams, workspace.character_counts, 0
    for span in range(count):
        size = read_characters(workspace.starts[span], workspace.ends[span], features, workspace)
        for first in range(0, size, TOKEN_BYTES):
            stop = min(first + TOKEN_BYTES, size)
            last = read_terms(first, stop, size, ngrams, workspace.ids, workspace.terms, 0)
            for place in range(last):
                found = count_term(
                    int(workspace.terms[place]), 1, base, counts, workspace.found, found
                )
    return found


def damp(times: int, damping: Any, sublinear: bool) -> float:
    """Return the weight of a term's frequency."""
    if times < len(damping):
        return float(damping[times])
    return 1.0 + math.log(times) if sublinear else float(times)


def add_rows(rows: Any, factors: Any, count: int, weights: Any, scale: float, sums: Any) -> None:
    """Add rows of weights, each times its factor and all times a scale, to a row of sums."""
    width = len(sums)
    for column in range(0, width, 4):  # four at a time stay in registers
        a = b = c = d = 0.0
        for place in range(count):
            factor = factors[place]
            row = (int(rows[place]) * width + column) & INDEX
            a += factor * weights[row]
            b += factor * weights[row + 1]
            c += factor * weights[row + 2]
            d += factor * weights[row + 3]
        sums[column] += a * scale
        sums[column + 1] += b * scale
        sums[column + 2] += c * scale
        sums[column + 3] += d * scale


def add_found(
    ngrams: Ngrams, found: int, base: int, counts: Any, workspace: Workspace, log_odds: Any
) -> None:
    """Add the found terms' share to a row of the log-odds: tf-idf, of length one, weighted."""
    idf, damping, sublinear = ngrams.idf, ngrams.damping, ngrams.sublinear
    terms, tfidf = workspace.found, workspace.tfidf
    squares = 0.0
    for place in range(found):
        term = int(terms[place])
        value = damp(counts[term] - base, damping, sublinear) * idf[term]
        tfidf[place] = value
        squares += value * value
    if squares > 0.0:
        scale = 1.0 / math.sqrt(squares)
        add_rows(terms, tfidf, found, ngrams.weights, scale, log_odds)


def count_letters(
    length: int, unicode: UnicodeTables, workspace: Workspace
) -> tuple[int, int, int]:
    """Return how many runs of letters there are, how many letters, and Latin ones."""
    points, classes = workspace.points, unicode.classes
    runs = found = latin = before = 0
    for place in range(length):
        kind = int(classes[points[place]])
        is_letter = kind >> 4 & 1
        runs += is_letter & ~before
        found += is_letter
        latin += kind >> 5 & 1
        before = is_letter
    return runs, found, latin


def read_text(
    buffer: Any, start: int, end: int, features: Features, workspace: Workspace
) -> tuple[int, int, int, int, int, int]:
    """Take a text, or a token of one, apart into its words.

    Returns:
        Its length in code points, and its ``COUNTS`` numbers.
    """
    length = lower_text(buffer, start, end, features.unicode, workspace.points)
    runs, letters, latin = count_letters(length, features.unicode, workspace)
    words = read_words(length, features, workspace)
    known = 0
    for place in range(words):
        known += features.word_ngrams.idf[workspace.ids[place]] > 0.0
    return length, words, known, runs, letters, latin


def split_text(buffer: Any, start: int, end: int, solid: Any, bounds: Any) -> int:
    """Write where each token of a text starts and ends; return how many there are."""
    count = before = 0
    for position in range(start, end):
        is_solid = int(solid[buffer[position]])
        bounds[count] = position
        count += is_solid ^ before
        before = is_solid
    bounds[count] = end
    return (count + before) >> 1


def short_number(buffer: Any, start: int, end: int) -> int:
    """Return the number that fewer than eight bytes are, the first one lowest, with a sign."""
    number = -1 if buffer[end - 1] > LAST_ASCII else 0
    for place in range(end - 1, start - 1, -1):
        number = number << 8 | int(buffer[place])
    return number


def same_bytes(stored: Any, first: int, buffer: Any, start: int, end: int) -> bool:
    """Whether the bytes stored at ``first`` are ``buffer[start:end]``."""
    while start < end and stored[first] == buffer[start]:
        first += 1
        start += 1
    return start == end


def mix_middle(mixed: int, eights: Any, position: int, end: int) -> int:
    """Return a number that depends on what is between the first and the last eight bytes, too."""
    while position < end:
        eight = int(eights[position & INDEX])
        mixed ^= mixed >> 29 ^ (eight & LOW_MASK) * FIRST_FACTOR
        mixed ^= (eight >> HIGH_SHIFT & LOW_MASK) * SECOND_FACTOR
        position += EIGHT
    return mixed


def token_ends(buffer: Any, eights: Any, start: int, end: int) -> tuple[int, int]:
    """Return the first and the last eight bytes of a token as numbers, or of fewer one twice."""
    if end < EIGHT:
        number = short_number(buffer, start, end)
        return number, number
    missing = 8 * max(EIGHT - (end - start), 0)  # bits
    first = int(eights[min(start, end - EIGHT) & INDEX]) >> missing
    return first, int(eights[end - EIGHT & INDEX]) >> missing


def first_slot(buffer: Any, eights: Any, start: int, end: int, slots: Any) -> int:
    """Return where the slot of a token is looked for first."""
    size = end - start
    first, last = token_ends(buffer, eights, start, end)
    mixed = (first & LOW_MASK) * FIRST_FACTOR ^ (last >> HIGH_SHIFT & LOW_MASK) * SECOND_FACTOR
    mixed ^= (first >> HIGH_SHIFT & LOW_MASK ^ size) * THIRD_FACTOR
    mixed ^= (last & LOW_MASK) * FOURTH_FACTOR
    if size > SIXTEEN:
        mixed = mix_middle(mixed, eights, start + EIGHT, end - EIGHT)
    return (mixed ^ mixed >> 29) >> 5 & len(slots) - SLOT


def find_slot(
    buffer: Any, eights: Any, start: int, end: int, slot: int, slots: Any, spellings: Any
) -> int:
    """Return where the slot of a token is, or is to be kept; -1 where no place is free nearby.

    Up to 16 bytes are told by how many they are and by their ends; longer ones are
    compared. Texts made to collide find no place, and so cannot take long.
    """
    size = end - start
    first, last = token_ends(buffer, eights, start, end)
    mask = len(slots) - SLOT
    for _ in range(PROBES):
        if slots[slot + SIZE] == 0:
            slots[slot + FIRST] = first
            slots[slot + LAST] = last
            return slot
        if (
            slots[slot + FIRST] == first
            and slots[slot + LAST] == last
            and slots[slot + SIZE] == size
            and (
                size <= SIXTEEN or same_bytes(spellings, slots[slot + SPELLING], buffer, start, end)
            )
        ):
            return slot
        slot = slot + SLOT & mask
    return -1


def make_room(count: int, length: int, longest: int, cache: TokenCache) -> None:
    """Forget all tokens if those of one more text may not find room."""
    used = cache.used
    full = 2 * (used[0] + count) * SLOT > len(cache.slots)
    full = full or used[1] + length > len(cache.spellings)
    full = full or used[2] + length > len(cache.words)
    # a span of one letter and the blank behind it are three ids
    if full or used[3] + longest * (2 * length + 1) > len(cache.terms):
        used[0] = used[1] = used[2] = used[3] = 0
        for slot in range(0, len(cache.slots), SLOT):
            cache.slots[slot + SIZE] = 0


def cache_words(count: int, cache: TokenCache, workspace: Workspace) -> int:
    """Return the words of a token as a number: how many they are, and their ids.

    Those of more than two are kept elsewhere, and where is in the number.
    """
    ids, used = workspace.ids, cache.used
    if count <= 2:
        ids[count] = ids[count + 1] = 0
        return int(ids[1]) << ID_BITS + COUNT_BITS | int(ids[0]) << COUNT_BITS | count
    first = int(used[2])
    for place in range(count):
        cache.words[first + place] = ids[place]
    used[2] = first + count
    return first << COUNT_BITS | count


def cache_terms(count: int, number: int, context: Context) -> int:
    """Keep the terms of a token's spans, and what they add up to; return where they are."""
    features, cache, workspace = context
    ngrams, width, used = features.character_ngrams, features.width, cache.used
    found, terms, idf, kept = 0, workspace.terms, workspace.tfidf, cache.terms
    for span in range(count):
        size = read_characters(workspace.starts[span], workspace.ends[span], features, workspace)
        found = read_terms(0, size, size, ngrams, workspace.ids, terms, found)
    first = int(used[3])
    squares = 0.0
    for place in range(found):
        kept[first + place] = terms[place]
        idf[place] = ngrams.idf[terms[place]]
        squares += idf[place] * idf[place]
    used[3] = first + found
    sums = cache.sums[number * width : (number + 1) * width]
    sums[:] = 0.0
    add_rows(terms, idf, found, ngrams.weights, 1.0, sums)
    sums[width - 1] = squares
    return first << KIND_BITS | found


def cache_token(buffer: Any, start: int, end: int, slot: int, context: Context) -> None:
    """Take a token apart and keep what is in it."""
    features, cache, workspace = context
    slots, used, number = cache.slots, cache.used, int(cache.used[0])
    if end - start > SIXTEEN:
        slots[slot + SPELLING] = used[1]
        for place in range(start, end):
            cache.spellings[used[1]] = buffer[place]
            used[1] += 1
    length, words, known, runs, letters, latin = read_text(buffer, start, end, features, workspace)
    slots[slot + KINDS] = ((known << KIND_BITS | latin) << KIND_BITS | letters) << KIND_BITS | runs
    slots[slot + WORDS] = cache_words(words, cache, workspace)
    if features.character_ngrams.longest > 0:
        spans = find_spans(length, features.unicode, BLANK, 0, 1, workspace)
        slots[slot + TERMS] = cache_terms(spans, number, context)
    slots[slot + NUMBER] = number
    slots[slot + SIZE] = end - start
    used[0] = number + 1


def find_tokens(count: int, buffer: Any, eights: Any, context: Context) -> bool:
    """Find the slots of a text's tokens, and cache new ones.

    Returns:
        Whether all have one: none is too long, and there was a place for each.
    """
    slots, spellings = context.cache.slots, context.cache.spellings
    bounds, tokens = context.workspace.bounds, context.workspace.slots
    touched = 0
    for token in range(count):  # the memory of all is asked for before that of one is waited for
        start, end = int(bounds[2 * token]), int(bounds[2 * token + 1])
        if end - start > TOKEN_BYTES:
            return False
        tokens[token] = first_slot(buffer, eights, start, end, slots)
        touched |= slots[tokens[token] + SIZE & INDEX]
    context.workspace.numbers[0] = touched
    for token in range(count):
        start, end = int(bounds[2 * token]), int(bounds[2 * token + 1])
        slot = find_slot(buffer, eights, start, end, int(tokens[token]), slots, spellings)
        if slot < 0:
            return False
        if slots[slot + SIZE] == 0:
            cache_token(buffer, start, end, slot, context)
        tokens[token] = slot
    return True


def collect_words(count: int, cache: TokenCache, workspace: Workspace) -> tuple[int, int]:
    """Write the ids of the words of tokens; return how many there are, and the kinds."""
    slots, tokens, ids = cache.slots, workspace.slots, workspace.ids
    words = kinds = 0
    for token in range(count):
        slot = int(tokens[token])
        kinds += slots[slot + KINDS]
        packed = int(slots[slot + WORDS])
        size = packed & COUNT_MASK
        packed >>= COUNT_BITS
        if size <= 2:
            ids[words] = packed & ID_MASK
            ids[words + 1] = packed >> ID_BITS
        else:
            for place in range(size):
                ids[words + place] = cache.words[packed + place]
        words += size
    return words, kinds


def find_repeated(
    count: int, width: int, base: int, cache: TokenCache, workspace: Workspace
) -> tuple[int, float]:
    """Count the terms of tokens, and write those that come twice.

    Returns:
        How many come twice, and the squares of the idf of all terms.
    """
    slots, terms, sums = cache.slots, cache.terms, cache.sums
    counts, found = workspace.character_counts, workspace.found
    repeated = 0
    squares = 0.0
    for token in range(count):  # in a loop of its own, which waits for many sums at once
        number = int(slots[int(workspace.slots[token]) + NUMBER & INDEX])
        workspace.numbers[token] = number
        squares += sums[number * width + width - 1 & INDEX]
    for token in range(count):
        packed = int(slots[int(workspace.slots[token]) + TERMS & INDEX])
        first, size = packed >> KIND_BITS & INDEX, packed & KIND_MASK
        for place in range(first, first + size):
            repeated = count_term(int(terms[place & INDEX]), 2, base, counts, found, repeated)
    return repeated, squares


def add_cached_characters(count: int, base: int, context: Context, log_odds: Any) -> None:
    """Add the share of the characters of ``count`` tokens to a row of the log-odds.

    Tokens are added up as if no term came twice. Those that did are then put right.
    """
    features, cache, workspace = context
    ngrams, width = features.character_ngrams, features.width
    idf, damping, sublinear = ngrams.idf, ngrams.damping, ngrams.sublinear
    counts, found, tfidf = workspace.character_counts, workspace.found, workspace.tfidf
    repeated, squares = find_repeated(count, width, base, cache, workspace)
    for place in range(repeated):
        term = int(found[place])
        times = counts[term] - base
        damped = damp(times, damping, sublinear)
        squares += (damped * damped - times) * idf[term] * idf[term]
        tfidf[place] = (damped - times) * idf[term]
    if squares > 0.0:
        scale = 1.0 / math.sqrt(squares)
        add_rows(workspace.numbers, workspace.ones, count, cache.sums, scale, log_odds)
        add_rows(found, tfidf, repeated, ngrams.weights, scale, log_odds)


def add_characters(length: int, base: int, context: Context, log_odds: Any) -> None:
    """Add the share of the characters of a text that is taken apart anew.

    Every term is counted, so that no rounding piles up.
    """
    features, _, workspace = context
    count = find_spans(length, features.unicode, BLANK, 0, 1, workspace)
    found = count_characters(count, features, base, workspace)
    counts = workspace.character_counts
    add_found(features.character_ngrams, found, base, counts, workspace, log_odds)


def add_texts(
    buffer: Any, eights: Any, starts: Any, ends: Any, context: Context, log_odds: Any, counts: Any
) -> None:
    """Add up the log-odds of n texts, and count what they are made of.

    Args:
        buffer: UTF-8 bytes.
        eights: By place in the buffer, the eight bytes there as a number, the first one lowest.
        starts: n places in it.
        ends: n places in it.
        context: Tokens are added to its cache.
        log_odds: n rows of ``features.width``, added to.
        counts: n rows of ``COUNTS`` numbers, written: words, words that are terms, runs of
            letters, letters, Latin letters.
    """
    features, cache, workspace = context
    width, longest = features.width, features.character_ngrams.longest
    most = max(longest, features.word_ngrams.longest)
    for row in range(len(starts)):
        start, end = int(starts[row]), int(ends[row])
        sums = log_odds[row * width : (row + 1) * width]
        base = int(cache.used[4])
        cache.used[4] = base + 2 * most * (end - start + 1)
        tokens = 0
        is_usual = end - start < MOST_BYTES
        if is_usual:
            tokens = split_text(buffer, start, end, features.unicode.solid, workspace.bounds)
            is_usual = tokens <= MOST_TOKENS
        if is_usual:
            make_room(tokens, end - start, longest, cache)
            is_usual = find_tokens(tokens, buffer, eights, context)
        length = 0
        if is_usual:
            words, kinds = collect_words(tokens, cache, workspace)
            runs, letters = kinds & KIND_MASK, kinds >> KIND_BITS & KIND_MASK
            latin, known = kinds >> 2 * KIND_BITS & KIND_MASK, kinds >> 3 * KIND_BITS
        else:
            length, words, known, runs, letters, latin = read_text(
                buffer, start, end, features, workspace
            )
        counts[row * COUNTS], counts[row * COUNTS + 1] = words, known
        counts[row * COUNTS + 2] = runs
        counts[row * COUNTS + 3], counts[row * COUNTS + 4] = letters, latin
        found = count_words(words, features.word_ngrams, base, workspace)
        add_found(features.word_ngrams, found, base, workspace.word_counts, workspace, sums)
        if is_usual and longest > 0:
            add_cached_characters(tokens, base, context, sums)
        elif longest > 0:
            add_characters(length, base, context, sums)


RARELY_CALLED = (
    decode_point,
    is_final_sigma,
    read_terms,
    short_number,
    count_characters,
    add_characters,
)
ENTRIES = (fill_table, add_texts)
