import io
import json
import os
import pickle
import tracemalloc
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st
from scorers import (
    SEA_DECISION,
    SEA_LABELS,
    SEA_TEXTS,
    SEA_TOPICS,
    expected_scores,
    two_backends,
    write_sea_scorer,
)

from topicml.errors import ModelError
from topicml.models.estimator import load_estimator
from topicml.models.folder import SCORER, open_model
from topicml.models.store import ModelStore
from topicml.scheme import Scheme
from topicml.scoring import scorer_file
from topicml.scoring.scorer_file import LARGEST, load_scorer, save_scorer
from topicml.training.export import export_scorer
from topicml.training.features import Parameters, make_pipeline

ASKED = [*SEA_TEXTS, "a", "", "the fleet the fleet sails bread"]
UNREADABLE = "not a readable scorer"
Members = dict[str, bytes]


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sea") / SCORER
    write_sea_scorer(path)
    return path


@pytest.fixture(scope="module")
def arrays(sea: Path) -> dict[str, Any]:
    with np.load(sea) as found:
        return {name: found[name] for name in found.files}


@pytest.fixture(scope="module")
def members(sea: Path) -> Members:
    with zipfile.ZipFile(sea) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def assert_pipeline(path: Path, pipeline: Any, texts: list[str] = ASKED) -> None:
    scorer = load_scorer(path)
    found = scorer.score_texts(texts)
    probabilities, relevance = expected_scores(pipeline, texts)
    np.testing.assert_allclose(found.probabilities, probabilities, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.relevance, relevance, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scorer.predict_proba(texts), found.probabilities)


@pytest.mark.parametrize(
    "parameters",
    [
        Parameters(word_ngrams=(1, 1), char_ngrams=None, sublinear_tf=False, C=1.0),
        Parameters(word_ngrams=(2, 3), char_ngrams=(1, 4)),
        Parameters(char_ngrams=(5, 5), nb_mixing=0.5, min_df=2),
    ],
    ids=["defaults", "long", "naive-bayes"],
)
def test_every_kind_of_features_survives_the_export(tmp_path: Path, parameters: Parameters) -> None:
    pipeline = write_sea_scorer(tmp_path / SCORER, parameters)
    scorer = load_scorer(tmp_path / SCORER)
    assert scorer.topics == ("sea", "food")
    assert scorer.thresholds.tolist() == [0.4, 0.6]
    assert scorer.relevance_threshold == 0.35
    assert scorer.precisions == (0.5, 0.75, 0.9)
    np.testing.assert_array_equal(scorer.precision_thresholds, SEA_DECISION.precision_thresholds)
    assert_pipeline(tmp_path / SCORER, pipeline)
    assert np.ptp(scorer.score_texts(ASKED).relevance) > 0.01
    for block, (_, vectorizer) in zip(
        scorer.blocks, pipeline["features"].transformer_list, strict=True
    ):
        assert list(block.vocabulary) == vectorizer.get_feature_names_out().tolist()
        assert list(block.vocabulary.values()) == list(range(len(block.idf)))


def test_model_that_saw_only_relevant_sentences_finds_all_relevant(tmp_path: Path) -> None:
    rows = SEA_LABELS.any(axis=1)
    texts = [text for text, kept in zip(SEA_TEXTS, rows, strict=True) if kept]
    pipeline = make_pipeline(Parameters()).fit(texts, SEA_LABELS[rows])
    export_scorer(pipeline, SEA_TOPICS, SEA_DECISION, tmp_path / SCORER)
    assert_pipeline(tmp_path / SCORER, pipeline, [*SEA_TEXTS, ""])
    assert load_scorer(tmp_path / SCORER).score_texts(SEA_TEXTS).relevance.min() > 1 - 1e-9


def test_one_topic_survives_the_export(tmp_path: Path) -> None:
    pipeline = make_pipeline(Parameters()).fit(SEA_TEXTS, SEA_LABELS[:, :1])
    table = np.array([[0.1, 0.2, np.nan]])
    decision = replace(SEA_DECISION, thresholds=np.array([0.4]), precision_thresholds=table)
    export_scorer(pipeline, ["sea"], decision, tmp_path / SCORER)
    assert_pipeline(tmp_path / SCORER, pipeline)
    assert load_scorer(tmp_path / SCORER).predict_proba(SEA_TEXTS).shape == (6, 1)


