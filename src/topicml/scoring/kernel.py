r"""The scoring kernel: from UTF-8 bytes to log-odds, in plain functions over flat arrays.

The functions run as they stand, on anything that can be indexed (``scorer`` hands them
memoryviews), or compiled by numba, which ``compiled`` does to this same source. They keep to
what both understand: whole numbers and floats, flat arrays, named tuples, loops.

Features are those of scikit-learn's ``TfidfVectorizer``: n-grams of the words of
``(?u)\b\w\w+\b``, and n-grams of characters inside blank-separated words (``char_wb``). An
n-gram is a walk from node to node, one symbol a step. Words and steps are found in perfect
hash tables, with one look each; what is found there is compared in full, so no collision can
change a result. Text repeats itself: what a chunk of bytes between two blanks is made of, its
words and what its characters' n-grams add up to, is found out once and then remembered.
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
SYMBOL_MASK = (1 << SYMBOL_BITS) - 1
LOW_MASK, HIGH_SHIFT = (1 << 31) - 1, 31
HASH_MASK = 0xFFFFFFFF
FIRST_FACTOR, SECOND_FACTOR, THIRD_FACTOR = 0x5BD1E995, 0x2545F491, 0x2C1B3C6D
FOURTH_FACTOR = 0x27D4EB2F
MOST_BYTES, MOST_CHUNKS, CHUNK_BYTES = 1 << 15, 1024, 64  # of a text that is taken by chunks
FIRST, LAST, SIZE, SPELLING, NUMBER, WORDS, KINDS, TERMS, RECORD = range(9)  # see Memory
EIGHT, SIXTEEN = 8, 16  # bytes that one number and two numbers tell
PROBES = 100  # of a hash table that is at most half full
COUNT_BITS, KIND_BITS = 8, 15
COUNT_MASK, KIND_MASK = (1 << COUNT_BITS) - 1, (1 << KIND_BITS) - 1
COUNTS = 5  # numbers that are counted of each text
NEVER = 1 << 62  # a count that no text comes to
INDEX = (1 << 62) - 1  # a mask that tells a compiler that an index is never negative

_CAPITAL_SIGMA, _SMALL_SIGMA, _FINAL_SIGMA = 0x3A3, 0x3C3, 0x3C2
_CAPITAL_I_DOTTED, _SMALL_I, _DOT_ABOVE = 0x130, 0x69, 0x307
_REPLACEMENT = 0xFFFD
_LAST_POINT = 0x10FFFF


class Letters(NamedTuple):
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
    """The chunks met so far, and what is in them.

    Attributes:
        records: A hash table of chunks: a power of two of places, ``RECORD`` numbers each.
            ``FIRST`` and ``LAST`` are made of the chunk's first and last eight bytes, see
            ``find_chunk``; ``SIZE`` is how many it has, 0 where the place is free;
            ``SPELLING`` is where in ``spellings`` they are, for those of more than 16;
            ``NUMBER`` is which chunk it is; ``WORDS`` are its words, see ``keep_words``;
            ``KINDS`` how many runs of letters, letters, Latin ones and known words it has,
            in steps of ``KIND_BITS``; ``TERMS`` is where its terms start, and, in the
            lowest ``COUNT_BITS``, how many of them are heads.
        spellings: Bytes of chunks.
        words: Symbols of the words of chunks of more than two.
        terms: For each chunk the heads of its terms, see ``read_terms``, and then the rest.
        rests: By place of a head in ``terms``, where the terms that follow it are.
        sums: For each chunk ``width`` numbers: weights times idf, summed over its terms,
            and last, over the same, the squares of the idf.
        used: Five numbers: chunks, places in ``spellings``, ``words`` and ``terms``, and
            what the next text's counts and marks start from.
    """

    records: Any
    spellings: Any
    words: Any
    terms: Any
    rests: Any
    sums: Any
    used: Any


class Scratch(NamedTuple):
    """Room to work in, as large as the longest text asks.

    Attributes:
        edges: Where each chunk starts and where it ends, in turn.
        chunks: Where the record of each chunk is.
        numbers: The number of each chunk.
        points: Code points, lower-cased.
        keys: Key of each token.
        starts: Where each token starts.
        ends: Where each token ends.
        symbols: Symbols of the words of a text, or of the characters of a token.
        nodes: The node that each word has led to.
        terms: Terms of a chunk, or all that may come twice in a text.
        word_counts: A count for each node of word n-grams; ``NEVER`` for the unknown.
        character_counts: The same for character n-grams.
        heads: The heads of the terms of a text's chunks.
        places: Where in ``Memory.terms`` each of them is.
        marks: For each node of character n-grams where it came first as a head.
        groups: Which heads come twice.
        found: Room for as many terms.
        tfidf: Room for as many numbers.
        ones: ``MOST_CHUNKS`` times the number one.
    """

    edges: Any
    chunks: Any
    numbers: Any
    points: Any
    keys: Any
    starts: Any
    ends: Any
    symbols: Any
    nodes: Any
    terms: Any
    word_counts: Any
    character_counts: Any
    heads: Any
    places: Any
    marks: Any
    groups: Any
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

    The first of those that start at one symbol is their head: ``rest << 24 | node``, where
    so many more follow. No term comes twice unless its head does.

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
        head = count
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
        if count > head:
            terms[head] += (count - head - 1) << SYMBOL_BITS
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
        for first in range(0, size, CHUNK_BYTES):
            stop = min(first + CHUNK_BYTES, size)
            last = read_terms(first, stop, size, ngrams, scratch.symbols, scratch.terms, 0)
            for place in range(last):
                term = int(scratch.terms[place]) & SYMBOL_MASK
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


def count_known(count: int, idf: Any, scratch: Scratch) -> int:
    """Return how many of the words are terms."""
    known = 0
    for place in range(count):
        known += idf[scratch.symbols[place]] > 0.0
    return known


def count_letters(length: int, letters: Letters, scratch: Scratch) -> tuple[int, int, int]:
    """Return how many runs of letters there are, how many letters, and Latin ones."""
    points, classes = scratch.points, letters.classes
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
    buffer: Any, start: int, end: int, features: Features, scratch: Scratch
) -> tuple[int, int, int, int, int, int]:
    """Take a text, or a chunk of one, apart into its words.

    Returns:
        Its length in code points, and its ``COUNTS`` numbers.
    """
    length = lower_text(buffer, start, end, features.letters, scratch.points)
    runs, letters, latin = count_letters(length, features.letters, scratch)
    words = read_words(length, features, scratch)
    known = count_known(words, features.word_ngrams.idf, scratch)
    return length, words, known, runs, letters, latin


def split_text(buffer: Any, start: int, end: int, solid: Any, edges: Any) -> int:
    """Write where each chunk of a text starts and ends; return how many there are."""
    count = before = 0
    for position in range(start, end):
        is_solid = int(solid[buffer[position]])
        edges[count] = position
        count += is_solid ^ before
        before = is_solid
    edges[count] = end
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


def find_chunk(buffer: Any, eights: Any, start: int, end: int, records: Any, spellings: Any) -> int:
    """Return where the record of a chunk is, or is to be kept; -1 where no place is free nearby.

    Up to 16 bytes are told by how many they are and by the first and the last eight as
    numbers, which are the same one where there are no more than eight; longer ones are
    compared. Texts made to collide find no place, and so cannot take long.
    """
    size = end - start
    if end >= EIGHT:
        missing = 8 * max(EIGHT - size, 0)  # bits
        first = int(eights[min(start, end - EIGHT) & INDEX]) >> missing
        last = int(eights[end - EIGHT & INDEX]) >> missing
    else:
        first = last = short_number(buffer, start, end)
    mixed = (first & LOW_MASK) * FIRST_FACTOR ^ (last >> HIGH_SHIFT & LOW_MASK) * SECOND_FACTOR
    mixed ^= (first >> HIGH_SHIFT & LOW_MASK ^ size) * THIRD_FACTOR
    mixed ^= (last & LOW_MASK) * FOURTH_FACTOR
    if size > SIXTEEN:
        mixed = mix_middle(mixed, eights, start + EIGHT, end - EIGHT)
    mask = len(records) - RECORD
    record = (mixed ^ mixed >> 29) >> 5 & mask
    for _ in range(PROBES):
        if records[record + SIZE] == 0:
            records[record + FIRST] = first
            records[record + LAST] = last
            return record
        if (
            records[record + FIRST] == first
            and records[record + LAST] == last
            and records[record + SIZE] == size
            and (
                size <= SIXTEEN
                or same_bytes(spellings, records[record + SPELLING], buffer, start, end)
            )
        ):
            return record
        record = record + RECORD & mask
    return -1


def make_room(count: int, length: int, features: Features, memory: Memory) -> None:
    """Forget all chunks if those of one more text may not find room."""
    used, longest = memory.used, features.character_ngrams.longest
    full = 2 * (used[0] + count) * RECORD > len(memory.records)
    full = full or used[1] + length > len(memory.spellings)
    full = full or used[2] + length > len(memory.words)
    # a token of one letter and the blank behind it are three symbols
    if full or used[3] + longest * (2 * length + 1) > len(memory.terms):
        used[0] = used[1] = used[2] = used[3] = 0
        for record in range(0, len(memory.records), RECORD):
            memory.records[record + SIZE] = 0


def keep_words(count: int, memory: Memory, scratch: Scratch) -> int:
    """Return the words of a chunk as a number: how many they are, and their symbols.

    Those of more than two are kept elsewhere, and where is in the number.
    """
    symbols, used = scratch.symbols, memory.used
    if count <= 2:
        symbols[count] = symbols[count + 1] = 0
        return int(symbols[1]) << SYMBOL_BITS + COUNT_BITS | int(symbols[0]) << COUNT_BITS | count
    first = int(used[2])
    for place in range(count):
        memory.words[first + place] = symbols[place]
    used[2] = first + count
    return first << COUNT_BITS | count


def keep_terms(
    count: int, number: int, features: Features, memory: Memory, scratch: Scratch
) -> int:
    """Keep the terms of a chunk's tokens, and what they add up to; return where they are."""
    ngrams, width, used = features.character_ngrams, features.width, memory.used
    found, terms, idf, kept = 0, scratch.terms, scratch.tfidf, memory.terms
    for token in range(count):
        size = read_symbols(scratch.starts[token], scratch.ends[token], features, scratch)
        found = read_terms(0, size, size, ngrams, scratch.symbols, terms, found)
    first = rest = int(used[3])
    place = 0
    while place < found:
        kept[rest] = terms[place]
        rest += 1
        place += 1 + (int(terms[place]) >> SYMBOL_BITS)
    heads = rest - first
    head, following = first, 0
    squares = 0.0
    for place in range(found):
        if following == 0:
            memory.rests[head] = rest
            head += 1
            following = int(terms[place]) >> SYMBOL_BITS
            terms[place] = int(terms[place]) & SYMBOL_MASK
        else:
            following -= 1
            kept[rest] = terms[place]
            rest += 1
        idf[place] = ngrams.idf[terms[place]]
        squares += idf[place] * idf[place]
    used[3] = rest
    row = number * width
    for column in range(row, row + width):
        memory.sums[column] = 0.0
    add_rows(terms, idf, found, ngrams.weights, width, 1.0, memory.sums, row)
    memory.sums[row + width - 1] = squares
    return first << COUNT_BITS | heads


