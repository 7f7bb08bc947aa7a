"""Parquet: read by row group and only the columns needed, turned into records in many processes."""

from __future__ import annotations

import base64
import datetime
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from topicml.errors import InputError, RecordError
from topicml.io.blocks import Block, Cutter, Item
from topicml.io.compression import Stream
from topicml.io.optional_dependencies import load
from topicml.io.readers.fields import check_columns, make_document, missing_field, repeated_field
from topicml.io.records import ALL, Fields, ReadOptions, Reject, make_reject
from topicml.io.remote import open_parts
from topicml.text.decoding import utf8_error
from topicml.text.document import Document

_BUFFER = 1 << 20
_MOST_ROWS = 8192


def _open(stream: Stream) -> Any:
    pyarrow = _arrow()
    if stream.is_read_once:
        raise InputError(
            "Parquet cannot be read from a pipe", where=stream.name, hint="Name the file itself."
        )
    if stream.compression:
        raise InputError(
            f"a Parquet file compressed with {stream.compression}",
            where=stream.name,
            hint="Decompress it; Parquet is compressed within.",
        )
    parquet = load("pyarrow.parquet", "batch", "reading Parquet")
    file = open_parts(stream.remote, _BUFFER) if stream.remote else stream.path
    try:
        return parquet.ParquetFile(file, memory_map=False, buffer_size=_BUFFER, pre_buffer=False)
    except (pyarrow.ArrowException, OSError) as err:
        raise InputError(
            f"not a Parquet file, or a damaged one ({err})",
            where=stream.name,
            hint="Write it anew, or name its format: --input-format",
        ) from err


def _arrow() -> Any:
    return load("pyarrow", "batch", "reading Parquet")


def cut_row_groups(stream: Stream, options: ReadOptions, block_bytes: int) -> Cutter:
    """Cut a file into batches of rows, about so many bytes each, as Arrow streams.

    Raises:
        InputError: There is no column with the text's name, it is there twice or holds no text,
            or this is not a Parquet file.
    """
    with _open(stream) as file:
        schema = file.schema_arrow
        fields = options.fields
        for name in fields.read:
            if schema.names.count(name) > 1:
                raise repeated_field(stream.name, name)
        types = {name: field_type(schema, name) for name in fields.read}
        names = [*_paths(schema)]
        if all(types[text] is None for text in fields.texts):
            guess = _largest_text_column(file)
            raise missing_field(stream.name, fields.texts[0], names, guess)
        for text in fields.texts:
            _check_holds_text(text, types[text], stream.name)
    cutter = _RowCutter(stream, options, block_bytes)
    there = [name for name in fields.read if types[name] is not None]
    cutter.fields = tuple(names)
    cutter.lacking = check_columns(stream.name, [*there, *names], fields)
    return cutter


def _check_holds_text(name: str, kind: Any, where: str) -> None:
    if kind is not None and not holds_text(kind) and str(kind) != "null":
        raise InputError(
            f"column {name!r} holds {kind}, not text",
            where=where,
            hint="Name the one with the text: --text-field",
        )


def field_type(container: Any, path: str) -> Any:
    """Return the type of a field of a schema or struct type, or of one inside; None for none."""
    index = container.get_field_index(path)
    if index >= 0:
        return container.field(index).type
    name, dot, rest = path.partition(".")
    index = container.get_field_index(name) if dot else -1
    inner = container.field(index).type if index >= 0 else None
    return field_type(inner, rest) if inner is not None and _is_struct(inner) else None


def _is_struct(kind: Any) -> bool:
    return bool(_arrow().types.is_struct(kind))


def _paths(container: Any, before: str = "") -> Iterator[str]:
    """Yield the names of fields, and of those inside of others behind them."""
    for field in container:
        yield before + field.name
        if _is_struct(field.type):
            yield from _paths(field.type, f"{before}{field.name}.")


class _RowCutter(Cutter):
    def __init__(self, stream: Stream, options: ReadOptions, block_bytes: int) -> None:
        super().__init__(stream)
        self._fields = options.fields
        self._block_bytes = block_bytes

    def _cut(self) -> Iterator[Item | Reject]:
        remote = self._stream.remote
        total = remote.size or 0 if remote else Path(self._stream.path or "").stat().st_size
        with _open(self._stream) as file:
            columns = columns_to_read(file.schema_arrow, self._fields)
            rows = file.metadata.num_rows
            for group in range(file.num_row_groups):
                for item in self._cut_group(file, group, columns):
                    # by rows: what is read of the file itself is not told
                    self._stream.consumed = total * min(self._number - 1, rows) // rows
                    yield item

    def _cut_group(self, file: Any, group: int, columns: list[str]) -> Iterator[Item | Reject]:
        sizes = file.metadata.row_group(group)
        end = self._number + sizes.num_rows
        batches = file.iter_batches(
            batch_size=_batch_rows(sizes, columns, self._block_bytes),
            row_groups=[group],
            columns=columns,
            use_threads=False,
        )
        try:
            for batch in batches:
                for piece in _slices(batch, self._block_bytes):
                    data = _serialise(piece)
                    item = Item(self._stream.name, self._number, None, data, is_several=True)
                    self._number += piece.num_rows
                    yield item
        except (_arrow().ArrowException, OSError) as err:
            detail = f"rows {self._number} to {end - 1} cannot be read ({err})"
            reject = self._reject(RecordError("damaged_input", detail), b"", None)
            self._number = end
            yield reject