def test_same_pipeline_gives_the_same_bytes(tmp_path: Path) -> None:
    write_sea_scorer(tmp_path / "one.npz")
    write_sea_scorer(tmp_path / "other.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_scorer_file_holds_no_objects(tiny: Tiny) -> None:
    with np.load(tiny.folder / SCORER, allow_pickle=False) as arrays:
        kinds = {arrays[name].dtype.kind for name in arrays.files}
    assert kinds <= {"f", "u", "i"}


def test_what_is_loaded_is_saved_as_the_same_bytes(sea: Path, tmp_path: Path) -> None:
    save_scorer(load_scorer(sea), tmp_path / SCORER)
    assert (tmp_path / SCORER).read_bytes() == sea.read_bytes()


def with_tables(arrays: dict[str, Any]) -> dict[str, Any]:
    """The same scorer as format 2 had it: with lookup tables beside the vocabularies."""
    tables = {
        "word_keys": np.arange(9),
        "step_keys": np.array([-1, 1 << 40]),
        **dict.fromkeys(("symbols", "letters", "step_nodes"), np.array([-1, 7], dtype=np.int32)),
        "term_nodes": np.array([2**31 - 1], dtype=np.int32),
    }
    older = {f"block{n}_{name}": table for n in (0, 1) for name, table in tables.items()}
    for number in (0, 1):
        settings = json.loads(arrays[f"block{number}_settings"].tobytes())
        older[f"block{number}_settings"] = as_bytes(json.dumps({**settings, "lengths": [1]}))
    return {**arrays, **older}


def test_lookup_tables_of_format_2_are_passed_over(
    tmp_path: Path, arrays: dict[str, Any], sea: Path
) -> None:
    scorer = load_scorer(rewrite(tmp_path / SCORER, with_tables(arrays)))
    expected = load_scorer(sea)
    np.testing.assert_array_equal(scorer.predict_proba(ASKED), expected.predict_proba(ASKED))
    save_scorer(scorer, tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == sea.read_bytes()


def test_scheme_is_saved_with_the_scorer(sea: Path, tmp_path: Path) -> None:
    scheme = Scheme("multiclass", "pt-BR")
    save_scorer(replace(load_scorer(sea), scheme=scheme), tmp_path / SCORER)
    assert load_scorer(tmp_path / SCORER).scheme == scheme


def test_scorer_of_before_schemes_were_told_apart_is_of_the_only_one(
    tmp_path: Path, arrays: dict[str, Any]
) -> None:
    older = {name: array for name, array in arrays.items() if name != "scheme"}
    assert load_scorer(rewrite(tmp_path / SCORER, older)).scheme == Scheme("multilabel", "en")


@pytest.mark.parametrize(
    "scheme",
    [
        *("", "[]", "{", '{"kind": "forest", "language": "en"}', '{"kind": [], "language": "en"}'),
        *('{"language": "\\n"}', '{"kind": "multiclass", "size": 1}', '{"language": 1}'),
    ],
)
def test_unknown_scheme_is_refused(tmp_path: Path, arrays: dict[str, Any], scheme: str) -> None:
    assert_refused(rewrite(tmp_path / "scorer.npz", arrays, scheme=as_bytes(scheme)))


def test_committed_file_of_format_1_scores_as_its_pipeline(root: Path) -> None:
    folder = ModelStore(root / "models").find("alliance-topics@1.0.0")
    lines = (root / "data/labels/authored.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines[::100]]
    assert len(texts) > 50
    pipeline = load_estimator(open_model(folder)).pipeline_
    two_backends(pipeline, folder / SCORER).assert_agree(texts)


def as_bytes(text: str) -> Any:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def npy(array: Any, version: tuple[int, int] = (1, 0)) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):  # that numpy 1.16 reads no format 3
        np.lib.format.write_array(file, np.asanyarray(array), version)
    return file.getvalue()


def npy_of(header: str, data: bytes = bytes(24)) -> bytes:
    """An array file with a header of one's own."""
    encoded = header.encode()
    return b"\x93NUMPY\x01\x00" + len(encoded).to_bytes(2, "little") + encoded + data


def header(shape: str, descr: str = "'<f8'", fortran: bool = False) -> str:
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


def pack(path: Path, members: Members, method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


def rewrite(path: Path, arrays: dict[str, Any], **changes: Any) -> Path:
    np.savez(path, **{k: v for k, v in {**arrays, **changes}.items() if v is not None})
    return path


def assert_refused(path: Path, match: str = UNREADABLE) -> None:
    """A clean error, after hardly more memory than the file is long."""
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match=match) as caught:
            load_scorer(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert peak < 3 * path.stat().st_size + 1_000_000


def test_packing_alone_changes_nothing(tmp_path: Path, members: Members, sea: Path) -> None:
    packed = load_scorer(pack(tmp_path / SCORER, members))
    np.testing.assert_array_equal(
        packed.predict_proba(ASKED), load_scorer(sea).predict_proba(ASKED)
    )


def test_missing_scorer_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"scorer\.npz: file is missing\. Restore"):
        load_scorer(tmp_path / "scorer.npz")


def test_folder_in_place_of_a_scorer_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=UNREADABLE):
        load_scorer(tmp_path)


@pytest.mark.parametrize("keep", [0, 1, 4, 10, 200, -1, -2, -21, -22, -23, -30])
def test_truncated_scorer_is_a_model_error(sea: Path, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "scorer.npz"
    path.write_bytes(sea.read_bytes()[:keep])
    assert_refused(path)


@given(data=st.data())
def test_scorer_truncated_anywhere_is_a_model_error(sea: Path, data: st.DataObject) -> None:
    whole = sea.read_bytes()
    path = sea.with_name("truncated.npz")
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ModelError, match=UNREADABLE):
        load_scorer(path)


@given(data=st.data())
def test_changed_bytes_are_a_model_error_or_change_nothing(sea: Path, data: st.DataObject) -> None:
    changed = bytearray(sea.read_bytes())
    places = st.integers(0, len(changed) - 1) | st.integers(len(changed) - 3000, len(changed) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=3)):
        changed[place] ^= data.draw(st.integers(1, 255))
    path = sea.with_name("changed.npz")
    path.write_bytes(changed)
    try:
        scorer = load_scorer(path)
    except ModelError:
        return
    expected = load_scorer(sea)
    np.testing.assert_array_equal(scorer.predict_proba(ASKED), expected.predict_proba(ASKED))
    assert scorer.topics == expected.topics


