import shutil
from pathlib import Path

import pytest
from conftest import Tiny
from damage import rewrite_file
from dumps import write_dump

from topicml.batch.engines.local import work_on
from topicml.batch.job import Job
from topicml.batch.opened import open_proven_models
from topicml.errors import ModelError
from topicml.io.readers import read_blocks
from topicml.io.sources import list_sources


def test_each_process_proves_the_model_before_its_first_record(tiny: Tiny, tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "dump.jsonl", 20)
    folder = shutil.copytree(tiny.folder, tmp_path / "model")
    golden = (folder / "golden.jsonl").read_text(encoding="utf-8")
    job = Job((str(dump),), "-", folder, jobs=2, backend="reference")
    good = open_proven_models(job)
    rewrite_file(folder, "golden.jsonl", golden.replace('"baking": 0.', '"baking": 0.1').encode())
    blocks = read_blocks(list_sources([str(dump)]).sources, job.read_options(), None)
    with pytest.raises(ModelError, match="golden sentence"):
        list(work_on(job, good, blocks, print))