def _batch_rows(group: Any, columns: list[str], block_bytes: int) -> int:
    """Return how many rows make about so many bytes, by what the file says of itself."""
    sizes = (group.column(index) for index in range(group.num_columns))
    needed = sum(
        column.total_uncompressed_size
        for column in sizes
        if column.path_in_schema.partition(".")[0] in columns or column.path_in_schema in columns
    )
    row: int = max(needed // max(group.num_rows, 1), 1)
    return max(1, min(block_bytes // row, _MOST_ROWS))


def _slices(batch: Any, block_bytes: int) -> Iterator[Any]:
    """Cut a batch that is larger than the file's figures say (repeated values are stored once)."""
    pieces = min(max(batch.nbytes // (2 * block_bytes), 1), max(batch.num_rows, 1))
    rows = math.ceil(batch.num_rows / pieces)
    for start in range(0, batch.num_rows, max(rows, 1)):
        yield batch.slice(start, rows)


def _serialise(batch: Any) -> bytes:
    pyarrow = _arrow()
    is_dictionary = pyarrow.types.is_dictionary
    arrays = [c.dictionary_decode() if is_dictionary(c.type) else c for c in batch.columns]
    plain = pyarrow.RecordBatch.from_arrays(arrays, names=batch.schema.names)
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, plain.schema) as writer:
        writer.write_batch(plain)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def parse_batch(item: Item, _block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield a document or a reject for each row of an Arrow stream."""
    with _arrow().ipc.open_stream(item.raw) as reader:
        batch = reader.read_next_batch()
    return parse_rows(batch, options, item.source, item.number)


def parse_rows(
    batch: Any, options: ReadOptions, source: str = "", first: int = 1
) -> Iterator[Document | Reject]:
    """Yield a document or a reject for each row of a ``pyarrow.RecordBatch``.

    Args:
        batch: With the columns of the options' fields.
        options: How it is read.
        source: File that it is from.
        first: Number of its first row there.
    """
    texts = options.fields.texts
    selected = select_columns(batch, options.fields)
    names = selected.schema.names
    columns = [column_values(column) for column in selected.columns]
    for number, row in enumerate(zip(*columns, strict=True), start=first):
        if not options.takes(source, number):
            continue
        values = dict(zip(names, row, strict=True))
        try:
            for name in texts:
                text = values.get(name)
                if isinstance(text, bytes) and (error := utf8_error(text)):
                    raise error
            document = make_document(values, options, source, number, "utf-8")
        except RecordError as err:
            yield make_reject(source, number, err, _raw(values, texts))
        else:
            kept = {name: plain_value(value) for name, value in document.kept.items()}
            document.kept.update(kept)
            yield document


def _raw(values: dict[str, Any], texts: tuple[str, ...]) -> bytes:
    text = values.get(texts[0])
    if len(texts) == 1 and isinstance(text, bytes):
        return text
    is_text = len(texts) == 1 and isinstance(text, str)
    return (str(text) if is_text else json.dumps(values, default=str)).encode("utf-8")


def columns_to_read(schema: Any, fields: Fields) -> list[str]:
    """Return the names of the columns that are read; of those inside others, the paths."""
    names = schema.names if ALL in fields.keep else ()
    there = (name for name in fields.read if field_type(schema, name) is not None)
    return [*dict.fromkeys([*names, *there])]


def select_columns(batch: Any, fields: Fields) -> Any:
    """Return a ``pyarrow.RecordBatch`` of the columns that are read, each named as it is asked."""
    names = columns_to_read(batch.schema, fields)
    arrays = [_column_at(batch, name) for name in names]
    return _arrow().RecordBatch.from_arrays(arrays, names=names)


def _column_at(batch: Any, path: str) -> Any:
    """Return a column, or one inside another, that is there; see ``field_type``."""
    if (index := batch.schema.get_field_index(path)) >= 0:
        return batch.column(index)
    name, _, rest = path.partition(".")
    compute = load("pyarrow.compute", "batch", "reading Parquet")
    column = batch.column(batch.schema.get_field_index(name))
    while (index := column.type.get_field_index(rest)) < 0:
        name, _, rest = rest.partition(".")
        column = compute.struct_field(column, [column.type.get_field_index(name)])
    return compute.struct_field(column, [index])


def column_values(column: Any) -> list[Any]:
    """Return a column's values; of text, those that are not UTF-8 as bytes."""
    pyarrow = _arrow()
    kind = column.type
    if holds_text(kind):
        # as bytes, so that one bad value does not cost the column
        return [_text(value) for value in column.cast(pyarrow.large_binary()).to_pylist()]
    if pyarrow.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pyarrow.timestamp("us", kind.tz), safe=False)
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError, KeyError, pyarrow.ArrowException):
        # what Python has no value for, such as a date before the year 1
        values = [str(value) if value.is_valid else None for value in column]
    return values


def _text(value: bytes | None) -> str | bytes | None:
    try:
        return value if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return value


def plain_value(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        text = _text(value)
        return text if isinstance(text, str) else base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    return str(value)


def holds_text(kind: Any) -> bool:
    """Whether a type of Arrow is text: strings or bytes, in place or in a dictionary."""
    types = _arrow().types
    if types.is_dictionary(kind):
        kind = kind.value_type
    checks = (
        *(types.is_string, types.is_large_string, types.is_string_view),
        *(types.is_binary, types.is_large_binary, types.is_binary_view),
    )
    return any(check(kind) for check in checks)


def _largest_text_column(file: Any) -> str | None:
    """Return the name of the text column that takes most room in the file."""
    texts = {field.name for field in file.schema_arrow if holds_text(field.type)}
    sizes: dict[str, int] = {}
    for group in range(min(file.num_row_groups, 1)):
        columns = file.metadata.row_group(group)
        for index in range(columns.num_columns):
            column = columns.column(index)
            if column.path_in_schema in texts:
                sizes[column.path_in_schema] = column.total_uncompressed_size
    return max(sizes, key=sizes.__getitem__, default=None)