@given(data=st.data())
def test_what_is_loaded_can_be_scored(
    arrays: dict[str, Any], sea: Path, data: st.DataObject
) -> None:
    """Whatever numbers a file holds, no index is out of range."""
    name = data.draw(st.sampled_from(sorted(arrays)))
    array = arrays[name].copy()
    if array.dtype.kind == "f":
        values: st.SearchStrategy[Any] = st.floats()
    else:
        limits = np.iinfo(array.dtype)
        values = st.integers(-2, 300).filter(lambda n: n >= limits.min and n <= limits.max)
        values |= st.integers(int(limits.min), int(limits.max)) | st.sampled_from(
            array.tolist() or [0]
        )
    for place in data.draw(st.lists(st.integers(0, max(array.size - 1, 0)), max_size=4)):
        if array.size:
            array.reshape(-1)[place] = data.draw(values)
    array = array[: data.draw(st.integers(0, len(array)) | st.just(len(array)))]
    path = rewrite(sea.with_name("crafted.npz"), arrays, **{name: array})
    try:
        scorer = load_scorer(path)
    except ModelError:
        return
    with np.errstate(all="ignore"):
        scorer.score_texts([*ASKED, "the fleet 日本 " * 30, "x" * 200])


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": np.zeros(2)},
        {"intercepts": np.zeros((4, 1))},
        {"intercepts": np.zeros(3)},  # relevance is missing
        {"precision_thresholds": np.zeros((3, 4))},
        {"precision_thresholds": np.zeros((5, 3))},
        {"precisions": np.zeros(4)},
        {"block1_coefficients": np.zeros((1, 4))},
        {"block0_settings": None},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_arrays_that_do_not_fit_are_a_model_error(
    tiny: Tiny, tmp_path: Path, changes: dict[str, Any]
) -> None:
    with np.load(tiny.folder / SCORER) as arrays:
        path = rewrite(tmp_path / "scorer.npz", dict(arrays), **changes)
    with pytest.raises(ModelError, match="arrays do not fit together"):
        load_scorer(path)


