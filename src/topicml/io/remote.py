"""Objects of object storage and of web servers, by address, through fsspec.

A few schemes are known, and each is given to its own package with a plain address. So nothing is
reached by what fsspec has besides: files (``file://``), chains (``zip::s3://``), other protocols.
Packages are imported when an address is given. What an address may hold besides a place (a
signature behind ``?``) is sent and never shown.
"""

from __future__ import annotations

import glob
import hashlib
import io
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from topicml.errors import InputError, OutputError, RemoteError
from topicml.files import REPLACE
from topicml.io.optional_dependencies import load

READ_AHEAD = 4_000_000
"""Bytes of an object that are asked for at once."""

_EXTRA = "remote"
_SENT_AT_ONCE = 1 << 23  # bytes of an object that is written, some of these at a time
_MOST_PARTS = 9_000  # of an object that is written; S3 takes 10,000
_LONGEST_NAME = 100  # of an object, in the name of a file of this machine
_WORD = re.compile(r"[A-Za-z][\w+.:-]*")
_USER = re.compile(r"(?<=//)[^/\s@]*@")
_SECRETS = re.compile(r"(?<=//)[^/\s@]*@|\?\S*")


class _Scheme(NamedTuple):
    """How addresses of a kind are reached.

    Attributes:
        package: Imported for them.
        access: What gives rights, in sentences.
        is_storage: Whether there are folders, globs and writing, as in object storage.
        options: Of its file system in fsspec.
        writing: Of its ``put_file``.
        patience: Seconds until the first answer; None where the package itself gives up soon.
    """

    package: str
    access: str
    is_storage: bool = True
    options: Mapping[str, Any] = {}
    writing: Mapping[str, Any] = {}
    patience: float | None = None


_AWS = "Give it: aws configure, or AWS_PROFILE. For a public bucket: FSSPEC_S3_ANON=true"
_GOOGLE = (
    "Give it: gcloud auth application-default login. For a public bucket: FSSPEC_GS_TOKEN=anon"
)
_S3_OPTIONS = {
    "config_kwargs": {
        "connect_timeout": 10,
        "read_timeout": 60,
        "retries": {"mode": "standard", "max_attempts": 3},
    }
}
_WEB = _Scheme("aiohttp", "A user and a password go to ~/.netrc.", is_storage=False)
_SCHEMES = {
    "s3": _Scheme("s3fs", _AWS, options=_S3_OPTIONS, writing={"max_concurrency": 4}),
    "gs": _Scheme("gcsfs", _GOOGLE, patience=10.0),  # else it tries for half a minute
    "https": _WEB,
    "http": _WEB,
}
_KNOWN = ", ".join(f"{scheme}://" for scheme in _SCHEMES)

