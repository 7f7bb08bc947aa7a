import datetime
import socket
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web_server import Server, answer, bomb, drip, drip_header, endless, redirect, serving

from topicml.errors import RemoteError
from topicml.io import web
from topicml.io.sources import web_source
from topicml.io.web import Fetched, fetch_page, show_url

PAGE = b"<html><body>Text.</body></html>"
ANSWERS = {
    "/page": answer(PAGE, ("Content-Type", 'Text/HTML; Charset="utf-8"'), ("ETag", '"x"')),
    "/bare": answer(b"text"),
    "/unchanged": answer(b"", status=304),
    "/relative": redirect("page?a=b c#d"),
    "/page?a=b%20c": answer(PAGE),
    "/loop": redirect("/loop"),
    "/file": redirect("file:///etc/passwd"),
    "/empty": redirect(""),
    "/private": redirect("http://10.0.0.1/"),
    "/bomb": bomb(100_000_000),
    "/broken": answer(b"no gzip", ("Content-Encoding", "gzip")),
    "/endless": endless,
    "/drip": drip,
    "/drip-header": drip_header,
    "/short": answer(b"short", length=100),
    "/odd": answer(b"text", ("X-A", "b" * 70_000)),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(ANSWERS) as running:
        yield running


def get(server: Server, path: str, **more: Any) -> Fetched:
    return fetch_page(server.url + path, allow_private=True, **more)


def test_what_a_server_says_comes_with_the_page(server: Server) -> None:
    url = f"{server.url}/page"
    assert get(server, "/page#part") == Fetched(PAGE, "text/html", "utf-8", url, '"x"')
    bare = get(server, "/bare")
    assert (bare.content, bare.media_type, bare.charset) == (b"text", "", None)
    path, headers = server.asked[-1]
    assert path == "/bare"
    assert headers["host"] == server.url.removeprefix("http://")
    assert not {"cookie", "authorization", "referer"} & headers.keys()


def test_what_is_unchanged_is_not_got_again(server: Server) -> None:
    found = get(server, "/unchanged", etag='"x"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT")
    assert (found.content, found.is_unchanged) == (b"", True)
    headers = server.asked[-1][1]
    assert headers["if-none-match"] == '"x"'
    assert headers["if-modified-since"].startswith("Mon, 01 Jan")


def test_a_redirect_is_followed(server: Server) -> None:
    assert get(server, "/relative").url == f"{server.url}/page?a=b%20c"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/none", "the server answers 404 Not Found"),
        ("/loop", "more than 5 redirects"),
        ("/file", "addresses of file are not read"),
        ("/empty", "the server answers 302"),
        ("/bomb", "there are more than 16 MB"),
        ("/endless", "there are more than 16 MB"),
        ("/short", "the answer breaks off"),
        ("/broken", "cannot be got"),
        ("/odd", "cannot be got"),
    ],
)
def test_what_cannot_be_got_is_told_in_one_line(server: Server, path: str, said: str) -> None:
    tracemalloc.start()
    with pytest.raises(RemoteError) as error:
        get(server, path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said in str(error.value)
    assert str(error.value).isprintable()
    assert peak < 60_000_000


@pytest.mark.parametrize("path", ["/drip", "/drip-header"])
def test_a_server_that_drips_is_left(server: Server, path: str) -> None:
    start = time.monotonic()
    with pytest.raises(RemoteError, match=r"getting it took more than 0\.5 s"):
        get(server, path, seconds=0.5)
    assert time.monotonic() - start < 20


def test_a_resolver_that_does_not_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(5) or [])
    with pytest.raises(RemoteError, match=r"took more than 0\.2 s"):
        fetch_page("http://example.org/", seconds=0.2)


def test_proxies_are_not_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert get(server, "/page").content == PAGE


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "0x7f.1", "2130706433", "localhost", "LOCALHOST."),
        "0.0.0.0",  # noqa: S104 - asked, not bound
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]"),
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "192.0.0.1"),
        *("[fe80::1]", "[fc00::1]", "[ff02::1]", "[2001:db8::1]", "[fec0::1]"),
        *("[2002:7f00:1::]", "[64:ff9b:1::1]", "[2001:0:1:1::80ff:fffe]"),
    ],
)
def test_no_address_of_this_network_is_asked(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(RemoteError) as error:
        fetch_page(f"http://{host}/")
    assert "not of the public network" in str(error.value)
    assert "--allow-private" in str(error.value)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_public_addresses_may_be_asked(address: str) -> None:
    assert web._inside(address) is None


class Resolver:
    """Says another address at each turn, as one does that rebinds a name."""

    def __init__(self, port: str, *turns: list[str]) -> None:
        self._port, self._turns = int(port), list(turns)
        self._real = socket.getaddrinfo
        self.asked: list[str] = []

    def __call__(self, host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if not str(host).endswith(".example"):
            return self._real(host, port, *rest, **more)
        self.asked.append(host)
        turn = self._turns.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, self._port)) for each in turn]