def test_coefficients_without_relevance_are_a_model_error(
    arrays: dict[str, Any], tmp_path: Path
) -> None:
    shortened = arrays["block1_coefficients"][:, :-1]
    path = rewrite(tmp_path / "scorer.npz", arrays, block1_coefficients=shortened)
    with pytest.raises(ModelError, match="arrays do not fit together"):
        load_scorer(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": None},
        {"relevance_threshold": None},
        {"relevance_threshold": np.zeros(0)},
        {"precisions": None},
        {"precision_thresholds": None},
        {"block0_idf": np.zeros(1)},
        {"block0_settings": as_bytes("{}")},
        {"block0_settings": as_bytes("not json")},
        {"topics": np.frombuffer(b"\xff\xfe", dtype=np.uint8)},
    ],
    ids=[
        *("no-topics", "no-relevance", "empty-relevance", "no-precisions", "no-precision-table"),
        *("one-idf", "no-settings", "no-json", "no-utf8"),
    ],
)
def test_unreadable_arrays_are_a_model_error(
    arrays: dict[str, Any], tmp_path: Path, changes: dict[str, Any]
) -> None:
    assert_refused(rewrite(tmp_path / "scorer.npz", arrays, **changes))


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_pickled_array_is_refused_and_not_read(
    arrays: dict[str, Any], members: Members, tmp_path: Path
) -> None:
    evil = tmp_path / "evil"
    array = np.empty(1, dtype=object)
    array[0] = Evil(evil)
    assert_refused(rewrite(tmp_path / "scorer.npz", arrays, topics=array))
    member = npy_of(header("(1,)", "'|O'"), pickle.dumps([Evil(evil)]))
    assert_refused(pack(tmp_path / "scorer.npz", {**members, "topics.npy": member}))
    assert_refused(
        pack(tmp_path / "scorer.npz", {**members, "topics.npy": pickle.dumps(Evil(evil))})
    )
    (tmp_path / "scorer.npz").write_bytes(pickle.dumps(Evil(evil)))
    assert_refused(tmp_path / "scorer.npz")
    assert not evil.exists()


METHODS = [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
def test_compressed_members_are_refused(members: Members, tmp_path: Path, method: int) -> None:
    path = tmp_path / "scorer.npz"
    assert_refused(pack(path, members, method), "members are together longer than the file")
    pack(path, {name: data for name, data in members.items() if name != "topics.npy"})
    with zipfile.ZipFile(path, "a") as archive:  # one that is as long as it was
        archive.writestr("topics.npy", members["topics.npy"], method)
    assert_refused(path, "member 'topics.npy' is compressed")


@pytest.mark.parametrize("is_honest", [True, False])
def test_member_that_unpacks_to_more_than_the_file_is_refused(
    members: Members, tmp_path: Path, is_honest: bool
) -> None:
    size = 100_000_000
    bomb = npy_of(header(f"({size // 8},)"), bytes(size))
    path = tmp_path / "scorer.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in members.items():
            archive.writestr(name, data, zipfile.ZIP_STORED)
        archive.writestr("bomb.npy", bomb)
        if not is_honest:  # the directory at the end says what is written here
            archive.filelist[-1].file_size = 1000
    assert path.stat().st_size < size / 50
    assert_refused(path)


def test_unknown_compression_is_refused(sea: Path, tmp_path: Path) -> None:
    path = tmp_path / "scorer.npz"
    path.write_bytes(patch_headers(sea.read_bytes(), local=8, central=10, mask=99))
    assert_refused(path)


def test_encrypted_members_are_refused(sea: Path, tmp_path: Path) -> None:
    path = tmp_path / "scorer.npz"
    path.write_bytes(patch_headers(sea.read_bytes(), local=6, central=8, mask=1))
    assert_refused(path)


def patch_headers(data: bytes, local: int, central: int, mask: int) -> bytes:
    """Set bits in a field of each member's two headers."""
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        start = data.find(signature)
        while start >= 0:
            changed[start + offset] |= mask
            start = data.find(signature, start + 1)
    return bytes(changed)


SHAPES = [
    *("(1000000000,)", "(1099511627776, 1048576)", "(9223372036854775807,)", f"({10**30},)"),
    *("(-1,)", "(-3,)", "(-1, -1)", "(-3, -1)", "(3, -1)", "(0, -1)", "(1, 3, 1)", "(3.0,)"),
    *("()", "3", "'3'", "[3]", "None", "(None,)", "(10**9,)", "(1,) * 1000", "(4,)", "(2,)"),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["intercepts", "block0_idf", "block1_coefficients", "unknown"])
def test_shape_that_is_not_that_of_the_numbers_is_refused(
    members: Members, tmp_path: Path, name: str, shape: str
) -> None:
    member = npy_of(header(shape))
    assert_refused(pack(tmp_path / "scorer.npz", {**members, f"{name}.npy": member}))


HEADERS = [
    *("", "\n", "\0", "{", "}", "{}", "[]", "None", "'''", "1+1j", "{[]: 1}", "{1: 2, None: 3}"),
    *("{'descr': '<f8', 'shape': (", "  \n {'descr'", "\n  x\n y", "\u00a0", "\\", "lambda: 0"),
    *("(" * 300, "[" * 900, "-" * 900 + "1", "{" * 150, " " * 2000, "9" * 900, "'" * 900),
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'more': 1}",
    "{'descr': '<f8', 'fortran_order': 0, 'shape': (3,)}",
    "{'descr': '<f8', 'fortran_order': __import__('os').getcwd(), 'shape': (3,)}",
    *(
        header("(1,)", descr)
        for descr in ("''", "(1, 2, 3)", "None", "1", "'<f9'", "'|V9999999999'")
    ),
    *(
        header("(1,)", descr)
        for descr in ("[('a', 'O')]", "'O'", "'|O'", "'<U3'", "'<M8'", "'<c16'")
    ),
    header("(3,)", fortran=True),
]


