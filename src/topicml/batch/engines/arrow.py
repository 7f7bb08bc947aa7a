"""Arrow tables tagged in the process that has them: what any engine can call, from Spark to Dask.

An engine hands over a part of its table and takes one back. Nothing else is asked of it: the
model is opened here, once in each process.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from topicml.batch.limits import tag_items
from topicml.batch.opened import open_proven
from topicml.errors import InputError, did_you_mean
from topicml.io.optional_dependencies import load
from topicml.io.readers.fields import own_id
from topicml.io.readers.parquet import (
    column_values,
    field_type,
    holds_text,
    parse_rows,
    plain_value,
    select_columns,
)
from topicml.io.records import ALL, Fields, ReadOptions, Reject
from topicml.io.writers.output import Output
from topicml.io.writers.parquet import arrow_schema, records_to_arrow
from topicml.models.store import default_store
from topicml.tagging.articles import FIELDS, Detail, TaggedArticle
from topicml.tagging.tagger import Tagger

if TYPE_CHECKING:
    import pyarrow

    Tabular = TypeVar("Tabular", pyarrow.RecordBatch, pyarrow.Table)

ERROR = "error"
"""Column that says why a row has no tags; null where it has."""

SLICE_BYTES = 2_000_000
"""Bytes of text that are worked on at a time, whatever a batch holds."""

SLICE_ROWS = 8192
"""The most rows that are worked on at a time."""

_OPENING = threading.Lock()


def tag_batch(
    batch: Tabular,
    *,
    model: str | None = None,
    fields: Fields | None = None,
    detail: Detail = "sentence",
) -> Tabular:
    """Tag the rows of an Arrow record batch, or table.

    The first call in a process opens the model and loads the compiled kernel, which takes a
    second or two; the calls after it do not. Memory grows with what comes out for the batch,
    not with what tagging it takes: that is done in slices of ``SLICE_BYTES``. Any thread may
    call this.

    Args:
        batch: With a column of texts and one of ids. Text is ``string``, ``large_string``,
            ``string_view`` or binary in UTF-8, also dictionary-encoded; an id is text or a whole
            number.
        model: ``name``, ``name@version`` or a folder; the default model for None.
        fields: Which columns are what; None for ``text`` and ``id``.
        detail: How much is said: ``article``, ``sentence`` or ``probabilities``.

    Returns:
        One row for each row, in order, of the columns of ``tag_schema``. A row that cannot be
        tagged has nulls for topics, and in ``error`` the reason and what exactly is wrong.

    Raises:
        InputError: A column is missing, is there twice, or cannot be kept under its name.
        ModelError: No such model, or it is damaged.
        MissingExtraError: pyarrow is not installed.
    """
    pa = load("pyarrow", "batch", "tagging Arrow tables")
    columns: Fields = fields or Fields()
    _check_columns(batch.schema, columns)
    schema = tag_schema(fields=columns, detail=detail)
    with _OPENING:  # threads that come at the same time wait for the first
        worker = _make_worker(model, detail)
    is_table = isinstance(batch, pa.Table)
    done = [
        worker.tag(piece, columns, schema) for piece in _slices(batch, columns, is_table=is_table)
    ]
    tagged: Tabular = pa.Table.from_batches(done, schema) if is_table else _join(done, schema)
    return tagged


def tag_schema(*, fields: Fields | None = None, detail: Detail = "sentence") -> pyarrow.Schema:
    """Return the columns that ``tag_batch`` gives, for engines that want to know beforehand.

    Args:
        fields: As for ``tag_batch``.
        detail: As for ``tag_batch``.
    """
    pa = load("pyarrow", "batch", "tagging Arrow tables")
    schema = arrow_schema(_output(fields or Fields(), detail))
    columns = [field.with_nullable(True) for field in schema]
    return pa.schema([*columns, pa.field(ERROR, pa.string())])


def _output(fields: Fields, detail: Detail) -> Output:
    if ALL in fields.keep:
        raise InputError(f"{ALL!r} keeps no columns here", hint="Name each that is to be kept.")
    return Output("parquet", "none", detail, (), fields.keep)


def _check_columns(schema: Any, fields: Fields) -> None:
    names = schema.names
    for name in fields.read:
        if names.count(name) > 1:
            raise InputError(f"several columns {name!r}", hint="Give each a name of its own.")
        if field_type(schema, name) is None and name != Fields().title:
            raise InputError(
                f"no column {name!r}",
                hint=f"{did_you_mean(name, names)}Found: {', '.join(sorted(names)) or 'none'}. "
                "Name the columns with fields=Fields(text=..., id=...).",
            )
    clash = sorted({*fields.keep} & {*FIELDS, ERROR})
    if clash:
        raise InputError(
            f"column {clash[0]!r} cannot be kept: the output has a column of that name",
            hint="Rename it beforehand.",
        )


@functools.cache
def _make_worker(model: str | None, detail: Detail) -> _Worker:
    # proven on every machine that takes part, whatever it is made of
    path = default_store().find(None if model is None else str(model))
    return _Worker(path, detail)


class _Worker:
    """Tags slices with one model, in one detail."""

    def __init__(self, path: Path, detail: Detail) -> None:
        model = open_proven(path, "compiled")
        self._reference = model.reference
        self._tagger = Tagger(model.scorer, model.reference)
        self._detail = detail

    def tag(self, piece: Any, fields: Fields, schema: Any) -> Any:
        """Return a record batch of the schema, with a row for each of the piece's."""
        items = parse_rows(piece, ReadOptions(fields), "", 1)
        names = (fields.id, *fields.keep)
        columns = [column_values(piece.column(name)) for name in names]
        outcomes = tag_items(self._tagger, items)
        rows = [
            self._row(outcome, dict(zip(names, values, strict=True)), fields)
            for outcome, *values in zip(outcomes, *columns, strict=True)
        ]
        return _to_arrow(rows, _output(fields, self._detail), schema)

    def _row(
        self, outcome: TaggedArticle | Reject, values: dict[str, Any], fields: Fields
    ) -> dict[str, Any]:
        row = {
            "id": own_id(values, fields),
            "model": self._reference,
            ERROR: None,
            **{name: plain_value(values[name]) for name in fields.keep},
        }
        if isinstance(outcome, Reject):
            return {**row, ERROR: f"{outcome.reason}: {outcome.detail}"}
        record = outcome.to_dict(self._detail)
        return {**row, **{name: record[name] for name in FIELDS[2:] if name in record}}


