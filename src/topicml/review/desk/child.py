"""The process of a job: runs its commands, and writes down how they ended."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from topicml.files import write_text

GOOD = (0, 3, 4)
"""Exit codes after which the next command runs: 3 and 4 say something of what came out."""


def main(folder: Path, lock: int, commands: list[list[str]]) -> None:
    """Run commands one after the other until one fails.

    Args:
        folder: Where what they say is written.
        lock: An open file that every one of them keeps open.
        commands: Arguments of ``topicml``.
    """
    codes: list[int] = []
    for number, arguments in enumerate(commands):
        with (
            (folder / f"{number}.out").open("wb") as out,
            (folder / f"{number}.err").open("wb") as err,
        ):
            done = subprocess.run(  # noqa: S603 - our own command
                [sys.executable, "-m", "topicml", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                pass_fds=(lock,),
                check=False,
            )
        codes.append(done.returncode)
        is_done = len(codes) == len(commands) and done.returncode in GOOD
        write_text(folder / "end.json", json.dumps({"codes": codes, "is_done": is_done}))
        if done.returncode not in GOOD:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), json.load(sys.stdin))