@pytest.mark.parametrize("text", HEADERS, ids=lambda text: ascii(text)[:30])
def test_array_with_a_bad_header_is_refused(members: Members, tmp_path: Path, text: str) -> None:
    assert_refused(pack(tmp_path / "scorer.npz", {**members, "topics.npy": npy_of(text)}))


@pytest.mark.parametrize(
    "member",
    [b"", b"\x93NUMPY", b"\x93NUMPX\x01\x00\x01\x00 ", b"\x93NUMPY\x01\x00\xff\xff{", b"x" * 1000],
)
def test_member_that_is_no_array_is_refused(
    members: Members, tmp_path: Path, member: bytes
) -> None:
    assert_refused(pack(tmp_path / "scorer.npz", {**members, "topics.npy": member}))


@pytest.mark.parametrize("version", [(2, 0), (3, 0)])
def test_array_of_a_later_format_is_refused(
    members: Members, tmp_path: Path, arrays: dict[str, Any], version: tuple[int, int]
) -> None:
    changed = {**members, "thresholds.npy": npy(arrays["thresholds"], version)}
    assert_refused(pack(tmp_path / "scorer.npz", changed), "array format")


@pytest.mark.parametrize("kind", ["other", ">", "?", "<f4", "<f2", "<u4", "<i2", "<c16", "<U8"])
def test_arrays_of_another_type_are_refused(
    arrays: dict[str, Any], tmp_path: Path, kind: str
) -> None:
    for name, array in arrays.items():
        kinds = {
            "other": "int64" if array.dtype.kind == "f" else "float64",
            ">": array.dtype.newbyteorder(">"),
        }
        with np.errstate(all="ignore"):
            changed = array.astype(kinds.get(kind, kind))
        if changed.dtype != array.dtype:  # a byte has no order
            path = rewrite(tmp_path / "scorer.npz", arrays, **{name: changed})
            assert_refused(path, f"{UNREADABLE}|arrays do not fit together")


def test_arrays_with_one_dimension_more_or_less_are_refused(
    arrays: dict[str, Any], tmp_path: Path
) -> None:
    for name, array in arrays.items():
        for changed in (array[np.newaxis], array[:, np.newaxis], array.reshape(-1)[:1].sum()):
            path = rewrite(tmp_path / "scorer.npz", arrays, **{name: changed})
            assert_refused(path, f"{UNREADABLE}|arrays do not fit together")


def test_matrix_in_fortran_order_is_refused(arrays: dict[str, Any], tmp_path: Path) -> None:
    matrix = np.asfortranarray(arrays["block0_coefficients"])
    assert_refused(rewrite(tmp_path / "scorer.npz", arrays, block0_coefficients=matrix))


