r"""The scoring kernel: from UTF-8 bytes to log-odds, in plain functions over flat arrays.

The functions run as they stand, on anything that can be indexed (``scorer`` hands them
memoryviews), or compiled by numba, which ``compiled`` does to this same source. They keep to
what both understand: whole numbers and floats, flat arrays, named tuples, loops.

Features are those of scikit-learn's ``TfidfVectorizer``: n-grams of the words of
``(?u)\b\w\w+\b``, and n-grams of characters inside blank-separated words (``char_wb``). An
n-gram is a walk from node to node, one symbol a step. Words and steps are found in perfect
hash tables, with one look each; what is found there is compared in full, so no collision can
change a result. Characters take longest, and text repeats itself: what a token's n-grams add
up to is remembered.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

WORD, BLANK, CASED, IGNORABLE, LETTER, LATIN = 1, 2, 4, 8, 16, 32  # bits of a class
NOTHING = -1  # an empty place
SPACE = 32  # behind a stored word: no word has one inside
KEY_BASE, KEY_MASK = 131, (1 << 61) - 1
EXACT_LETTERS, LAST_ASCII = 8, 0x7F  # 131**8 < 2**61
SYMBOL_BITS = 24
LOW_MASK, HIGH_SHIFT = (1 << 31) - 1, 31
HASH_MASK = 0xFFFFFFFF
FIRST_FACTOR, SECOND_FACTOR, THIRD_FACTOR = 0x5BD1E995, 0x2545F491, 0x2C1B3C6D
MOST_TOKENS, MOST_LETTERS = 1024, 64  # of a text, and of a token, that is worth remembering
COUNTS = 5  # numbers that are counted of each text
NEVER = 1 << 62  # a count that no text comes to
INDEX = (1 << 62) - 1  # a mask that tells a compiler that an index is never negative

_CAPITAL_SIGMA, _SMALL_SIGMA, _FINAL_SIGMA = 0x3A3, 0x3C3, 0x3C2
_CAPITAL_I_DOTTED, _SMALL_I, _DOT_ABOVE = 0x130, 0x69, 0x307
_REPLACEMENT = 0xFFFD
_LAST_POINT = 0x10FFFF


class Letters(NamedTuple):
    """What Unicode says of each code point: its lower case, and its class bits."""

    lower: Any
    classes: Any


class Table(NamedTuple):
    """A perfect hash table: each key has one place, found with one look.

    Hash and displace: Belazzougui, Botelho and Dietzfelbinger, "Hash, Displace, and
    Compress", ESA 2009.

    Attributes:
        keys: The keys, or ``NOTHING``, by place.
        displacements: By the first hash of a key, what moves its second hash; a power of
            two of them.
    """

    keys: Any
    displacements: Any


class Words(NamedTuple):
    """The words of word n-grams; a word's place in the table is its symbol.

    Attributes:
        table: The words' keys.
        starts: Where each word starts in ``letters``, by place.
        letters: Code points of all words, a space behind each.
    """

    table: Table
    starts: Any
    letters: Any


class Ngrams(NamedTuple):
    """N-grams as a graph, with their weights.

    Nodes are numbered: first the symbols, which a walk starts from, then those further on,
    and last ``unknown``. A node where no term ends has an idf and weights of zero.

    Attributes:
        table: Steps: ``node << 24 | symbol``.
        nodes: The node that a step leads to, by place in the table.
        idf: Inverse document frequency of each node's term.
        weights: For each node ``width`` coefficients.
        unknown: The last node.
        longest: Length of the longest n-gram.
        counted: For each length up to the longest whether terms have it.
        sublinear: Whether term frequencies are damped to ``1 + log(tf)``.
        damping: The weights of small frequencies, to save their logarithms.
    """

    table: Table
    nodes: Any
    idf: Any
    weights: Any
    unknown: int
    longest: int
    counted: Any
    sublinear: bool
    damping: Any


class Features(NamedTuple):
    """All that a model knows of texts.

    Attributes:
        letters: Unicode's tables.
        words: The words of word n-grams.
        word_ngrams: Word n-grams.
        alphabet: Symbol of each code point.
        blank: Symbol of the blank before and behind a token.
        character_ngrams: Character n-grams; those of a model without have no steps.
        width: Columns of the weights; a multiple of four.
    """

    letters: Letters
    words: Words
    word_ngrams: Ngrams
    alphabet: Any
    blank: int
    character_ngrams: Ngrams
    width: int


class Memory(NamedTuple):
    """The tokens met so far, and what their character n-grams add up to.

    Attributes:
        slots: Hash table, a power of two long, of token numbers.
        tokens: For each token four numbers: its key, where its letters start, and where
            its terms start and end.
        letters: Code points of all tokens, a space behind each.
        terms: Terms of all tokens.
        sums: For each token ``width`` numbers: weights times idf, summed over its terms.
        squares: For each token the squares of the idf, summed over its terms.
        used: Four numbers: tokens, places in ``letters``, places in ``terms``, and the
            count that the next text's counts start from.
    """

    slots: Any
    tokens: Any
    letters: Any
    terms: Any
    sums: Any
    squares: Any
    used: Any


class Scratch(NamedTuple):
    """Room to work in, as large as the longest text asks.

    Attributes:
        points: Code points, lower-cased.
        keys: Key of each token.
        ends: Where each token ends, or its terms.
        starts: Where each token starts, or its terms.
        tokens: Number of each token.
        symbols: Symbols of the words of a text, or of the characters of a token.
        nodes: The node that each word has led to.
        terms: Terms that start at ``MOST_LETTERS`` characters.
        word_counts: A count for each node of word n-grams; ``NEVER`` for the unknown.
        character_counts: The same for character n-grams.
        found: Room for as many terms.
        tfidf: Room for as many numbers.
        ones: ``MOST_TOKENS`` times the number one.
    """

    points: Any
    keys: Any
    ends: Any
    starts: Any
    tokens: Any
    symbols: Any
    nodes: Any
    terms: Any
    word_counts: Any
    character_counts: Any
    found: Any
    tfidf: Any
    ones: Any


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
    buffer: Any, position: int, end: int, points: Any, count: int, letters: Letters
) -> bool:
    """Whether a sigma ends a word: a cased letter before it and none behind.

    Unicode's Final_Sigma condition (The Unicode Standard, section 3.13), which
    ``str.lower`` keeps to. Letters before it are those written to ``points`` already.
    """
    before = count - 1
    while before >= 0 and letters.classes[points[before]] & IGNORABLE:
        before -= 1
    if before < 0 or not letters.classes[points[before]] & CASED:
        return False
    while position < end:
        point = int(buffer[position])
        position += 1
        if point >= 0x80:
            point, position = decode_point(buffer, position - 1, end)
        if not letters.classes[point] & IGNORABLE:
            return not letters.classes[point] & CASED
    return True


def lower_text(buffer: Any, start: int, end: int, letters: Letters, points: Any) -> int:
    """Write the lowered code points of a text to ``points``; return how many there are."""
    lower = letters.lower
    count = 0
    position = start
    while position < end:
        point = int(buffer[position])
        position += 1
        if point >= 0x80:
            point, position = decode_point(buffer, position - 1, end)
            if point == _CAPITAL_SIGMA:
                final = is_final_sigma(buffer, position, end, points, count, letters)
                point = _FINAL_SIGMA if final else _SMALL_SIGMA
            elif point == _CAPITAL_I_DOTTED:  # the one letter whose lower case is two
                points[count] = _SMALL_I
                count += 1
                point = _DOT_ABOVE
        points[count] = lower[point]
        count += 1
    return count


def find_place(displacements: Any, size: int, key: int) -> int:
    """Return the one place in a table of that size where the key may be.

    ``lookup.mix_key`` and ``lookup.displaced_place`` are its two halves, by which tables are
    made; here they are one, since a call costs more than what they do.
    """
    mixed = (key & LOW_MASK) * FIRST_FACTOR ^ (key >> HIGH_SHIFT) * SECOND_FACTOR
    mixed ^= mixed >> 29
    displacement = displacements[mixed & (len(displacements) - 1) & INDEX]
    moved = (mixed >> 14 & HASH_MASK ^ displacement) * THIRD_FACTOR
    return int((moved >> 12 & HASH_MASK) * size >> 32)


def next_node(
    keys: Any, displacements: Any, nodes: Any, unknown: int, node: int, symbol: int
) -> int:
    """Return the node that a symbol leads to, or the unknown one."""
    key = node << SYMBOL_BITS | symbol
    place = find_place(displacements, len(keys), key) & INDEX
    target = int(nodes[place])
    return target if keys[place] == key else unknown


def same_letters(stored: Any, first: int, letters: Any, start: int, end: int) -> bool:
    """Whether the word stored at ``first`` is ``letters[start:end]``."""
    while start < end and stored[first] == letters[start]:
        first += 1
        start += 1
    return start == end and stored[first] == SPACE


def finish_key(number: int, length: int, union: int) -> int:
    """Return a token's key: its number, and whether another token may have it too.

    The number has the letters as its digits in base 131, modulo 2**61. It stands for one
    token only where there are at most eight letters and all are ASCII.
    """
    return number << 1 | (length > EXACT_LETTERS or union > LAST_ASCII)


def read_tokens(
    length: int, letters: Letters, bit: int, inside: int, shortest: int, scratch: Scratch
) -> int:
    """Write the keys, starts and ends of a text's tokens; return how many there are.

    Args:
        length: Of the text.
        letters: Unicode's tables.
        bit: The class bit that tells tokens from what is between them.
        inside: What it is inside of a token: the bit itself, or zero.
        shortest: Fewest letters of a token.
        scratch: Its ``points`` are read.
    """
    points, classes = scratch.points, letters.classes
    keys, starts, ends = scratch.keys, scratch.starts, scratch.ends
    count = 0
    position = 0
    while position < length:
        start = position
        number = union = 0
        while position < length:
            point = int(points[position])
            if classes[point] & bit != inside:
                break
            number = (number * KEY_BASE + point + 1) & KEY_MASK
            union |= point
            position += 1
        if position - start >= shortest:
            keys[count] = finish_key(number, position - start, union)
            starts[count] = start
            ends[count] = position
            count += 1
        position += 1
    return count


def read_words(length: int, features: Features, scratch: Scratch) -> int:
    """Write the symbols of a text's words; return how many there are."""
    keys, displacements = features.words.table.keys, features.words.table.displacements
    starts, letters = features.words.starts, features.words.letters
    unknown = features.word_ngrams.unknown
    count = read_tokens(length, features.letters, WORD, WORD, 2, scratch)
    for word in range(count):
        key = int(scratch.keys[word])
        place = find_place(displacements, len(keys), key)
        is_known = keys[place] == key
        if key & 1 and is_known:
            start, end = scratch.starts[word], scratch.ends[word]
            is_known = same_letters(letters, starts[place], scratch.points, start, end)
        scratch.symbols[word] = place if is_known else unknown
    return count