_NO_NETWORK = {
    *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ProxyConnectionError"),
    *("ClientConnectionError", "ClientConnectorError", "ServerDisconnectedError"),
    *("ClientPayloadError", "FSTimeoutError", "TimeoutError", "gaierror"),
}
_NO_RIGHTS = {
    *("PermissionError", "NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"),
    *("TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "RefreshError"),
    *("CredentialRetrievalError", "DefaultCredentialsError"),
}
_NO_RIGHTS_CODES = {401, 403}


class RemoteObject(NamedTuple):
    """An object that can be read.

    Attributes:
        address: All that it is reached by.
        name: As records, rejects and errors call it: the address without what is behind ``?``.
        size: In bytes; None where the server does not say.
        version: What changes with its content, as far as the server tells; None where it does not.
    """

    address: str
    name: str
    size: int | None
    version: str | None


class Prefix(NamedTuple):
    """What is a folder in a bucket: all objects whose names start with this.

    Attributes:
        name: Its address.
    """

    name: str


def is_address(name: str) -> bool:
    """Whether a name is no path but an address, be it of a known kind or not."""
    scheme, mark, _ = name.partition("://")
    return bool(mark) and _WORD.fullmatch(scheme) is not None


def show_address(address: str) -> str:
    """Return an address without what may be secret."""
    return (_SECRETS if _is_web(address) else _USER).sub("", address)


def _is_web(address: str) -> bool:
    known = _SCHEMES.get(address.partition("://")[0].lower())
    return not (known and known.is_storage)


def find_objects(address: str) -> Iterator[RemoteObject | Prefix]:
    """Yield what an address stands for: an object, a prefix, or what a glob matches, in order.

    Raises:
        InputError: It is of no known kind, or nothing is there.
        RemoteError: It cannot be reached.
        MissingExtraError: A package is not installed that it needs.
    """
    scheme, path = _split(address)
    known = _SCHEMES[scheme]
    system = _system(scheme)
    found: list[Mapping[str, Any]]
    with _reaching(address):
        try:
            found = [system.info(path, timeout=known.patience)]
        except FileNotFoundError:
            if not known.is_storage or not glob.has_magic(path):
                raise
            matches = system.glob(path, detail=True)
            found = [matches[name] for name in sorted(matches) if "/." in path or "/." not in name]
    if not found:
        raise InputError(
            "no object matches this", where=show_address(address), hint="Check the address."
        )
    for info in found:
        if info["type"] == "directory":
            yield Prefix(f"{scheme}://{info['name']}")
        else:
            yield _object(scheme, info)


def list_prefix(prefix: Prefix) -> Iterator[RemoteObject]:
    """Yield all objects of a prefix, but for those that are hidden.

    Raises:
        RemoteError: It cannot be reached.
    """
    scheme, path = _split(prefix.name)
    with _reaching(prefix.name):
        found = _system(scheme).find(path, detail=True)
    for name, info in found.items():
        is_hidden = "/." in name.removeprefix(path)
        if info["type"] == "file" and not name.endswith("/") and not is_hidden:
            yield _object(scheme, info)


def _object(scheme: str, info: Mapping[str, Any]) -> RemoteObject:
    name = info["name"] if _SCHEMES[scheme] is _WEB else f"{scheme}://{info['name']}"
    versions = (info.get(key) for key in ("ETag", "etag", "Last-Modified", "LastModified"))
    version = next((str(version) for version in versions if version), None)
    return RemoteObject(name, show_address(name), info.get("size"), version)


def open_object(found: RemoteObject, at_once: int = READ_AHEAD) -> BinaryIO:
    """Open an object to be read, one of a web server from start to end only.

    Args:
        found: The object.
        at_once: Bytes that are asked for at once.

    Raises:
        RemoteError: It cannot be reached; so does reading, then or if it was changed meanwhile.
    """
    scheme, path = _split(found.address)
    size = at_once if _SCHEMES[scheme].is_storage else 0
    return io.BufferedReader(_open(found, path, size))


def open_parts(found: RemoteObject, at_once: int) -> BinaryIO:
    """Open an object of which parts are read, in any order; see ``open_object``.

    Raises:
        InputError: Its server gives none.
    """
    _, path = _split(found.address)
    file = _open(found, path, at_once)
    if not file.gives_parts():
        raise InputError(
            "its server does not give parts of files, as Parquet needs",
            where=found.name,
            hint="Download it, and give the file.",
        )
    return io.BufferedReader(file)


def _open(found: RemoteObject, path: str, at_once: int) -> _Object:
    system = _system(_split(found.address)[0])
    with _reaching(found.address):
        file = system.open(path, "rb", block_size=at_once, cache_type="readahead")
    return _Object(found.address, file)


class _Object(io.RawIOBase):
    """An open object whose failures are errors with a place, and no ``OSError``.

    What cannot be read of a file on disk is a reject, and reading goes on. Where a network is
    gone, so is all that comes behind, and the run must end.
    """

    def __init__(self, address: str, file: Any) -> None:
        self._address, self._file = address, file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.size is not None  # of one that is read from start to end it is not known

    def gives_parts(self) -> bool:
        """Whether what is not at the start can be read by itself."""
        try:
            with _reaching(self._address):
                self._file.seek(max((self._file.size or 0) - 1, 0))
                self._file.read(1)
                self._file.seek(0)
        except RemoteError as err:
            if isinstance(err.__cause__, ValueError):  # the server would send all of it
                return False
            raise
        return self.seekable()

    def readinto(self, buffer: Any) -> int:
        with _reaching(self._address):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def check_output(address: str, *, force: bool) -> None:
    """Make sure that an object can be written, as far as that can be told.

    Args:
        address: Of the object.
        force: Whether one that is there may be replaced.

    Raises:
        OutputError: One is there; there is no such bucket; it cannot be written to such addresses.
        RemoteError: It cannot be reached.
        MissingExtraError: A package is not installed that it needs.
    """
    check_writable(address)
    shown = show_address(address)
    bucket = _split(address)[1].partition("/")[0]
    if not _is_bucket(address, bucket):
        raise OutputError(
            f"no such bucket: {bucket}", where=shown, hint="Make it, or check the name."
        )
    if not force and _exists(address):
        raise OutputError("exists already", where=shown, hint=REPLACE)


def _is_bucket(address: str, bucket: str) -> bool:
    """Whether there is a bucket, as far as that can be told."""
    scheme = _split(address)[0]
    system = _system(scheme)
    with _reaching(address):
        try:
            system.info(bucket, timeout=_SCHEMES[scheme].patience)
        except FileNotFoundError:  # also of an empty one, by earlier versions
            return bool(system.exists(bucket))
        except PermissionError:  # it need not be listed to be written to
            pass
    return True


def check_writable(address: str) -> None:
    """Make sure that an address is one of object storage; nothing is reached for that.

    Raises:
        OutputError: It is not.
    """
    try:
        scheme, path = _split(address)
    except InputError as err:
        raise OutputError(err.what, where=err.where, hint=err.hint) from err
    if not _SCHEMES[scheme].is_storage or not path.partition("/")[2]:
        raise OutputError(
            "cannot be written to",
            where=show_address(address),
            hint="Give a file, or an object of a bucket: s3://BUCKET/NAME or gs://BUCKET/NAME.",
        )


def _exists(address: str) -> bool:
    scheme, path = _split(address)
    with _reaching(address):
        try:
            _system(scheme).info(path, timeout=_SCHEMES[scheme].patience)
        except FileNotFoundError:
            return False
    return True


def upload(file: Path, address: str) -> None:
    """Make a file an object, which is there when it is whole, and not before.

    Raises:
        RemoteError: It cannot be reached.
    """
    scheme, path = _split(address)
    part = max(_SENT_AT_ONCE, -(-file.stat().st_size // _MOST_PARTS))
    part += -part % (1 << 18)  # as Google Cloud Storage has it
    with _reaching(address, f"It is kept in {file}; the same command uploads it again."):
        system = _system(scheme)
        system.put_file(str(file), path, chunksize=part, **_SCHEMES[scheme].writing)


def remove(address: str) -> None:
    """Remove an object that may be there.

    Raises:
        RemoteError: It cannot be reached.
    """
    scheme, path = _split(address)
    with _reaching(address):
        try:
            _system(scheme).rm_file(path)
        except FileNotFoundError:
            return


def working_name(address: str) -> str:
    """Return the name of the file of this machine that is to become an object."""
    digest = hashlib.sha256(address.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{digest}-{address.rpartition('/')[2][-_LONGEST_NAME:]}"


def _split(address: str) -> tuple[str, str]:
    """Return the scheme of an address, and what its package calls the object.

    Raises:
        InputError: It is of no known kind.
    """
    scheme, _, path = address.partition("://")
    scheme = scheme.lower()
    if scheme not in _SCHEMES:
        raise InputError(
            f"addresses of this kind ({scheme}://) are neither read nor written",
            where=show_address(address),
            hint=f"Known: {_KNOWN}. Give a file by its path.",
        )
    if "@" in path.partition("/")[0]:
        raise InputError(
            "an address with a user or a password in it",
            where=show_address(address),
            hint=f"Leave it out. {_SCHEMES[scheme].access}",
        )
    if not path.strip("/"):
        raise InputError("names nothing", where=show_address(address), hint="Check the address.")
    return scheme, address if _SCHEMES[scheme] is _WEB else path.rstrip("/")


def _system(scheme: str) -> Any:
    """Return what reaches addresses of a scheme; fsspec keeps it."""
    import logging

    known, purpose = _SCHEMES[scheme], f"an address with {scheme}://"
    # asks what kind each bucket is, and waits for minutes where it may not know
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    options = {**known.options}
    if known is _WEB:
        aiohttp = load("aiohttp", _EXTRA, purpose)
        options["client_kwargs"] = {
            "timeout": aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60),
            "headers": {"Accept-Encoding": "identity"},
            "trust_env": True,  # proxies, and passwords in ~/.netrc
        }
    load(known.package, _EXTRA, purpose)
    # what they tell of on the way is no line of ours; whoever sets up logging still has it
    logging.getLogger(known.package).addHandler(logging.NullHandler())
    return load("fsspec", _EXTRA, purpose).filesystem(scheme, **options)


@contextmanager
def _reaching(address: str, hint: str = "") -> Iterator[None]:
    """Make an error with a place of whatever the packages raise.

    Raises:
        RemoteError: What is at an address cannot be reached; with ``hint``, and what else helps.
        InputError: Nothing is there.
    """
    try:
        yield
    except (RemoteError, InputError, OutputError):
        raise
    except Exception as err:
        raise _told(address, err, hint) from err


def _told(address: str, err: Exception, hint: str) -> RemoteError | InputError:
    causes = [cause for cause in _causes(err) if isinstance(cause, Exception)]
    names = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    codes = {getattr(cause, name, None) for cause in causes for name in ("status", "code")}
    if names & _NO_RIGHTS or codes & _NO_RIGHTS_CODES:
        what, advice = "there is no right to it", _SCHEMES[_split(address)[0]].access
    elif names & _NO_NETWORK:
        what, advice = "cannot be reached", "Check the network, and run the same command again."
    elif "FileExpired" in names:
        what, advice = "was changed while it was read", "Start over with --force."
    elif isinstance(err, FileNotFoundError):
        hint = hint or "Check the address."
        return InputError("no such object or bucket", where=show_address(address), hint=hint)
    else:
        what, advice = "cannot be read or written", "Check the address."
    return RemoteError(
        f"{what} ({_reason(causes[-1])})", where=show_address(address), hint=hint or advice
    )


def _causes(err: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = err
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _reason(cause: BaseException) -> str:
    """Return what a package says, in one line and without secrets."""
    said = " ".join(_SECRETS.sub("", str(cause)).split())
    return f"{type(cause).__name__}: {said}" if said else type(cause).__name__
