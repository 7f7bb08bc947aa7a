"""``scorer.npz``: a scorer as arrays of numbers and UTF-8 bytes, written and read with care.

It holds topics, thresholds, intercepts, and per feature block its settings, vocabulary, idf,
coefficients and lookup tables. A file of format 1 has no lookup tables; they are then made
when it is read.
"""

from __future__ import annotations

import json
import math
import os
import tokenize
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from topicml.errors import ModelError
from topicml.scoring.engine import Engine, FeatureBlock
from topicml.scoring.lookup import Lookup, build_lookup, check_lookup
from topicml.scoring.scorer import Scorer

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from topicml.training.fit import Decision

Arrays = Mapping[str, NDArray[Any]]

LARGEST = 4_000_000_000
"""Bytes of a scorer file; beyond it is no model of sentences."""

_ANALYZERS = ("word", "char_wb")
_CERTAIN = 50.0  # log-odds, as in features.CERTAIN
_LONGEST_HEADER = 1_000  # bytes before the numbers of an array
_END_RECORD = 22  # bytes of a zip file's last record
_LONGEST_NGRAM = 100  # each beginning of a term takes a node
_REPAIR = "Restore the model folder from version control or train it again."
_TABLE = "block{}_{}"
_TYPES = {np.dtype(kind) for kind in ("uint8", "int32", "int64", "float64")}
_FORMS = {  # type and dimensions; those of lookup tables are checked with what is in them
    **dict.fromkeys(("topics", "settings", "vocabulary"), ("uint8", 1)),
    **dict.fromkeys(("thresholds", "relevance_threshold", "precisions"), ("float64", 1)),
    **dict.fromkeys(("intercepts", "idf"), ("float64", 1)),
    **dict.fromkeys(("precision_thresholds", "coefficients"), ("float64", 2)),
}


def export_scorer(
    pipeline: Pipeline, topics: Sequence[str], decision: Decision, path: Path
) -> None:
    """Write a fitted pipeline as ``scorer.npz``: the same bytes for the same pipeline.

    Args:
        pipeline: Fitted, with calibration folded in.
        topics: T topic ids, in column order.
        decision: Gives the thresholds.
        path: File to write.
    """
    coefficients, intercepts = _coefficients(pipeline.named_steps["classifier"])
    arrays: dict[str, NDArray[Any]] = {
        "topics": _to_bytes("\n".join(topics)),
        "thresholds": np.asarray(decision.thresholds, dtype=np.float64),
        "relevance_threshold": np.array([decision.relevance_threshold]),
        "precisions": np.array(decision.precisions),
        "precision_thresholds": decision.precision_thresholds,
        "intercepts": intercepts,
    }
    start = 0
    blocks = pipeline.named_steps["features"].transformer_list
    for number, (_, vectorizer) in enumerate(blocks):
        rows = coefficients[start : start + len(vectorizer.idf_)]
        for name, array in _block_arrays(vectorizer, rows).items():
            arrays[_TABLE.format(number, name)] = array
        start += len(rows)
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numbers and bytes: nothing to pickle