def read_symbols(start: int, end: int, features: Features, scratch: Scratch) -> int:
    """Write the symbols of a token's characters, with blanks around; return how many."""
    size = 1
    for place in range(start, end):
        scratch.symbols[size] = features.alphabet[scratch.points[place]]
        size += 1
    scratch.symbols[0] = scratch.symbols[size] = features.blank
    return size + 1


def read_terms(
    first: int, stop: int, size: int, ngrams: Ngrams, symbols: Any, terms: Any, count: int
) -> int:
    """Write the terms that start at symbols ``first`` to ``stop``; return where they end.

    A token that is shorter than all n-grams is a term itself, with a blank before and
    behind, as in scikit-learn; in the graph that is one more walk to a term.

    Args:
        first: Symbol that the first terms start at.
        stop: Symbol before which the last ones start.
        size: Number of symbols.
        ngrams: The n-grams.
        symbols: The symbols.
        terms: Written to.
        count: Where in ``terms``.
    """
    keys, displacements = ngrams.table.keys, ngrams.table.displacements
    nodes, unknown, idf = ngrams.nodes, ngrams.unknown, ngrams.idf
    for start in range(first, stop):
        node = int(symbols[start])
        last = min(start + ngrams.longest, size)
        place = start + 1
        while node != unknown:
            if idf[node] > 0.0:
                terms[count] = node
                count += 1
            if place == last:
                break
            node = next_node(keys, displacements, nodes, unknown, node, int(symbols[place]))
            place += 1
    return count