def test_two_members_of_one_name_are_refused(members: Members, tmp_path: Path) -> None:
    path = tmp_path / "scorer.npz"
    for again in ("topics.npy", "topics"):
        pack(path, members)
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "a") as archive:
            archive.writestr(again, members["topics.npy"])
        assert_refused(path, "two members have the same name")


def test_members_that_share_their_bytes_are_refused(members: Members, tmp_path: Path) -> None:
    path = pack(tmp_path / "scorer.npz", {**members, "large.npy": npy(np.zeros(50_000))})
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(100):
            again = zipfile.ZipInfo(f"large{number}.npy")
            for field in ("header_offset", "file_size", "compress_size", "CRC", "create_system"):
                setattr(again, field, getattr(archive.getinfo("large.npy"), field))
            archive.filelist.append(again)
        archive._didModify = True  # the directory is written again
    with zipfile.ZipFile(path) as archive:
        assert sum(member.file_size for member in archive.infolist()) > 30_000_000
    assert_refused(path, "members are together longer than the file")


def test_members_swallowed_by_a_comment_are_missed(sea: Path, tmp_path: Path) -> None:
    data = bytearray(sea.read_bytes())
    entry = data.rindex(b"PK\x01\x02", 0, data.rindex(b"block1_settings.npy"))
    rest = data.rindex(b"PK\x05\x06") - entry - 46 - len("block1_settings.npy")
    path = tmp_path / "scorer.npz"
    path.write_bytes(data[: entry + 32] + rest.to_bytes(2, "little") + data[entry + 34 :])
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist()[-1] == "block1_settings.npy"
    assert_refused(path, "members are lost")


def test_member_read_under_another_name_is_refused(members: Members, tmp_path: Path) -> None:
    path = pack(tmp_path / "scorer.npz", members)
    with zipfile.ZipFile(path, "a") as archive:
        archive.getinfo("thresholds.npy").filename = "intercepts2.npy"
        archive._didModify = True
    assert_refused(path)


@pytest.mark.parametrize("name", ["topics.npy", "block0_idf.npy", "block1_coefficients.npy"])
def test_checksum_is_checked(sea: Path, tmp_path: Path, members: Members, name: str) -> None:
    data = bytearray(sea.read_bytes())
    with zipfile.ZipFile(sea) as archive:
        start = data.index(members[name], archive.getinfo(name).header_offset)
    for place in (start + len(members[name]) - 1, start + len(members[name]) // 2):
        changed = bytearray(data)
        changed[place] ^= 1
        path = tmp_path / "scorer.npz"
        path.write_bytes(changed)
        assert_refused(path)


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize(
    "name", ["{up}x.npy", "{up}x", "{root}/x.npy", "{root}\\x.npy", "a/{up}x.npy", "{up}x/", "{up}"]
)
def test_names_of_members_are_no_paths(
    members: Members, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, depth: int
) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    member = name.format(up="../" * depth, root=tmp_path)
    path = pack(inner / "scorer.npz", {**members, member: members["topics.npy"]})
    before = sorted(tmp_path.rglob("*"))
    try:
        scorer = load_scorer(path)
    except ModelError:
        pass
    else:
        assert scorer.topics == ("sea", "food")
    assert sorted(tmp_path.rglob("*")) == before


def settings_of(arrays: dict[str, Any], **changes: Any) -> Any:
    settings = {**json.loads(arrays["block0_settings"].tobytes()), **changes}
    return as_bytes(json.dumps(settings))


@pytest.mark.parametrize(
    "changes",
    [
        *({"ngram_range": pair} for pair in ([1, 10**9], [0, 2], [-1, 2], [2, 1], [1, 10**400])),
        *({"ngram_range": pair} for pair in ([1, float("inf")], [float("nan"), 2], [1], [1, 2, 3])),
        *(
            {"ngram_range": pair}
            for pair in (None, 2, "12x", ["a", "b"], [[1], [2]], {}, [None, 1])
        ),
        *({"analyzer": name} for name in ("char", "", None, 1, [], {}, "char_wb", "Word")),
    ],
    ids=str,
)
def test_settings_without_sense_are_refused(
    arrays: dict[str, Any], tmp_path: Path, changes: dict[str, Any]
) -> None:
    settings = settings_of(arrays, **changes)
    assert_refused(rewrite(tmp_path / "scorer.npz", arrays, block0_settings=settings))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "[]", "1", '"word"', "null", "9" * 5000]
)
def test_settings_of_another_form_are_refused(
    arrays: dict[str, Any], tmp_path: Path, text: str
) -> None:
    assert_refused(rewrite(tmp_path / "scorer.npz", arrays, block0_settings=as_bytes(text)))


