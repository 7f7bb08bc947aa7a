"""What a server is run with."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

from topicml.errors import TopicmlError
from topicml.models.store import ModelStore

TOKEN_VARIABLE = "TOPICML_TOKEN"  # noqa: S105 - the name of a variable
"""Environment variable with the token."""

SHORTEST_TOKEN = 16
"""Characters that a token has at least where others than this machine can reach the server."""

_TOKEN = re.compile(r"[!-~]+")
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost.

    Attributes:
        body: Bytes of a request's body.
        unpacked: Bytes of all files of a request, after decompression.
        texts: Texts of a request.
        waiting: Requests whose texts may wait to be tagged; further ones are turned away.
        receive_seconds: What the whole body may take to come in.
    """

    body: int = 4_000_000
    unpacked: int = 32_000_000
    texts: int = 1000
    waiting: int = 256
    receive_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is run with.

    Attributes:
        store: Where its models are.
        model: Model that is asked where a request names none: ``name`` or ``name@version``; None
            for the default one.
        taxonomy: File that describes the topics; None for no descriptions.
        host: Address that it listens on.
        port: See above.
        token: That every request must show; None to ask for none.
        names: More names that it may be called by, each with a port or for all ports.
        limits: What one request may cost.
    """

    store: ModelStore
    model: str | None = None
    taxonomy: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8321
    token: str | None = field(default_factory=secrets.token_urlsafe, repr=False)
    names: tuple[str, ...] = ()
    limits: Limits = Limits()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def address(self) -> str:
        """Where it is found, such as ``http://127.0.0.1:8321``."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def link(self) -> str:
        """The address with the token, which opens the server in a browser."""
        return f"{self.address}/" + (f"?token={quote(self.token, safe='')}" if self.token else "")

    @property
    def cookie(self) -> str:
        """Name of the cookie: browsers send one to all ports of a host."""
        return f"topicml-{self.port}"

    @property
    def cookie_value(self) -> str:
        """What stands for the token in the cookie, and does not give it away."""
        return hmac.new((self.token or "").encode(), b"cookie", hashlib.sha256).hexdigest()

    def check(self) -> None:
        """Refuse what would leave the server open to others.

        Raises:
            TopicmlError: It has no token that is worth one, or one that no header can carry.
        """
        if not self.is_local and len(self.token or "") < SHORTEST_TOKEN:
            raise TopicmlError(
                f"others can reach {self.host}: give a token of {SHORTEST_TOKEN} characters or "
                f"more, with --token or {TOKEN_VARIABLE}"
            )
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise TopicmlError("a token is made of letters, digits and signs of ASCII, no spaces")


def is_loopback(host: str) -> bool:
    """Whether an address is one of this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Names:
    """The names that a server may be called by; see docs/serve.md.

    Args:
        settings: Of the server.
    """

    def __init__(self, settings: Settings) -> None:
        self._port = settings.port
        self._own = {*_LOCAL_NAMES, settings.host.lower()}
        self._others = {name.lower() for name in settings.names}
        self._any_address = settings.host in {"0.0.0.0", "::"}  # noqa: S104

    def hold(self, host: str) -> bool:
        """Whether a ``Host`` header has one of them."""
        host = host.lower()
        name, port = _split(host)
        if host in self._others or name in self._others:
            return True
        if port != str(self._port) and not (port is None and self._port == 80):
            return False
        return name in self._own or (self._any_address and _is_address(name))


def _split(host: str) -> tuple[str, str | None]:
    """Return name and port of a ``Host`` header."""
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name, rest[1:] if rest.startswith(":") else None
    name, colon, port = host.partition(":")
    return name, port if colon else None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