def count_term(term: int, nth: int, base: int, counts: Any, found: Any, count: int) -> int:
    """Count a term; keep it where it comes for the nth time; return how many are kept.

    Counts under ``base`` are left from other texts and taken for zero.
    """
    times = max(int(counts[term]), base)
    counts[term] = times + 1
    found[count] = term
    return count + 1 if times == base + nth - 1 else count


def count_words(count: int, ngrams: Ngrams, base: int, scratch: Scratch) -> int:
    """Count the terms of a text's words; return how many are found."""
    keys, displacements = ngrams.table.keys, ngrams.table.displacements
    targets, unknown = ngrams.nodes, ngrams.unknown
    symbols, nodes = scratch.symbols, scratch.nodes
    counts, terms = scratch.word_counts, scratch.found
    found = 0
    for place in range(count):
        nodes[place] = symbols[place]
        if ngrams.counted[1]:
            found = count_term(int(nodes[place]), 1, base, counts, terms, found)
    for depth in range(1, ngrams.longest):
        is_counted = ngrams.counted[depth + 1]
        for place in range(count - depth):
            node, symbol = int(nodes[place]), int(symbols[place + depth])
            node = next_node(keys, displacements, targets, unknown, node, symbol)
            nodes[place] = node
            if is_counted:
                found = count_term(node, 1, base, counts, terms, found)
    return found