def remember_chunk(
    buffer: Any,
    start: int,
    end: int,
    record: int,
    features: Features,
    memory: Memory,
    scratch: Scratch,
) -> None:
    """Take a chunk apart and keep what is in it."""
    records, used, number = memory.records, memory.used, int(memory.used[0])
    if end - start > SIXTEEN:
        records[record + SPELLING] = used[1]
        for place in range(start, end):
            memory.spellings[used[1]] = buffer[place]
            used[1] += 1
    length, words, known, runs, letters, latin = read_text(buffer, start, end, features, scratch)
    records[record + KINDS] = (
        (known << KIND_BITS | latin) << KIND_BITS | letters
    ) << KIND_BITS | runs
    records[record + WORDS] = keep_words(words, memory, scratch)
    if features.character_ngrams.longest > 0:
        tokens = read_tokens(length, features.letters, BLANK, 0, 1, scratch)
        records[record + TERMS] = keep_terms(tokens, number, features, memory, scratch)
    records[record + NUMBER] = number
    records[record + SIZE] = end - start
    used[0] = number + 1


def recall_chunks(
    count: int, buffer: Any, eights: Any, features: Features, memory: Memory, scratch: Scratch
) -> bool:
    """Find the records of a text's chunks, and remember new ones.

    Returns:
        Whether all have one: none is too long, and there was a place for each.
    """
    records, spellings = memory.records, memory.spellings
    edges, chunks = scratch.edges, scratch.chunks
    for chunk in range(count):
        start, end = int(edges[2 * chunk]), int(edges[2 * chunk + 1])
        if end - start > CHUNK_BYTES:
            return False
        record = find_chunk(buffer, eights, start, end, records, spellings)
        if record < 0:
            return False
        if records[record + SIZE] == 0:
            remember_chunk(buffer, start, end, record, features, memory, scratch)
        chunks[chunk] = record
    return True


