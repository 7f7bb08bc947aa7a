"""A batch run in a process of its own, to be killed: `python batch_driver.py JOB-AS-JSON`."""

import io
import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from reporters import Recorder

from topicml.batch.job import Job
from topicml.batch.run import run_batch
from topicml.io.records import Fields

if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    options["fields"] = Fields(**{**options.get("fields", {}), "keep": ("n",)})
    job = Job(**{**options, "inputs": tuple(options["inputs"]), "model": Path(options["model"])})
    sys.stdout.write("started\n")
    sys.stdout.flush()
    run_batch(job, io.BytesIO(), sys.stdout.buffer, Recorder())