def count_characters(count: int, features: Features, base: int, scratch: Scratch) -> int:
    """Count the terms of ``count`` tokens of any length; return how many are found."""
    ngrams, counts, found = features.character_ngrams, scratch.character_counts, 0
    for token in range(count):
        size = read_symbols(scratch.starts[token], scratch.ends[token], features, scratch)
        for first in range(0, size, MOST_LETTERS):
            stop = min(first + MOST_LETTERS, size)
            last = read_terms(first, stop, size, ngrams, scratch.symbols, scratch.terms, 0)
            for place in range(last):
                term = int(scratch.terms[place])
                found = count_term(term, 1, base, counts, scratch.found, found)
    return found


def damp(times: int, damping: Any, sublinear: bool) -> float:
    """Return the weight of a term's frequency."""
    if times < len(damping):
        return float(damping[times])
    return 1.0 + math.log(times) if sublinear else float(times)


def add_rows(
    rows: Any,
    factors: Any,
    count: int,
    weights: Any,
    width: int,
    scale: float,
    sums: Any,
    first: int,
) -> None:
    """Add rows of weights, each times its factor and all times a scale, to a row of sums."""
    for column in range(0, width, 4):  # four at a time stay in registers
        a = b = c = d = 0.0
        for place in range(count):
            factor = factors[place]
            row = (int(rows[place]) * width + column) & INDEX
            a += factor * weights[row]
            b += factor * weights[row + 1]
            c += factor * weights[row + 2]
            d += factor * weights[row + 3]
        sums[first + column] += a * scale
        sums[first + column + 1] += b * scale
        sums[first + column + 2] += c * scale
        sums[first + column + 3] += d * scale


def add_found(
    ngrams: Ngrams,
    found: int,
    base: int,
    counts: Any,
    scratch: Scratch,
    width: int,
    log_odds: Any,
    first: int,
) -> None:
    """Add the found terms' share to a row of the log-odds: tf-idf, of length one, weighted."""
    idf, damping, sublinear = ngrams.idf, ngrams.damping, ngrams.sublinear
    terms, tfidf = scratch.found, scratch.tfidf
    squares = 0.0
    for place in range(found):
        term = int(terms[place])
        value = damp(counts[term] - base, damping, sublinear) * idf[term]
        tfidf[place] = value
        squares += value * value
    if squares > 0.0:
        scale = 1.0 / math.sqrt(squares)
        add_rows(terms, tfidf, found, ngrams.weights, width, scale, log_odds, first)


def make_room(count: int, length: int, longest: int, memory: Memory) -> None:
    """Forget all tokens if those of one more text may not find room."""
    used = memory.used
    full = used[0] + count > len(memory.squares)
    full = full or used[1] + length + count > len(memory.letters)
    if full or used[2] + longest * (length + 2 * count) > len(memory.terms):
        used[0] = used[1] = used[2] = 0
        for slot in range(len(memory.slots)):
            memory.slots[slot] = NOTHING


def recall_token(
    key: int, start: int, end: int, slots: Any, tokens: Any, letters: Any, points: Any
) -> int:
    """Return the number of the token ``points[start:end]``, or where to keep it.

    That is the number of a free slot, taken from -1.
    """
    mask = len(slots) - 1
    slot = ((key ^ key >> HIGH_SHIFT) & HASH_MASK) * FIRST_FACTOR >> 15 & mask
    token = int(slots[slot])
    while token != NOTHING:
        if tokens[4 * token] == key:
            first = tokens[4 * token + 1]
            if not key & 1 or same_letters(letters, first, points, start, end):
                return token
        slot = (slot + 1) & mask
        token = int(slots[slot])
    return -1 - slot