def _to_arrow(rows: list[dict[str, Any]], output: Output, schema: Any) -> Any:
    pa = load("pyarrow", "batch", "tagging Arrow tables")
    errors = pa.array([row.pop(ERROR) for row in rows], pa.string())
    columns = records_to_arrow(rows, output).columns
    return pa.RecordBatch.from_arrays([*columns, errors], schema=schema)


def _join(batches: list[Any], schema: Any) -> Any:
    pa = load("pyarrow", "batch", "tagging Arrow tables")
    if not batches:
        return pa.RecordBatch.from_pylist([], schema=schema)
    columns = zip(*(batch.columns for batch in batches), strict=True)
    return pa.RecordBatch.from_arrays([pa.concat_arrays(c) for c in columns], schema=schema)


def _slices(given: Any, fields: Fields, *, is_table: bool = False) -> Iterator[Any]:
    """Cut what is needed of a batch, or table, into slices of about so many bytes of text."""
    for whole in given.to_batches() if is_table else [given]:
        yield from _cut(select_columns(whole, fields), fields)


def _cut(batch: Any, fields: Fields) -> Iterator[Any]:
    sizes = sum(_lengths(batch.column(name)) for name in fields.texts)
    ends = np.cumsum(sizes)
    start = 0
    while start < batch.num_rows:
        before = ends[start - 1] if start else 0
        end = int(np.searchsorted(ends, before + SLICE_BYTES, side="right"))
        end = min(max(end, start + 1), start + SLICE_ROWS, batch.num_rows)
        yield batch.slice(start, end - start)
        start = end


def _lengths(column: Any) -> Any:
    """Return the bytes of each value of a column of texts; 0 where it holds something else."""
    pa = load("pyarrow", "batch", "tagging Arrow tables")
    compute = load("pyarrow.compute", "batch", "tagging Arrow tables")
    if pa.types.is_dictionary(column.type):
        sizes = _lengths(column.dictionary)
        places = column.indices.fill_null(0).to_numpy(zero_copy_only=False)
        return sizes[places] if len(sizes) else np.zeros(len(column), dtype=np.int64)
    if not holds_text(column.type):
        return np.zeros(len(column), dtype=np.int64)
    lengths = compute.binary_length(column.cast(pa.large_binary())).fill_null(0)
    return lengths.to_numpy(zero_copy_only=False)
