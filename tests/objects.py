"""Object storage and a web server of this machine, for the tests of addresses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

KEYS = {
    "AWS_ACCESS_KEY_ID": "TESTING-KEY",
    "AWS_SECRET_ACCESS_KEY": "TESTING-SECRET",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


class Storage:
    """S3 as moto has it, and what is in it.

    Attributes:
        env: By which it is reached.
    """

    def __init__(self, url: str) -> None:
        import boto3

        self.env = {**KEYS, "AWS_ENDPOINT_URL": url}
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id="k",
            aws_secret_access_key="s",  # noqa: S106
            region_name="us-east-1",
        )

    def make_bucket(self, name: str) -> None:
        self.client.create_bucket(Bucket=name)

    def put(self, bucket: str, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=bucket, Key=key, Body=data)

    def get(self, bucket: str, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return data

    def keys(self, bucket: str) -> list[str]:
        found = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return [each["Key"] for each in found]


@contextmanager
def serving_storage() -> Iterator[Storage]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Storage(f"http://{host}:{port}")
    server.stop()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving_folder(folder: Path) -> Iterator[str]:
    """Serve a folder, from start to end of each file only; yield the address."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Bucket(BaseHTTPRequestHandler):
    """As much of Google Cloud Storage's interface as a run needs, for one bucket."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes]

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        name = unquote(path.partition("/o/")[2])
        if not name and "/o" in path.partition("/b/")[2]:
            self._list(query.get("prefix", ""), query.get("delimiter", ""))
        elif name and name not in self.objects:
            self._answer(404, b'{"error": {"code": 404, "message": "none"}}')
        elif query.get("alt") == "media":
            first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
            self._answer(206, self.objects[name][first : last + 1])
        else:
            self._answer(200, json.dumps(self._about(name) if name else {"name": "b"}).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n"
        about, data = (
            part
            for part in message_from_bytes(head.encode() + body).walk()
            if not part.is_multipart()
        )
        name = json.loads(about.get_payload())["name"]
        self.objects[name] = data.get_payload(decode=True)
        self._answer(200, json.dumps(self._about(name)).encode())

    def do_DELETE(self) -> None:
        found = self.objects.pop(unquote(self.path.partition("/o/")[2].partition("?")[0]), None)
        self._answer(404 if found is None else 204, b"")

    def _list(self, prefix: str, delimiter: str) -> None:
        items, prefixes = [], set()
        for name in sorted(self.objects):
            rest = name.removeprefix(prefix)
            if name.startswith(prefix) and delimiter and delimiter in rest:
                prefixes.add(prefix + rest.partition(delimiter)[0] + delimiter)
            elif name.startswith(prefix):
                items.append(self._about(name))
        self._answer(200, json.dumps({"items": items, "prefixes": sorted(prefixes)}).encode())

    def _about(self, name: str) -> dict[str, str]:
        link = f"http://{self.headers['Host']}/download/storage/v1/b/b/o/{quote(name, safe='')}"
        size, tag = str(len(self.objects[name])), str(hash(self.objects[name]))
        about = {"name": name, "bucket": "b", "size": size, "etag": tag, "generation": "1"}
        return {**about, "mediaLink": f"{link}?alt=media"}

    def _answer(self, code: int, data: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving_bucket(objects: dict[str, bytes]) -> Iterator[str]:
    """Serve objects as Google Cloud Storage does, in a bucket b; yield the address."""
    handler = type("Handler", (_Bucket,), {"objects": objects})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