def remember_token(
    key: int, start: int, end: int, features: Features, memory: Memory, scratch: Scratch
) -> int:
    """Take a token apart and keep what its terms add up to; return its number."""
    ngrams, width, used = features.character_ngrams, features.width, memory.used
    token, letter, first = int(used[0]), int(used[1]), int(used[2])
    size = read_symbols(start, end, features, scratch)
    count = read_terms(0, size, size, ngrams, scratch.symbols, scratch.terms, 0)
    memory.tokens[4 * token], memory.tokens[4 * token + 1] = key, letter
    memory.tokens[4 * token + 2], memory.tokens[4 * token + 3] = first, first + count
    for place in range(start, end):
        memory.letters[letter] = scratch.points[place]
        letter += 1
    memory.letters[letter] = SPACE
    used[0], used[1], used[2] = token + 1, letter + 1, first + count
    squares = 0.0
    for place in range(count):
        term = scratch.terms[place]
        memory.terms[first + place] = term
        idf = ngrams.idf[term]
        scratch.tfidf[place] = idf
        squares += idf * idf
    memory.squares[token] = squares
    for column in range(width):
        memory.sums[token * width + column] = 0.0
    rows, factors, weights = scratch.terms, scratch.tfidf, ngrams.weights
    add_rows(rows, factors, count, weights, width, 1.0, memory.sums, token * width)
    return token


def recall_tokens(count: int, features: Features, memory: Memory, scratch: Scratch) -> None:
    """Write the numbers of a text's tokens; remember those not known."""
    slots, tokens, letters = memory.slots, memory.tokens, memory.letters
    points, keys, starts, ends = scratch.points, scratch.keys, scratch.starts, scratch.ends
    numbers = scratch.tokens
    for place in range(count):
        key, start, end = keys[place], starts[place], ends[place]
        token = recall_token(key, start, end, slots, tokens, letters, points)
        if token < 0:
            slot = -1 - token
            token = remember_token(key, start, end, features, memory, scratch)
            slots[slot] = token
        numbers[place] = token


def fetch_terms(count: int, width: int, memory: Memory, scratch: Scratch) -> float:
    """Find where the terms of tokens are; return the squares of all.

    All that is remembered of each token is looked at here once, so that a processor fetches
    it for all at once and does not wait for one after the other.
    """
    numbers, starts, ends = scratch.tokens, scratch.starts, scratch.ends
    tokens, terms, sums = memory.tokens, memory.terms, memory.sums
    squares = fetched = 0.0
    for place in range(count):
        token = numbers[place]
        first = tokens[4 * token + 2]
        starts[place] = first
        ends[place] = tokens[4 * token + 3]
        squares += memory.squares[token]
        fetched += sums[token * width] + sums[token * width + width - 1] + terms[first]
    scratch.tfidf[0] = fetched
    return squares


def add_recalled(
    count: int,
    features: Features,
    base: int,
    memory: Memory,
    scratch: Scratch,
    log_odds: Any,
    first: int,
) -> None:
    """Add the share of the characters of ``count`` tokens to a row of the log-odds.

    Tokens are added up as if no term came twice. Those that did are then put right.
    """
    ngrams, width = features.character_ngrams, features.width
    idf, damping, sublinear = ngrams.idf, ngrams.damping, ngrams.sublinear
    counts, found, tfidf = scratch.character_counts, scratch.found, scratch.tfidf
    starts, ends, terms = scratch.starts, scratch.ends, memory.terms
    squares = fetch_terms(count, width, memory, scratch)
    repeated = 0
    for place in range(count):
        for place_of_term in range(starts[place], ends[place]):
            term = int(terms[place_of_term])
            repeated = count_term(term, 2, base, counts, found, repeated)
    for place in range(repeated):
        term = int(found[place])
        times = counts[term] - base
        damped = damp(times, damping, sublinear)
        squares += (damped * damped - times) * idf[term] * idf[term]
        tfidf[place] = (damped - times) * idf[term]
    if squares > 0.0:
        scale = 1.0 / math.sqrt(squares)
        add_rows(scratch.tokens, scratch.ones, count, memory.sums, width, scale, log_odds, first)
        add_rows(found, tfidf, repeated, ngrams.weights, width, scale, log_odds, first)


def count_letters(
    length: int, features: Features, scratch: Scratch, counts: Any, first: int
) -> None:
    """Write how many runs of letters a text has, how many letters, and Latin ones."""
    points, classes = scratch.points, features.letters.classes
    runs = letters = latin = before = 0
    for place in range(length):
        kind = int(classes[points[place]])
        is_letter = kind >> 4 & 1
        runs += is_letter & ~before
        letters += is_letter
        latin += kind >> 5 & 1
        before = is_letter
    counts[first], counts[first + 1], counts[first + 2] = runs, letters, latin