def recall_words(count: int, memory: Memory, scratch: Scratch) -> tuple[int, int]:
    """Write the symbols of the words of chunks; return how many there are, and the kinds."""
    records, chunks, symbols = memory.records, scratch.chunks, scratch.symbols
    words = kinds = 0
    for chunk in range(count):
        record = int(chunks[chunk])
        kinds += records[record + KINDS]
        packed = int(records[record + WORDS])
        size = packed & COUNT_MASK
        packed >>= COUNT_BITS
        if size <= 2:
            symbols[words] = packed & SYMBOL_MASK
            symbols[words + 1] = packed >> SYMBOL_BITS
        else:
            for place in range(size):
                symbols[words + place] = memory.words[packed + place]
        words += size
    return words, kinds


def recall_heads(count: int, width: int, memory: Memory, scratch: Scratch) -> tuple[int, float]:
    """Write the heads of the terms of chunks, and where they are kept.

    All that is remembered of each chunk is looked at here once, so that a processor fetches
    it for all at once and does not wait for one after the other.

    Returns:
        How many heads there are, and the squares of the idf of all terms.
    """
    records, terms, sums = memory.records, memory.terms, memory.sums
    heads, places = scratch.heads, scratch.places
    found = 0
    squares = fetched = 0.0
    for chunk in range(count):
        record = int(scratch.chunks[chunk]) & INDEX
        number, packed = int(records[record + NUMBER]), int(records[record + TERMS])
        first, size = packed >> COUNT_BITS & INDEX, packed & COUNT_MASK
        scratch.numbers[chunk] = number
        squares += sums[number * width + width - 1 & INDEX]
        fetched += sums[number * width & INDEX]
        for nth in range(size):
            heads[found + nth & INDEX] = terms[first + nth]
            places[found + nth & INDEX] = first + nth
        found += size
    scratch.tfidf[0] = fetched
    return found, squares


