import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial

import pytest
from processes import is_running, wait_until

from topicml.errors import MissingExtraError, RecordError
from topicml.io import child
from topicml.io.readers.html import import_extractor

LONG = 10**8  # whose factorial takes hours, in one go of C


call = partial(child.call, seconds=60, prepare=os.getpid)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    child.close()


def test_calls_go_to_one_child_that_imports_little() -> None:
    first = call(os.getpid)
    assert first == call(os.getpid) != os.getpid()
    loaded = call(eval, "sorted(__import__('sys').modules)")
    assert "topicml.io.child" in loaded
    assert not {"numpy", "typer", "topicml.api", "topicml.tagging.tagger"} & set(loaded)
    with pytest.raises(ValueError, match="invalid literal"):
        call(int, "x")
    with pytest.raises(MissingExtraError, match="reading it needs nowhere"):
        call(_load(), "nowhere", "articles", "reading it")
    assert call(os.getpid) == first
    child.close()
    assert not is_running(first)


def _load() -> object:
    from topicml.io.optional_dependencies import load

    return load


def test_what_takes_too_long_is_killed_in_the_midst_of_c_code() -> None:
    before = call(os.getpid)
    started = time.monotonic()
    with pytest.raises(RecordError) as error:
        call(math.factorial, LONG, seconds=0.2)
    assert error.value.args == ("too_slow", "reading it took more than 0.2 s")
    assert time.monotonic() - started < 20
    assert not is_running(before)
    assert call(os.getpid) != before


def test_what_takes_too_much_memory_is_killed_however_new_the_child() -> None:
    call(os.getpid)
    with pytest.raises(RecordError) as error:
        call(set, range(10**10))
    assert error.value.args == ("out_of_memory", "reading it took more than 240 MB of memory")
    assert call(abs, -1) == 1


def test_a_child_that_holds_much_memory_is_replaced() -> None:
    before = call(os.getpid)
    assert call(eval, "keep.append(b'x' * 150_000_000)", {"keep": [], "__builtins__": {}}) is None
    assert call(os.getpid) == before  # it was given back
    held = "setattr(__import__('sys'), 'held', b'x' * 150_000_000)"
    assert call(eval, held) is None
    assert call(os.getpid) != before


def test_a_child_that_was_killed_from_outside_costs_no_record() -> None:
    before = call(os.getpid)
    os.kill(before, signal.SIGKILL)
    assert call(os.getpid) not in {before, os.getpid()}


def test_what_kills_its_child_is_told_after_a_second_try() -> None:
    call(os.getpid)
    for _ in range(2):
        with pytest.raises(child.ChildError, match=r"its process ended, signal 11"):
            call(signal.raise_signal, signal.SIGSEGV)
    with pytest.raises(child.ChildError, match=r"its process ended, exit code 3"):
        call(os._exit, 3)


def test_to_prepare_counts_for_no_record() -> None:
    assert child.call(abs, -1, seconds=0.05, prepare=import_extractor) == 1


def test_a_forked_process_has_a_child_of_its_own() -> None:
    before = call(os.getpid)
    forked = os.fork()
    if not forked:
        os._exit(0 if call(os.getpid) != before else 1)
    assert os.waitpid(forked, 0)[1] == 0
    assert call(os.getpid) == before


PARENT = """
import math, os, sys
from functools import partial
from topicml.io import child
call = partial(child.call, seconds=600, prepare=os.getpid)
call(print, "lost")
print(call(os.getpid), flush=True)
{then}
"""


@pytest.mark.parametrize(
    "then", ["", "os._exit(9)", f"call(math.factorial, {LONG})", "sys.stdin.read()"]
)
def test_a_child_ends_with_its_parent_and_prints_nothing(then: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT.format(then=then)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout
        number = int(parent.stdout.readline())
        if "(" in then and "exit" not in then:
            assert is_running(number)
            time.sleep(0.2)  # so that it is at work
            parent.kill()
        assert parent.stdout.read() == b""
    wait_until(lambda: not is_running(number))


def test_a_child_whose_parent_ended_while_it_was_starting_ends() -> None:
    read, write = os.pipe()
    os.close(write)
    code = "import time; from topicml.io import child; child.end_with(0); time.sleep(60)"
    assert subprocess.run([sys.executable, "-c", code], stdin=read, timeout=30).returncode == 1
    os.close(read)