def is_ordinary(count: int, scratch: Scratch) -> bool:
    """Whether a text's tokens are few and short enough to be remembered."""
    if count > MOST_TOKENS:
        return False
    starts, ends = scratch.starts, scratch.ends
    longest = 0
    for place in range(count):
        longest = max(longest, int(ends[place] - starts[place]))
    return longest <= MOST_LETTERS


def add_words(
    length: int,
    features: Features,
    base: int,
    scratch: Scratch,
    log_odds: Any,
    first: int,
) -> tuple[int, int]:
    """Add the share of a text's words; return how many there are, and how many are terms."""
    ngrams = features.word_ngrams
    symbols, idf = scratch.symbols, ngrams.idf
    count = read_words(length, features, scratch)
    known = 0
    for place in range(count):
        known += idf[symbols[place]] > 0.0
    found = count_words(count, ngrams, base, scratch)
    counts = scratch.word_counts
    add_found(ngrams, found, base, counts, scratch, features.width, log_odds, first)
    return count, known


def add_characters(
    length: int,
    features: Features,
    base: int,
    memory: Memory,
    scratch: Scratch,
    log_odds: Any,
    first: int,
) -> None:
    """Add the share of a text's characters."""
    ngrams = features.character_ngrams
    count = read_tokens(length, features.letters, BLANK, 0, 1, scratch)
    if is_ordinary(count, scratch):
        make_room(count, length, ngrams.longest, memory)
        recall_tokens(count, features, memory, scratch)
        add_recalled(count, features, base, memory, scratch, log_odds, first)
    else:
        found = count_characters(count, features, base, scratch)
        counts = scratch.character_counts
        add_found(ngrams, found, base, counts, scratch, features.width, log_odds, first)


def add_texts(
    buffer: Any,
    starts: Any,
    ends: Any,
    features: Features,
    memory: Memory,
    scratch: Scratch,
    log_odds: Any,
    counts: Any,
) -> None:
    """Add up the log-odds of n texts, and count what they are made of.

    Args:
        buffer: UTF-8 bytes.
        starts: n places in it.
        ends: n places in it.
        features: What the model knows.
        memory: Tokens met so far; added to.
        scratch: Room to work in.
        log_odds: n rows of ``features.width``, added to.
        counts: n rows of ``COUNTS`` numbers, written: words, words that are terms, runs of
            letters, letters, Latin letters.
    """
    longest = max(features.word_ngrams.longest, features.character_ngrams.longest)
    for row in range(len(starts)):
        start, end, first = int(starts[row]), int(ends[row]), row * features.width
        base = int(memory.used[3])
        memory.used[3] = base + longest * 3 * (end - start + 1)
        length = lower_text(buffer, start, end, features.letters, scratch.points)
        words, known = add_words(length, features, base, scratch, log_odds, first)
        counts[row * COUNTS], counts[row * COUNTS + 1] = words, known
        count_letters(length, features, scratch, counts, row * COUNTS + 2)
        if features.character_ngrams.longest > 0:
            add_characters(length, features, base, memory, scratch, log_odds, first)


def apply_sigmoid(values: Any) -> None:
    """Turn log-odds into probabilities, in place and without overflow."""
    for place in range(len(values)):
        value = values[place]
        if value >= 0.0:
            values[place] = 1.0 / (1.0 + math.exp(-value))
        else:
            power = math.exp(value)
            values[place] = power / (1.0 + power)


RARELY_CALLED = (decode_point, is_final_sigma, read_terms, remember_token, count_characters)
ENTRIES = (add_texts, apply_sigmoid)
FUNCTIONS = (
    decode_point,
    is_final_sigma,
    lower_text,
    find_place,
    next_node,
    same_letters,
    finish_key,
    read_tokens,
    read_words,
    read_symbols,
    read_terms,
    count_term,
    count_words,
    damp,
    count_characters,
    add_rows,
    add_found,
    make_room,
    recall_token,
    remember_token,
    recall_tokens,
    fetch_terms,
    add_recalled,
    is_ordinary,
    count_letters,
    add_words,
    add_characters,
    add_texts,
    apply_sigmoid,
)
"""All of them, callees before their callers."""