def test_two_blocks_of_one_analyzer_are_refused(arrays: dict[str, Any], tmp_path: Path) -> None:
    words = {name: array for name, array in arrays.items() if name.startswith("block0")}
    twice = {name.replace("block0", "block1"): array for name, array in words.items()}
    path = rewrite(tmp_path / "scorer.npz", {**arrays, **twice})
    assert_refused(path, "second analyzer 'word'")


def test_file_too_large_for_any_model_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "scorer.npz"
    path.touch()
    os.truncate(path, LARGEST + 1)  # takes no room on the disk
    assert_refused(path, "more than the 4,000,000,000")


def test_vocabulary_of_long_terms_is_refused(arrays: dict[str, Any], tmp_path: Path) -> None:
    """Each beginning of a term takes a state: a long term would take more than the file has."""
    for block in ("block0", "block1"):
        terms = as_bytes("a " * 50_000 + "a")
        changed = arrays | {f"{block}_vocabulary": terms, f"{block}_idf": np.ones(1)}
        assert_refused(rewrite(tmp_path / "scorer.npz", changed), "terms of other lengths")


@pytest.mark.parametrize("block", ["block0", "block1"])
def test_terms_shorter_than_any_ngram_are_refused(
    arrays: dict[str, Any], tmp_path: Path, block: str
) -> None:
    """But for tokens of few characters, with a blank before and behind."""
    settings = json.loads(arrays[f"{block}_settings"].tobytes())
    longest = settings["ngram_range"][1]
    settings["ngram_range"] = [longest, longest]
    changed = {f"{block}_settings": as_bytes(json.dumps(settings))}
    assert_refused(rewrite(tmp_path / "scorer.npz", arrays, **changed), "terms of other lengths")


def test_more_ngrams_than_there_are_numbers_is_an_error(
    arrays: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer_file, "_MOST_STATES", 100)
    assert_refused(rewrite(tmp_path / "scorer.npz", arrays), "more than 100 beginnings")


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_document_frequency_that_no_term_has_is_refused(
    arrays: dict[str, Any], tmp_path: Path, value: float
) -> None:
    idf = arrays["block1_idf"].copy()
    idf[3] = value
    assert_refused(rewrite(tmp_path / "scorer.npz", arrays, block1_idf=idf), "not above zero")


def test_loading_takes_no_more_memory_than_a_few_times_the_file(root: Path, tmp_path: Path) -> None:
    folder = ModelStore(root / "models").find()
    path = tmp_path / SCORER
    export_scorer(
        load_estimator(open_model(folder)).pipeline_,
        load_scorer(folder / SCORER).topics,
        replace(SEA_DECISION, thresholds=np.full(9, 0.5), precision_thresholds=np.zeros((9, 3))),
        path,
    )
    tracemalloc.start()
    scorer = load_scorer(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(scorer.topics) == 9
    assert peak < 2.5 * path.stat().st_size


@pytest.mark.parametrize(
    "vocabulary",
    [b"\xff\xfe", b"one\ntwo", b"", b"\n" * 1000, "twice", "empty"],
    ids=["no UTF-8", "few", "no", "many", "twice", "empty"],
)
def test_vocabulary_that_is_none_is_a_model_error(
    arrays: dict[str, Any], tmp_path: Path, vocabulary: bytes | str
) -> None:
    if isinstance(vocabulary, str):  # as many terms as there are, and one wrong
        terms = arrays["block0_vocabulary"].tobytes().split(b"\n")
        terms[1] = terms[0] if vocabulary == "twice" else b""
        vocabulary = b"\n".join(terms)
    array = np.frombuffer(vocabulary, dtype=np.uint8)
    path = rewrite(tmp_path / "scorer.npz", arrays, block0_vocabulary=array)
    with pytest.raises(ModelError, match=r"scorer\.npz"):
        load_scorer(path)
