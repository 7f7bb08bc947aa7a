"""``scorer.npz``: a scorer as arrays of numbers and UTF-8 bytes, written and read with care.

It holds topics, thresholds, intercepts, the scheme, and per feature block its settings, vocabulary,
idf and coefficients. Files that also have lookup tables, as those of format 2 do, are read without
them; those without a scheme, as before format 5, are of the only one that there was, and older ones
have no ``fewest_known``, which is then 0.4.
"""

from __future__ import annotations

import json
import math
import os
import tokenize
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from topicml.errors import ModelError
from topicml.scheme import DEFAULT_SCHEME, KINDS, Scheme, is_language
from topicml.scoring.backends import Backends
from topicml.scoring.features import FeatureBlock
from topicml.scoring.scorer import FEWEST_KNOWN, Scorer

Arrays = Mapping[str, NDArray[Any]]

LARGEST = 4_000_000_000
"""Bytes of a scorer file; beyond it is no model of sentences."""

_ANALYZERS = ("word", "char_wb")
_LONGEST_HEADER = 1_000  # bytes before the numbers of an array
_END_RECORD = 22  # bytes of a zip file's last record
_LONGEST_NGRAM = 100  # each beginning of a term takes a state of a trie
_MOST_STATES = 1 << 24  # of a trie, see kernel.ID_BITS
_MISFIT = "arrays do not fit together"
_REPAIR = "Restore the model folder from version control or train it again."
_BLOCK = "block{}_"
_FEWEST_KNOWN = np.array([FEWEST_KNOWN])
_TYPES = {np.dtype(kind) for kind in ("uint8", "int32", "int64", "float64")}
_FORMS = {  # type and dimensions
    **dict.fromkeys(("topics", "scheme", "settings", "vocabulary"), ("uint8", 1)),
    **dict.fromkeys(("thresholds", "relevance_threshold", "precisions"), ("float64", 1)),
    "fewest_known": ("float64", 1),
    **dict.fromkeys(("intercepts", "idf"), ("float64", 1)),
    **dict.fromkeys(("precision_thresholds", "coefficients"), ("float64", 2)),
}


def save_scorer(scorer: Scorer, path: Path) -> None:
    """Write ``scorer.npz``: the same bytes for the same scorer."""
    arrays: dict[str, NDArray[Any]] = {
        "topics": _to_bytes("\n".join(scorer.topics)),
        "thresholds": scorer.thresholds,
        "relevance_threshold": np.array([scorer.relevance_threshold]),
        "fewest_known": np.array([scorer.fewest_known]),
        "precisions": np.array(scorer.precisions),
        "precision_thresholds": scorer.precision_thresholds,
        "intercepts": scorer.intercepts,
        "scheme": _to_bytes(json.dumps(asdict(scorer.scheme), sort_keys=True)),
    }
    for number, block in enumerate(scorer.blocks):
        for name, array in _block_arrays(block).items():
            arrays[_BLOCK.format(number) + name] = array
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numbers and bytes: nothing to pickle


def _block_arrays(block: FeatureBlock) -> dict[str, NDArray[Any]]:
    settings = {
        "analyzer": block.analyzer,
        "ngram_range": list(block.ngram_range),
        "sublinear_tf": block.sublinear_tf,
    }
    return {
        "settings": _to_bytes(json.dumps(settings, sort_keys=True)),
        "vocabulary": _to_bytes("\n".join(block.vocabulary)),
        "idf": block.idf,
        "coefficients": block.coefficients,
    }


def load_scorer(path: Path) -> Scorer:
    """Read ``scorer.npz``: never a pickle, in memory of a few times its length.

    Raises:
        ModelError: The file is missing, truncated, not made by ``save_scorer``, or its
            arrays do not fit together.
    """
    try:
        return _make_scorer(_read_arrays(path))
    except FileNotFoundError as err:
        raise ModelError("file is missing", where=path, hint=_REPAIR) from err
    except _UNREADABLE as err:
        raise ModelError(f"not a readable scorer ({err})", where=path, hint=_REPAIR) from err


_UNREADABLE = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, zipfile.BadZipFile),
    OverflowError,  # infinity in settings
    RuntimeError,  # an encrypted member, a kind of compression, settings that nest deeply
    *(SyntaxError, tokenize.TokenError),  # in the header of an array
)


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays of the file, after a look at what they claim to be.

    Only what ``numpy.savez`` writes is taken: uncompressed members, so that none is larger
    than the file, of plain numbers.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise ValueError(f"{size:,} bytes are more than the {LARGEST:,} of any model")
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) != _members_counted(path):
            raise ValueError("members are lost from the file's directory")
        if sum(member.file_size for member in members) > size:
            raise ValueError("members are together longer than the file")
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"member {member.filename[:80]!r} is compressed")
            with archive.open(member) as file:
                arrays[member.filename.removesuffix(".npy")] = _read_array(file, member.file_size)
    if len(arrays) != len(members):
        raise ValueError("two members have the same name")
    return arrays