def find_groups(count: int, base: int, scratch: Scratch) -> int:
    """Write which heads of a text come twice, all times they come; return how many these are.

    A head is marked with where it came first, and, in the lowest bit, whether it has come
    again; marks under ``base``, which is even, are left from other texts.
    """
    heads, marks, groups = scratch.heads, scratch.marks, scratch.groups
    found = 0
    for place in range(count):
        head = int(heads[place]) & SYMBOL_MASK
        mark = int(marks[head])
        comes_again = mark >= base
        groups[found & INDEX] = mark - base >> 1 & LOW_MASK  # of other texts it may be negative
        found += comes_again & ~mark
        groups[found & INDEX] = place
        found += comes_again
        marks[head] = mark | 1 if comes_again else base + 2 * place
    return found


def read_groups(count: int, longest: int, memory: Memory, scratch: Scratch) -> int:
    """Write the terms of groups, each a head and what follows it; return how many."""
    terms, rests, read = memory.terms, memory.rests, scratch.terms
    found = 0
    for group in range(count):
        nth_head = int(scratch.groups[group]) & INDEX
        head, rest = int(scratch.heads[nth_head]), int(rests[scratch.places[nth_head]]) & INDEX
        following = head >> SYMBOL_BITS
        read[found & INDEX] = head & SYMBOL_MASK
        found += 1
        for nth in range(longest - 1):
            read[found & INDEX] = terms[rest + nth]
            found += nth < following
    return found


def add_recalled(
    count: int,
    features: Features,
    base: int,
    memory: Memory,
    scratch: Scratch,
    log_odds: Any,
    first: int,
) -> None:
    """Add the share of the characters of ``count`` chunks to a row of the log-odds.

    Chunks are added up as if no term came twice. Those that did are then put right.
    """
    ngrams, width = features.character_ngrams, features.width
    idf, damping, sublinear = ngrams.idf, ngrams.damping, ngrams.sublinear
    counts, found, tfidf = scratch.character_counts, scratch.found, scratch.tfidf
    heads, squares = recall_heads(count, width, memory, scratch)
    groups = find_groups(heads, base, scratch)
    terms = read_groups(groups, ngrams.longest, memory, scratch)
    repeated = 0
    for place in range(terms):
        repeated = count_term(int(scratch.terms[place]), 2, base, counts, found, repeated)
    for place in range(repeated):
        term = int(found[place])
        times = counts[term] - base
        damped = damp(times, damping, sublinear)
        squares += (damped * damped - times) * idf[term] * idf[term]
        tfidf[place] = (damped - times) * idf[term]
    if squares > 0.0:
        scale = 1.0 / math.sqrt(squares)
        add_rows(scratch.numbers, scratch.ones, count, memory.sums, width, scale, log_odds, first)
        add_rows(found, tfidf, repeated, ngrams.weights, width, scale, log_odds, first)