def test_a_name_is_looked_up_once_and_that_address_is_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.url.rpartition(":")[2]
    resolver = Resolver(port, ["127.0.0.1"], ["10.9.9.9"])
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    monkeypatch.setattr(web, "_inside", lambda _address: None)  # as if it were public
    assert fetch_page(f"http://a.example:{port}/page").content == PAGE
    assert resolver.asked == ["a.example"]
    assert server.asked[-1][1]["host"] == f"a.example:{port}"


def certificate(folder: Path, host: str) -> Path:
    """Write a certificate that a host has signed itself, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / f"{host}.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, kind, plain))
    return path


def test_the_certificate_must_be_of_the_host_whatever_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path, "a.example")
    with serving(ANSWERS, path) as server:
        port = server.url.rpartition(":")[2]
        resolver = Resolver(port, ["127.0.0.1"], ["127.0.0.1"], ["127.0.0.1"])
        monkeypatch.setattr(socket, "getaddrinfo", resolver)
        url = f"https://a.example:{port}/page"
        with pytest.raises(RemoteError, match="its certificate is not valid"):
            fetch_page(url, allow_private=True)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        assert fetch_page(url, allow_private=True).content == PAGE
        with pytest.raises(RemoteError, match="Hostname mismatch"):
            fetch_page(f"https://b.example:{port}/page", allow_private=True)


@pytest.mark.parametrize("turns", [[["127.0.0.1"]], [["8.8.8.8", "10.0.0.1"]], [["::1%lo"]]])
def test_a_name_of_which_any_address_is_private_is_refused(
    turns: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Resolver("80", *turns))
    with pytest.raises(RemoteError, match="not of the public network"):
        fetch_page("http://a.example/")


def test_each_redirect_is_looked_up_and_checked_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, port = web._inside, server.url.rpartition(":")[2]
    monkeypatch.setattr(
        web, "_inside", lambda address: None if address == "127.0.0.1" else real(address)
    )
    with pytest.raises(RemoteError, match=r"http://10\.0\.0\.1/: this leads to 10\.0\.0\.1"):
        fetch_page(f"{server.url}/private")
    monkeypatch.setattr(socket, "getaddrinfo", Resolver(port, ["127.0.0.1"], ["10.9.9.9"]))
    with pytest.raises(RemoteError, match=r"this leads to 10\.9\.9\.9"):
        fetch_page(f"http://a.example:{port}/loop")


def test_a_second_address_is_asked_where_the_first_is_not_there(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.url.rpartition(":")[2]
    monkeypatch.setattr(socket, "getaddrinfo", Resolver(port, ["127.9.9.9", "127.0.0.1"]))
    url = f"http://a.example:{port}/page"
    assert fetch_page(url, allow_private=True).content == PAGE


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.org/", "addresses of ftp are not read"),
        ("example.org", "addresses of no scheme are not read"),
        ("http://user:secret@example.org/", "name or a password"),
        ("http://a\\@example.org/", "name or a password"),
        ("http://exa\\mple.org/", "no web address"),
        ("http:///path", "no web address"),
        ("http://[::1/", "cannot be got"),
        ("http://example.org:99999/", "cannot be got"),
        ("http://" + "a" * 300 + "/", "no web address"),
        ("http://example.org/" + "a" * 9000, "no web address"),
        ("http://no-such-host.invalid/", "no such host"),
        ("http://127.0.0.1:1/", "Connection refused"),
    ],
)
def test_what_is_no_address_or_not_there_is_told(url: str, said: str) -> None:
    with pytest.raises(RemoteError) as error:
        fetch_page(url, allow_private=True, seconds=20)
    assert said in str(error.value)
    assert "secret" not in str(error.value)
    assert len(str(error.value)) < 500


def test_an_address_is_shown_on_one_line() -> None:
    assert show_url("http://u:p@h/\x1b[31m\n") == "http://h/\ufffd[31m"


@pytest.mark.parametrize(
    ("media_type", "path", "expected"),
    [
        ("text/html", "/feed.xml", "html"),
        ("text/plain", "/a.jsonl", "jsonl"),
        ("text/plain", "/a", None),
        ("", "/a.eml?x=y", "eml"),
        ("application/rss+xml", "/", "feed"),
        ("message/rfc822", "/a.txt", "eml"),
    ],
)
def test_server_and_address_say_the_format(
    media_type: str, path: str, expected: str | None
) -> None:
    fetched = Fetched(b"x", media_type, None, f"https://example.org{path}")
    assert web_source(fetched).format == expected
    assert web_source(fetched, "csv").is_forced