def _members_counted(path: Path) -> int:
    """Return how many members a zip file without a comment says that it has."""
    with path.open("rb") as file:
        file.seek(-_END_RECORD, os.SEEK_END)
        return int.from_bytes(file.read()[10:12], "little")


def _read_array(file: IO[bytes], size: int) -> NDArray[Any]:
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"array format {version}, expected (1, 0)")
    header = np.lib.format.read_array_header_1_0(file, max_header_size=_LONGEST_HEADER)
    shape, is_fortran, dtype = header
    if dtype not in _TYPES or is_fortran or len(shape) > 2:
        raise ValueError(f"an array of {dtype} and shape {shape} has no place in a scorer")
    length = math.prod(shape) * dtype.itemsize
    if length > size:
        raise ValueError(f"an array of shape {shape} is longer than its {size} bytes")
    data = file.read(length + 1)  # reads on, so that the checksum is checked
    if len(data) != length:
        raise ValueError(f"an array of shape {shape} is not {len(data)} bytes long")
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def _make_scorer(arrays: Arrays) -> Scorer:
    for name, array in arrays.items():
        form = _FORMS.get(name) or _FORMS.get(name.partition("_")[2])
        if form and (array.dtype.name, array.ndim) != form:
            raise ValueError(_MISFIT)
    blocks = tuple(_read_blocks(arrays))
    topics = tuple(_to_text(arrays["topics"]).split("\n"))
    precisions = tuple(arrays["precisions"].tolist())
    fits = (
        arrays["thresholds"].shape == (len(topics),)
        and arrays["intercepts"].shape == (len(topics) + 1,)
        and arrays["precision_thresholds"].shape == (len(topics), len(precisions))
        and len(blocks) > 0
        and all(block.idf.shape == (len(block.vocabulary),) for block in blocks)
        and all(b.coefficients.shape == (len(b.idf), len(topics) + 1) for b in blocks)
    )
    if not fits:
        raise ValueError(_MISFIT)
    return Scorer(
        topics=topics,
        thresholds=arrays["thresholds"],
        relevance_threshold=float(arrays["relevance_threshold"][0]),
        precisions=precisions,
        precision_thresholds=arrays["precision_thresholds"],
        intercepts=arrays["intercepts"],
        blocks=blocks,
        backends=Backends(blocks),
        fewest_known=float(arrays.get("fewest_known", _FEWEST_KNOWN)[0]),
        scheme=_read_scheme(arrays),
    )


def _read_scheme(arrays: Arrays) -> Scheme:
    if "scheme" not in arrays:
        return DEFAULT_SCHEME
    scheme = Scheme(**json.loads(_to_text(arrays["scheme"])))
    if scheme.kind not in KINDS or not is_language(scheme.language):
        raise ValueError(f"unknown {scheme}")
    return scheme


def _read_blocks(arrays: Arrays) -> Iterator[FeatureBlock]:
    seen = set()
    number = 0
    while (prefix := _BLOCK.format(number)) + "settings" in arrays:
        block = _read_block({k.removeprefix(prefix): v for k, v in arrays.items() if prefix in k})
        if block.analyzer not in _ANALYZERS or block.analyzer in seen:
            raise ValueError(f"unknown or second analyzer {block.analyzer!r}")
        _check_terms(block)
        seen.add(block.analyzer)
        yield block
        number += 1


def _read_block(arrays: Arrays) -> FeatureBlock:
    settings = json.loads(_to_text(arrays["settings"]))
    shortest, longest = settings["ngram_range"]
    terms = _to_text(arrays["vocabulary"]).split("\n")
    return FeatureBlock(
        analyzer=str(settings["analyzer"]),
        ngram_range=(int(shortest), int(longest)),
        sublinear_tf=bool(settings["sublinear_tf"]),
        vocabulary=dict(zip(terms, range(len(terms)), strict=True)),
        idf=arrays["idf"],
        coefficients=arrays["coefficients"],
    )


def _check_terms(block: FeatureBlock) -> None:
    """Make sure that the vocabulary can be scored by, in memory as large as the file."""
    shortest, longest = block.ngram_range
    if not 1 <= shortest <= longest <= _LONGEST_NGRAM:
        raise ValueError(f"n-grams from {shortest} to {longest}")
    lengths = block.term_lengths()
    is_short = min(lengths) < shortest and any(
        length < shortest and not _is_whole_token(block, term)
        for term, length in zip(block.vocabulary, lengths, strict=True)
    )
    if is_short or "" in block.vocabulary or max(lengths) > longest:
        raise ValueError(f"terms of other lengths than from {shortest} to {longest}")
    if 2 * sum(map(len, block.vocabulary)) >= _MOST_STATES:
        raise ValueError(f"more than {_MOST_STATES:,} beginnings of terms")
    if not (np.isfinite(block.idf) & (block.idf > 0)).all():
        raise ValueError("an inverse document frequency is not above zero")


def _is_whole_token(block: FeatureBlock, term: str) -> bool:
    return block.analyzer == "char_wb" and term.startswith(" ") and term.endswith(" ")


def _to_bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)


def _to_text(array: NDArray[np.uint8]) -> str:
    return array.tobytes().decode("utf-8")