def _coefficients(classifier: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return m by T + 1 coefficients and T + 1 intercepts, relevance last."""
    relevance = classifier.relevance_
    estimators = [e for e in (*classifier.estimators_, relevance) if e is not None]
    coefficients = np.vstack([e.coef_[0] for e in estimators]).T
    intercepts = [e.intercept_[0] for e in estimators]
    if relevance is None:  # training saw no sentence without a topic: all are relevant
        coefficients = np.column_stack([coefficients, np.zeros(len(coefficients))])
        intercepts.append(_CERTAIN)
    return coefficients, np.array(intercepts)


def _block_arrays(vectorizer: Any, coefficients: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    terms = [str(term) for term in vectorizer.get_feature_names_out()]
    settings = {
        "analyzer": vectorizer.analyzer,
        "ngram_range": list(vectorizer.ngram_range),
        "lengths": _lengths(terms, vectorizer.analyzer),
        "sublinear_tf": bool(vectorizer.sublinear_tf),
    }
    return {
        "settings": _to_bytes(json.dumps(settings, sort_keys=True)),
        "vocabulary": _to_bytes("\n".join(terms)),
        "idf": vectorizer.idf_,
        "coefficients": np.ascontiguousarray(coefficients),
        **build_lookup(terms, vectorizer.analyzer)._asdict(),
    }


def _lengths(terms: Sequence[str], analyzer: str) -> list[int]:
    return sorted({term.count(" ") + 1 if analyzer == "word" else len(term) for term in terms})


def load_scorer(path: Path) -> Scorer:
    """Read ``scorer.npz``: never a pickle, never more memory than the file is long.

    Raises:
        ModelError: The file is missing, truncated, not made by ``export_scorer``, or its
            arrays do not fit together.
    """
    try:
        arrays = _read_arrays(path)
        _check_forms(arrays, path)
        blocks = tuple(_read_blocks(arrays))
        scorer = Scorer(
            topics=tuple(_to_text(arrays["topics"]).split("\n")),
            thresholds=arrays["thresholds"],
            relevance_threshold=float(arrays["relevance_threshold"][0]),
            precisions=tuple(arrays["precisions"].tolist()),
            precision_thresholds=arrays["precision_thresholds"],
            intercepts=arrays["intercepts"],
            blocks=blocks,
            engine=Engine(blocks, len(arrays["intercepts"])),
        )
    except FileNotFoundError as err:
        raise ModelError("file is missing", where=path, hint=_REPAIR) from err
    except _UNREADABLE as err:
        raise ModelError(f"not a readable scorer ({err})", where=path, hint=_REPAIR) from err
    _check_shapes(scorer, path)
    return scorer


_UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    EOFError,
    TypeError,
    OverflowError,  # infinity in settings
    NotImplementedError,  # a kind of compression
    RecursionError,  # in settings that nest deeply
    RuntimeError,  # an encrypted member
    SyntaxError,  # in the header of an array
    tokenize.TokenError,  # there, too
    zipfile.BadZipFile,
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


def _check_forms(arrays: Arrays, path: Path) -> None:
    for name, array in arrays.items():
        form = _FORMS.get(name) or _FORMS.get(name.partition("_")[2])
        if form and (array.dtype.name, array.ndim) != form:
            raise ModelError("arrays do not fit together", where=path, hint=_REPAIR)


def _read_blocks(arrays: Arrays) -> Iterator[FeatureBlock]:
    seen = set()
    number = 0
    while _TABLE.format(number, "settings") in arrays:
        block = {
            name.removeprefix(_TABLE.format(number, "")): array
            for name, array in arrays.items()
            if name.startswith(_TABLE.format(number, ""))
        }
        settings = json.loads(_to_text(block["settings"]))
        if settings["analyzer"] not in _ANALYZERS or settings["analyzer"] in seen:
            raise ValueError(f"unknown or second analyzer {settings['analyzer']!r}")
        seen.add(settings["analyzer"])
        yield _read_block(block, settings)
        number += 1


def _read_block(arrays: Arrays, settings: Mapping[str, Any]) -> FeatureBlock:
    analyzer = settings["analyzer"]
    shortest, longest = settings["ngram_range"]
    if not 1 <= int(shortest) <= int(longest) <= _LONGEST_NGRAM:
        raise ValueError(f"n-grams from {shortest} to {longest}")
    terms = None if "term_nodes" in arrays else _to_text(arrays["vocabulary"]).split("\n")
    lengths = settings["lengths"] if terms is None else _lengths(terms, analyzer)
    if not all(1 <= int(length) <= int(longest) for length in lengths):
        raise ValueError(f"terms of other lengths than from {shortest} to {longest}")
    if terms is None:
        lookup = Lookup(*(arrays[field] for field in Lookup._fields))
    else:
        lookup = build_lookup(terms, analyzer)
    check_lookup(lookup, len(arrays["idf"]))
    if (len(lookup.word_keys) > 0) != (analyzer == "word"):
        raise ValueError("lookup tables are those of another analyzer")
    return FeatureBlock(
        analyzer=analyzer,
        ngram_range=(int(shortest), int(longest)),
        lengths=tuple(int(length) for length in lengths),
        sublinear_tf=bool(settings["sublinear_tf"]),
        packed_vocabulary=arrays["vocabulary"],
        idf=arrays["idf"],
        coefficients=arrays["coefficients"],
        lookup=lookup,
    )


def _check_shapes(scorer: Scorer, path: Path) -> None:
    topics = len(scorer.topics)
    fits = (
        scorer.thresholds.shape == (topics,)
        and scorer.intercepts.shape == (topics + 1,)
        and scorer.precision_thresholds.shape == (topics, len(scorer.precisions))
        and len(scorer.blocks) > 0
        and all(
            block.idf.shape == (len(block.lookup.term_nodes),)
            and block.coefficients.shape == (len(block.idf), topics + 1)
            for block in scorer.blocks
        )
    )
    if not fits:
        raise ModelError("arrays do not fit together", where=path, hint=_REPAIR)


def check_vocabulary(scorer: Scorer, path: Path) -> None:
    """Make the lookup tables anew from the vocabulary and compare.

    Raises:
        ModelError: They are not those of the file: its terms are found by other names.
    """
    for block in scorer.blocks:
        if not _belongs(block):
            raise ModelError(
                f"lookup tables do not belong to the {block.analyzer} vocabulary",
                where=path,
                hint=_REPAIR,
            )


def _belongs(block: FeatureBlock) -> bool:
    """Whether a block's lookup tables are those of its vocabulary."""
    try:
        if _lengths(block.vocabulary, block.analyzer) != list(block.lengths):
            return False
        made = build_lookup(block.vocabulary, block.analyzer)
    except ValueError:  # no UTF-8, or no vocabulary that tables can be made of
        return False
    return all(
        np.array_equal(getattr(made, field), getattr(block.lookup, field))
        for field in Lookup._fields
    )


def _to_bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)


def _to_text(array: NDArray[np.uint8]) -> str:
    return array.tobytes().decode("utf-8")
