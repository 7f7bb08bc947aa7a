"""What may be written where: real files, links, pipes, devices and sockets."""

import os
import socket
import threading
from pathlib import Path

import pytest

from topicml.errors import OutputError
from topicml.files import check_apart, check_new, check_outputs, check_outside, replacing


@pytest.fixture
def given(tmp_path: Path) -> Path:
    path = tmp_path / "given"
    path.write_text("precious")
    return path


def another_name(way: str, given: Path) -> Path:
    other = given.with_name("other")
    if way == "itself":
        return given
    if way == "spelled":
        return given.parent / ".." / given.parent.name / given.name
    if way == "symbolic":
        other.symlink_to(given.name)
    elif way == "hard":
        other.hardlink_to(given)
    else:
        other.symlink_to(given.parent)
        return other / given.name
    return other


@pytest.mark.parametrize("way", ["itself", "spelled", "symbolic", "hard", "folder"])
def test_a_file_is_told_by_what_it_is_not_by_its_name(given: Path, way: str) -> None:
    other = another_name(way, given)
    with pytest.raises(OutputError, match="is one of the inputs") as caught:
        check_outputs([other], [given], force=True)
    assert caught.value.where == str(other)
    with pytest.raises(OutputError, match="is written twice"):
        check_outputs([given, other], [], force=True)


@pytest.mark.parametrize("way", ["spelled", "symbolic", "folder"])
def test_a_file_that_is_not_there_yet_is_told_by_where_it_will_be(given: Path, way: str) -> None:
    given.unlink()
    other = another_name(way, given)
    with pytest.raises(OutputError, match="is written twice"):
        check_apart([given, other], [])
    check_apart([given], [given.with_name("third")])


def test_a_pipe_is_no_two_things_and_a_device_may_be(tmp_path: Path) -> None:
    pipe, null = tmp_path / "pipe", Path("/dev/null")
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="is one of the inputs"):
        check_apart([pipe], [pipe])
    check_outputs([null, null, pipe], [null], force=False)


def test_what_is_there_is_replaced_only_by_force(given: Path) -> None:
    link, loop = given.with_name("link"), given.with_name("loop")
    link.symlink_to(given)
    loop.symlink_to(loop)
    for path in (given, link):
        with pytest.raises(OutputError, match=r"exists already\. Replace it with --force"):
            check_new([given.with_name("new"), path], force=False)
        check_new([path], force=True)
    for path, said in ((given.parent, "is a folder"), (loop, "a link that leads to itself")):
        with pytest.raises(OutputError, match=said):
            check_new([path], force=True)


def test_no_file_lies_in_a_folder_that_is_replaced(given: Path) -> None:
    link = given.parent.with_name("link")
    link.symlink_to(given)
    folder = Path(os.path.relpath(given.parent))
    for inside in (given, link, folder / "deep" / "new"):
        with pytest.raises(OutputError, match="lies in"):
            check_outside(folder, [inside])
    check_outside(folder, [folder.with_name(f"{folder.name}-2") / "file"])


def test_a_link_stays_one_whether_or_not_it_leads_somewhere(given: Path) -> None:
    link = given.with_name("link")
    link.symlink_to(given.name)
    for _ in range(2):
        with replacing(link) as file:
            file.write(b"new")
        assert link.is_symlink()
        assert given.read_text() == "new"
        given.unlink()


def test_a_socket_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    got: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        server.listen()

        def receive() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                got.append(stream.read())

        reader = threading.Thread(target=receive)
        reader.start()
        with replacing(Path("socket")) as file:
            file.write(b"record")
        reader.join()
    assert got == [b"record"]
    assert Path("socket").is_socket()
    with pytest.raises(OutputError, match="cannot be written"), replacing(Path("socket")):
        pass  # nobody listens