def add_words(
    count: int, features: Features, base: int, scratch: Scratch, log_odds: Any, first: int
) -> None:
    """Add the share of ``count`` words, whose symbols are known."""
    ngrams, counts = features.word_ngrams, scratch.word_counts
    found = count_words(count, ngrams, base, scratch)
    add_found(ngrams, found, base, counts, scratch, features.width, log_odds, first)


def add_characters(
    length: int, features: Features, base: int, scratch: Scratch, log_odds: Any, first: int
) -> None:
    """Add the share of the characters of a text that is taken apart anew.

    Every term is counted, so that no rounding piles up.
    """
    ngrams, counts = features.character_ngrams, scratch.character_counts
    count = read_tokens(length, features.letters, BLANK, 0, 1, scratch)
    found = count_characters(count, features, base, scratch)
    add_found(ngrams, found, base, counts, scratch, features.width, log_odds, first)


def add_texts(
    buffer: Any,
    eights: Any,
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
        eights: By place in the buffer, the eight bytes there as a number, the first one lowest.
        starts: n places in it.
        ends: n places in it.
        features: What the model knows.
        memory: Chunks met so far; added to.
        scratch: Room to work in.
        log_odds: n rows of ``features.width``, added to.
        counts: n rows of ``COUNTS`` numbers, written: words, words that are terms, runs of
            letters, letters, Latin letters.
    """
    longest = features.character_ngrams.longest
    most = max(longest, features.word_ngrams.longest)
    for row in range(len(starts)):
        start, end, first = int(starts[row]), int(ends[row]), row * features.width
        base = int(memory.used[4])
        memory.used[4] = base + most * 6 * (end - start + 1)
        chunks = 0
        is_usual = end - start < MOST_BYTES
        if is_usual:
            chunks = split_text(buffer, start, end, features.letters.solid, scratch.edges)
            is_usual = chunks <= MOST_CHUNKS
        if is_usual:
            make_room(chunks, end - start, features, memory)
            is_usual = recall_chunks(chunks, buffer, eights, features, memory, scratch)
        length = 0
        if is_usual:
            words, kinds = recall_words(chunks, memory, scratch)
            runs, letters = kinds & KIND_MASK, kinds >> KIND_BITS & KIND_MASK
            latin, known = kinds >> 2 * KIND_BITS & KIND_MASK, kinds >> 3 * KIND_BITS
        else:
            length, words, known, runs, letters, latin = read_text(
                buffer, start, end, features, scratch
            )
        counts[row * COUNTS], counts[row * COUNTS + 1] = words, known
        counts[row * COUNTS + 2] = runs
        counts[row * COUNTS + 3], counts[row * COUNTS + 4] = letters, latin
        add_words(words, features, base, scratch, log_odds, first)
        if longest > 0:
            if is_usual:
                add_recalled(chunks, features, base, memory, scratch, log_odds, first)
            else:
                add_characters(length, features, base, scratch, log_odds, first)


def apply_sigmoid(values: Any) -> None:
    """Turn log-odds into probabilities, in place and without overflow."""
    for place in range(len(values)):
        value = values[place]
        if value >= 0.0:
            values[place] = 1.0 / (1.0 + math.exp(-value))
        else:
            power = math.exp(value)
            values[place] = power / (1.0 + power)


RARELY_CALLED = (
    decode_point,
    is_final_sigma,
    read_terms,
    short_number,
    count_characters,
    add_characters,
)
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
    count_characters,
    damp,
    add_rows,
    add_found,
    count_known,
    count_letters,
    read_text,
    split_text,
    short_number,
    same_bytes,
    mix_middle,
    find_chunk,
    make_room,
    keep_words,
    keep_terms,
    remember_chunk,
    recall_chunks,
    recall_words,
    recall_heads,
    find_groups,
    read_groups,
    add_recalled,
    add_words,
    add_characters,
    add_texts,
    apply_sigmoid,
)
"""All of them, callees before their callers."""
