"""Pages by their web addresses, as people paste them: nobody vouches for what is there.

An address is looked up once, what it leads to is checked, and the connection is made to the very
address that was checked; again after each redirect. So no name that changes its meaning between
check and use (DNS rebinding) leads to this machine or its network.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from topicml.errors import RemoteError
from topicml.io.optional_dependencies import load
from topicml.io.records import LARGEST_RECORD
from topicml.text.normalise import printable
from topicml.version import __version__

if TYPE_CHECKING:
    from urllib3 import HTTPResponse
    from urllib3.connection import HTTPConnection

SECONDS = 30.0
"""What getting a page may take, redirects included."""

MOST_REDIRECTS = 5
_TO_CONNECT = 10.0  # seconds, for each of several addresses
_REDIRECTS = {301, 302, 303, 307, 308}
_OK, _NOT_MODIFIED = 200, 304
_PIECE = 1 << 16
_PORTS = {"http": 80, "https": 443}
_LONGEST_URL = 8000
_SHOWN = 200
_SAFE = "/%:@!$&'()*+,;=~-._"
_HEADERS = {
    "User-Agent": f"topicml/{__version__}",
    "Accept": "text/html,application/xhtml+xml,application/atom+xml,application/rss+xml,*/*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",
}
_MEDIA_TYPE = re.compile(r"\s*([\w.+-]{1,80}/[\w.+-]{1,80})", re.ASCII)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.I)
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_INSIDE = [  # what ipaddress does not call private, and is not of the public network either
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "100::/64", "fec0::/10")
]
_TRANSLATED = [ipaddress.ip_network(network) for network in ("64:ff9b::/96", "::/96")]
_PRIVATE = (
    "An address of this machine or its network is asked only with --allow-private: "
    "who wrote the link may want what is behind your firewall."
)

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Fetched(NamedTuple):
    """What a web server answered.

    Attributes:
        content: The bytes, unpacked; none where nothing has changed.
        media_type: What it says they are, in small letters; nothing where it does not say.
        charset: What it says of their encoding.
        url: Where they are, after all redirects.
        etag: Its mark of this state, for the next time.
        last_modified: When it changed last, as the server writes it, for the next time.
        is_unchanged: Whether it is as it was when it had the mark that was sent.
    """

    content: bytes
    media_type: str
    charset: str | None
    url: str
    etag: str | None = None
    last_modified: str | None = None
    is_unchanged: bool = False


class PrivateAddressError(RemoteError):
    """An address leads to this machine or its network."""


class AnswerError(RemoteError):
    """A server answers, but with no page.

    Attributes:
        status: Of HTTP; 0 where there is none.
        retry_after: What it asks to wait, in seconds or as a date; None where it does not.
    """

    status = 0
    retry_after: str | None = None


def fetch_page(
    url: str,
    *,
    allow_private: bool = False,
    most_bytes: int = LARGEST_RECORD,
    seconds: float = SECONDS,
    etag: str | None = None,
    last_modified: str | None = None,
) -> Fetched:
    """Get what is at an address, without cookies, credentials or proxies.

    Args:
        url: Of http or https.
        allow_private: Whether it may be of this machine or its network.
        most_bytes: What there may be, unpacked.
        seconds: What all of it may take.
        etag: Of what was got before: nothing is got again that is still the same.
        last_modified: The same, for servers that give times and no marks.

    Raises:
        AnswerError: The server has something else to say.
        RemoteError: It is no such address, is refused, or cannot be got within these limits.
        MissingExtraError: urllib3 is not installed.
    """
    load("urllib3", "articles", "reading web addresses")
    deadline = _Deadline(seconds)
    headers = dict(_HEADERS)
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    with _told(url, deadline):
        for _ in range(MOST_REDIRECTS + 1):
            answer = _get(_split(url), headers, allow_private, most_bytes, deadline)
            if isinstance(answer, Fetched):
                return answer
            url = urljoin(url, answer)
    raise RemoteError(f"more than {MOST_REDIRECTS} redirects", where=show_url(url))


def name_of_url(url: str) -> str:
    """Return an address on one line and without credentials: whole, so that it names one alone."""
    return printable(re.sub(r"//[^/?#]*@", "//", url))


def show_url(url: str) -> str:
    """Return an address for a message: as ``name_of_url``, and not too long."""
    shown = name_of_url(url)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"


class _Deadline:
    """A time by which all must be done.

    Attributes:
        seconds: How long that was at first.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: None are.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    @contextmanager
    def closing(self, connection: socket.socket) -> Iterator[None]:
        """Shut a connection down at that time: a server that sends a byte now and then goes on."""

        def shut() -> None:
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

        timer = threading.Timer(self.left(), shut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


@contextmanager
def _told(url: str, deadline: _Deadline) -> Iterator[None]:
    """Raise as a ``RemoteError`` whatever is wrong with a connection or an answer."""
    from http.client import HTTPException

    from urllib3.exceptions import HTTPError

    where = show_url(url)
    try:
        yield
    except ssl.SSLCertVerificationError as err:
        why = f"its certificate is not valid ({err.verify_message})"
        raise RemoteError(why, where=where) from err
    except (OSError, HTTPError, HTTPException, ValueError) as err:
        try:
            deadline.left()
        except TimeoutError:
            what = f"getting it took more than {deadline.seconds:g} s"
            raise RemoteError(what, where=where) from err
        raise RemoteError(f"cannot be got ({_reason(err)})", where=where) from err


def _reason(err: Exception) -> str:
    from urllib3.exceptions import ProtocolError

    if isinstance(err, ProtocolError):
        return "the answer breaks off"
    said = getattr(err, "strerror", None) or str(err) or type(err).__name__
    return printable(said)[:_SHOWN]


def _split(url: str) -> SplitResult:
    """Return the parts of an address, the host as DNS has it.

    Raises:
        RemoteError: It is none that is asked.
    """
    where = show_url(url)
    parts = urlsplit(url.strip())
    if parts.scheme not in _PORTS:
        raise RemoteError(
            f"addresses of {parts.scheme or 'no scheme'} are not read",
            where=where,
            hint="Give one that begins with https:// or http://",
        )
    if parts.username is not None or parts.password is not None:
        raise RemoteError("it has a name or a password in it", where=where, hint="Leave it out.")
    host = (parts.hostname or "").rstrip(".")
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if len(url) > _LONGEST_URL or not _HOST.fullmatch(host):
        raise RemoteError("this is no web address", where=where, hint="Check how it is written.")
    netloc = f"[{host}]" if ":" in host else host
    port = parts.port  # raises ValueError where it is none
    if port and port != _PORTS[parts.scheme]:
        netloc += f":{port}"
    path, query = quote(parts.path or "/", safe=_SAFE), quote(parts.query, safe=_SAFE + "?")
    return SplitResult(parts.scheme, netloc, path, query, "")


def _get(
    parts: SplitResult,
    headers: dict[str, str],
    allow_private: bool,
    most_bytes: int,
    deadline: _Deadline,
) -> Fetched | str:
    """Return what one address answers; of a redirect, where it leads."""
    url = parts.geturl()
    connection = _connect(parts, allow_private, deadline)
    try:
        with deadline.closing(connection.sock):
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            connection.request(
                *("GET", target),
                headers={"Host": parts.netloc, **headers},
                preload_content=False,
                decode_content=True,
            )
            response = connection.getresponse()
            leads_to = response.headers.get("Location")
            if response.status in _REDIRECTS and leads_to:
                return leads_to
            if response.status not in {_OK, _NOT_MODIFIED}:
                said = printable(response.reason or "")[:_SHOWN]
                error = AnswerError(
                    f"the server answers {response.status} {said}".strip(), where=show_url(url)
                )
                error.status = response.status
                error.retry_after = response.headers.get("Retry-After")
                raise error
            content = _read(response, most_bytes, url)
            deadline.left()  # what was shut down looks like an end
    finally:
        connection.close()
    said = response.headers.get("Content-Type", "")
    media, charset = _MEDIA_TYPE.match(said), _CHARSET.search(said)
    return Fetched(
        content,
        media[1].lower() if media else "",
        charset[1] if charset else None,
        url,
        response.headers.get("ETag"),
        response.headers.get("Last-Modified"),
        response.status == _NOT_MODIFIED,
    )


def _read(response: HTTPResponse, most: int, url: str) -> bytes:
    """Return the body, unpacked piece by piece, so that a bomb is found out."""
    parts: list[bytes] = []
    length = 0
    for part in response.stream(_PIECE, decode_content=True):
        length += len(part)
        if length > most:
            raise RemoteError(
                f"there are more than {most / 1e6:g} MB at this address", where=show_url(url)
            )
        parts.append(part)
    return b"".join(parts)


def _connect(parts: SplitResult, allow_private: bool, deadline: _Deadline) -> HTTPConnection:
    """Connect to one of the addresses that a host has, all of which are checked before."""
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    found = _look_up(host, port, deadline)
    if not allow_private and (inside := next(filter(None, map(_inside, found)), None)):
        where = show_url(parts.geturl())
        raise PrivateAddressError(f"this leads to {inside}", where=where, hint=_PRIVATE)
    failure: OSError | None = None
    for address in found:
        seconds = min(deadline.left(), _TO_CONNECT)
        connection = _connection(parts.scheme, host, address, port, seconds)
        try:
            connection.connect()
        except ssl.SSLError:
            raise
        except Exception as err:  # noqa: BLE001 - urllib3 has errors of its own for each cause
            connection.close()
            cause = err.__cause__
            failure = cause if isinstance(cause, OSError) else OSError(str(err))
        else:
            connection.timeout = deadline.left()
            return connection
    raise failure or OSError("it has no address")


def _connection(scheme: str, host: str, address: str, port: int, seconds: float) -> HTTPConnection:
    from urllib3.connection import HTTPConnection, HTTPSConnection

    if scheme == "http":
        return HTTPConnection(address, port, timeout=seconds)
    # the certificate must be the host's, whatever the address
    return HTTPSConnection(
        *(address, port),
        timeout=seconds,
        server_hostname=host,
        ssl_context=ssl.create_default_context(),
    )


def _look_up(host: str, port: int, deadline: _Deadline) -> list[str]:
    """Return the addresses of a host, each once.

    Raises:
        TimeoutError: No answer came in time; the system's resolver has no limit to be set.
        OSError: It has none.
    """
    answers: SimpleQueue[list[str] | OSError | UnicodeError] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as err:
            answers.put(err)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError | UnicodeError):
        raise OSError(f"no such host: {host}") from answer
    return answer


def _inside(text: str) -> str | None:
    """Return what an address is that is not of the public network; None where it is."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return f"{text!r}, which is no address"
    meant = _embedded(address)
    is_public = meant.is_global and not (
        meant.is_multicast or meant.is_reserved or meant.is_unspecified or meant.is_loopback
    )
    if is_public and not any(meant in network for network in _INSIDE):
        return None
    return f"{text}, which is not of the public network"


def _embedded(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address.teredo:
        return address.teredo[1]
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
