"""Files elsewhere: buckets of real S3, GCS and HTTP servers on this machine, and everything that can go wrong there."""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import http.server
import io
import json
import socket
import subprocess
import sys
import threading
import time
import types
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec import get_filesystem_class

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import FileDigests
from mixwright.pipeline.lock import Lock, make_lock
from mixwright.recipe.data import Source
from mixwright.recipe.load import load_recipe
from mixwright.sources.files.data_file import RemoteFile, label_of
from mixwright.sources.files.data_sets import files_of
from mixwright.sources.files.finding import find, find_files
from mixwright.sources.intake.ingest import ingest
from mixwright.sources.intake.records import read_records
from mixwright.sources.rows.formats.row import Row
from mixwright.sources.rows.readers import read_rows

ROW = b'{"prompt": "2 + 2?", "completion": "4"}\n'
NOWHERE = "http://127.0.0.1:9"
AWS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}


class Bucket(NamedTuple):
    """root: its URL. put, delete: a file by its name, past what we read it with."""

    root: str
    put: Callable[[str, bytes], object]
    delete: Callable[[str], object]


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    pytest.importorskip("s3fs")
    moto = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (AWS | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}).items():
            patch.setenv(name, value)
        get_filesystem_class("s3").clear_instance_cache()  # those of other tests have no credentials
        client = boto3.client("s3")
        client.create_bucket(Bucket="desk")
        yield Bucket(
            "s3://desk",
            lambda name, content: client.put_object(Bucket="desk", Key=name, Body=content),
            lambda name: client.delete_object(Bucket="desk", Key=name),
        )
    server.stop()


@pytest.fixture(scope="module")
def gcs() -> Iterator[Bucket]:
    pytest.importorskip("gcsfs")
    pytest.importorskip("gcp_storage_emulator")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = f"http://127.0.0.1:{port}"
    words = ["start", "--host=127.0.0.1", f"--port={port}", "--in-memory", "--default-bucket=desk"]
    server = subprocess.Popen([sys.executable, "-m", "gcp_storage_emulator", *words], stderr=subprocess.DEVNULL)

    def ask(method: str, path: str, content: bytes | None = None) -> None:
        headers = {"Content-Type": "application/octet-stream"}
        urllib.request.urlopen(urllib.request.Request(root + path, content, headers, method=method)).close()

    for _ in range(600):
        with contextlib.suppress(OSError):
            ask("GET", "/storage/v1/b/desk")
            break
        time.sleep(0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", root)
        patch.setenv("NO_GCE_CHECK", "true")  # nothing is asked for credentials
        get_filesystem_class("gs").clear_instance_cache()
        upload = "/upload/storage/v1/b/desk/o?uploadType=media&name="
        yield Bucket(
            "gs://desk",
            lambda name, content: ask("POST", upload + urllib.parse.quote(name, safe=""), content),
            lambda name: ask("DELETE", f"/storage/v1/b/desk/o/{urllib.parse.quote(name, safe='')}"),
        )
    server.terminate()
    server.wait()


@pytest.fixture(params=["s3", "gcs"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    """A bucket of each store, with files in it."""
    found: Bucket = request.getfixturevalue(request.param)
    for name, content in {"a/2.jsonl": ROW, "a/1.jsonl.gz": gzip.compress(ROW * 2), "a/notes.md": b"# N"}.items():
        found.put(name, content)
    return found


def locked(folder: Path, path: str) -> Lock:
    file = folder / "recipe.yaml"
    file.write_text(
        "mixwright: 1\nname: sums\nbase: {model: embedded:nano}\n"
        f'sources: {{sums: {{role: domain, path: "{path}"}}}}\n'
        "blend: {shares: {sums: 1}, budget: {tokens: 100}}\n"
    )
    return make_lock(load_recipe(file), FileDigests(folder / "digests.json"), 1)


def test_a_bucket_is_listed_and_read(bucket: Bucket, tmp_path: Path) -> None:
    source = Source(role="domain", path=f"{bucket.root}/a/*.jsonl*")
    files = files_of(source, "sources.x")
    assert [str(file) for file in files] == [f"{bucket.root}/a/1.jsonl.gz", f"{bucket.root}/a/2.jsonl"]
    assert all(isinstance(file, RemoteFile) and file.version and file.size for file in files)
    assert ingest("x", source, tmp_path)["rows_kept"] == 3
    assert [record.origin for record in read_records(tmp_path / "records.parquet")][-1] == "2.jsonl:1"


def test_columns_are_read_by_seeking(bucket: Bucket) -> None:
    table = io.BytesIO()
    pq.write_table(pa.table({"text": ["one", "two"]}), table)
    bucket.put("b/rows.parquet", table.getvalue())
    (file,) = find_files(f"{bucket.root}/b", "sources.x.path")
    assert [row.value for row in read_rows(file)] == [{"text": "one"}, {"text": "two"}]


def test_the_end_of_an_arrow_stream_is_looked_for_there_too(bucket: Bucket) -> None:
    table, content = pa.table({"text": ["one", "two"] * 500}), io.BytesIO()
    with pa.ipc.new_stream(content, table.schema) as writer:
        writer.write_table(table, max_chunksize=100)
    bucket.put("b/whole.arrow", content.getvalue())
    bucket.put("b/cut.arrow", content.getvalue()[:-8])
    assert len(read_all(f"{bucket.root}/b/whole.arrow")) == 1000
    with pytest.raises(InputError, match="not finished"):
        read_all(f"{bucket.root}/b/cut.arrow")


def test_the_lock_holds_the_version_that_the_store_keeps(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("c/1.jsonl", ROW)
    first = locked(tmp_path, f"{bucket.root}/c/*.jsonl")
    (about,) = first.files["sources.sums"]
    assert (about["name"], about["bytes"], set(about)) == ("1.jsonl", len(ROW), {"name", "bytes", "version"})
    assert locked(tmp_path, f"{bucket.root}/c").id == first.id
    bucket.put("c/1.jsonl", ROW.replace(b"4", b"5"))
    with pytest.raises(InputError, match=r"1\.jsonl changed while it was read"):
        first.check_unchanged("sources.sums", first.recipe.sources["sums"], FileDigests(tmp_path / "digests.json"))
    assert locked(tmp_path, f"{bucket.root}/c").id != first.id


@pytest.mark.parametrize("name", ["none/x.jsonl", "none.jsonl", "a/*.csv", "none/*.jsonl"])
def test_what_a_bucket_does_not_hold_is_said(bucket: Bucket, name: str) -> None:
    with pytest.raises(InputError, match="no file") as caught:
        find_files(f"{bucket.root}/{name}", "sources.x.path")
    assert caught.value.where == "sources.x.path"


@pytest.mark.parametrize("name", ["x.jsonl", "*.jsonl", ""])
def test_a_bucket_that_does_not_exist_is_said(bucket: Bucket, name: str) -> None:
    with pytest.raises(InputError, match="no file") as caught:
        find_files(f"{bucket.root.replace('desk', 'no-such-bucket')}/{name}", "sources.x.path")
    assert caught.value.where == "sources.x.path"
    assert "bucket" in str(caught.value.fix)


def test_a_file_that_goes_after_it_was_found_is_said(bucket: Bucket) -> None:
    bucket.put("d/1.jsonl", ROW)
    (file,) = find_files(f"{bucket.root}/d", "sources.x.path")
    bucket.delete("d/1.jsonl")
    with pytest.raises(InputError, match="no file") as caught:
        list(read_rows(file))
    assert caught.value.where == f"{bucket.root}/d/1.jsonl"


class Faulty(http.server.BaseHTTPRequestHandler):
    """As much of the three protocols as it takes to refuse, or to say that there is a file and break off within it.

    status, code: with which every request is refused, unless the status is 200. content: of every file.
    """

    protocol_version = "HTTP/1.1"
    status, code = 200, ""
    content = b""

    def log_message(self, *about: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if self.status != 200:
            self.answer(f"<Error><Code>{self.code}</Code><Message>No.</Message></Error>".encode())
        elif "list-type=2" in self.path:
            self.answer(b"<ListBucketResult><Name>desk</Name><KeyCount>0</KeyCount></ListBucketResult>")
        elif "/o/" in self.path and "alt=media" not in self.path:
            name = self.path.rpartition("/")[2].partition("?")[0]
            about = {"name": name, "bucket": "desk", "size": str(len(self.content)), "etag": "e"}
            self.answer(json.dumps(about).encode())
        elif self.path.partition("?")[0].endswith("/o"):
            self.answer(b"{}")
        else:
            first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
            start = int(first or len(self.content) - int(last))
            end = int(last) if first and last else len(self.content) - 1
            self.answer(self.content[start : end + 1], start)

    def answer(self, content: bytes, start: int | None = None) -> None:
        self.send_response(self.status if start is None else 206)
        self.send_header("Content-Length", str(len(content)))
        if start is not None:
            whole = len(self.content)
            self.send_header("Content-Range", f"bytes {start}-{start + len(content) - 1}/{whole}")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("ETag", '"e"')
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        if self.command == "GET" and (start is None or start > len(self.content) * 3 // 4):
            self.wfile.write(content)
        elif self.command == "GET":
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *about: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *about: object) -> None:
        """A client may hang up."""


@contextlib.contextmanager
def serving(handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server."""
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def forget() -> None:
    """Stores are asked anew, at the address that the environment now has."""
    for kind in ("s3", "gs"):
        get_filesystem_class(kind).clear_instance_cache()


@pytest.fixture(params=["s3://desk", "gs://desk", "http"])
def root_at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """From the address of a server to the root under which each kind of store is read from it."""
    gcsfs = pytest.importorskip("gcsfs")
    pytest.importorskip("s3fs")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("NO_GCE_CHECK", "true")

    async def at_once(seconds: float) -> None:
        pass

    monkeypatch.setattr(gcsfs.retry, "asyncio", types.SimpleNamespace(sleep=at_once))  # which waits half a minute

    def root(address: str) -> str:
        for name, value in (AWS | {"AWS_ENDPOINT_URL": address, "STORAGE_EMULATOR_HOST": address}).items():
            monkeypatch.setenv(name, value)
        return address if request.param == "http" else str(request.param)

    forget()
    yield root
    forget()


def test_a_store_that_does_not_answer_is_said(root_at: Callable[[str], str]) -> None:
    with pytest.raises(InputError, match="cannot be reached") as caught:
        find_files(f"{root_at(NOWHERE)}/x.jsonl", "sources.x.path")
    assert caught.value.where == "sources.x.path"
    assert "network" in str(caught.value.fix)


@pytest.mark.parametrize(
    ("status", "code"), [(403, "AccessDenied"), (403, "SignatureDoesNotMatch"), (401, "InvalidAccessKeyId")]
)
def test_a_store_that_refuses_is_said(root_at: Callable[[str], str], status: int, code: str) -> None:
    handler = type("Refusing", (Faulty,), {"status": status, "code": code})
    with serving(handler) as address, pytest.raises(InputError, match="may not be read") as caught:
        find_files(f"{root_at(address)}/x.jsonl", "sources.x.path")
    assert caught.value.where == "sources.x.path"
    assert "credentials" in str(caught.value.fix)


def read_all(url: str) -> list[Row]:
    return [row for file in find_files(url, "sources.x.path") for row in read_rows(file)]


def rows_of(name: str) -> bytes:
    if not name.endswith(".parquet"):
        content = ROW * 50_000
        return gzip.compress(content, 0) if name.endswith(".gz") else content
    table = io.BytesIO()
    pq.write_table(
        pa.table({"text": [f"{n:01000}" for n in range(5_000)]}), table, compression="none", row_group_size=99
    )
    return table.getvalue()


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.jsonl.gz", "x.parquet"])
def test_a_connection_that_breaks_in_the_middle_is_no_short_file(
    root_at: Callable[[str], str], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    handler = type("Breaking", (Faulty,), {"content": rows_of(name)})
    with serving(handler) as address, pytest.raises(InputError, match="cannot be reached") as caught:
        read_all(f"{root_at(address)}/{name}")
    assert name in str(caught.value)
    assert not [record for record in caplog.records if record.exc_info]  # which a terminal would show as a traceback


def test_an_unknown_kind_of_store_is_said() -> None:
    with pytest.raises(InputError, match="not understood"):
        find_files("carrier-pigeon://x/y.jsonl", "sources.x.path")


def test_the_query_of_an_address_is_no_part_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(ROW)
    with serving(functools.partial(Quiet, directory=str(tmp_path))) as address:
        source = Source(role="domain", path=f"{address}/rows.jsonl?download=true&X-Signature=a/b.c")
        ingest("x", source, tmp_path)
        (about,) = locked(tmp_path, f"{address}/rows.jsonl?download=true&X-Signature=a/b.c").files["sources.sums"]
        for wrong in ("rows-?.jsonl", "*.jsonl?download=true"):
            with pytest.raises(InputError, match="query") as caught:
                find_files(f"{address}/{wrong}", "sources.x.path")
            assert caught.value.where == "sources.x.path"
        both = [f"{address}/rows.jsonl?part={number}" for number in (1, 2)]
        assert [label_of(file) for file in find_files(both, "sources.x.path")] == ["rows.jsonl#1", "rows.jsonl#2"]
    assert [record.origin for record in read_records(tmp_path / "records.parquet")] == ["rows.jsonl:1"]
    assert about["name"] == "rows.jsonl"


def test_a_folder_of_a_bucket_is_read_as_one_on_this_machine_is(bucket: Bucket) -> None:
    for name in ("e/x/part-0.jsonl", "e/y/part-0.jsonl", "e/state.json", "e/notes.xlsx", "f/a.csv.gz", "f/b.jsonl"):
        bucket.put(name, ROW)
    files, notes = find(f"{bucket.root}/e", "sources.x.path")
    assert [label_of(file) for file in files] == ["x/part-0.jsonl", "y/part-0.jsonl"]
    assert notes == [f"{bucket.root}/e is read without files of other kinds: notes.xlsx"]
    with pytest.raises(InputError, match="several kinds") as caught:
        find_files(f"{bucket.root}/f", "sources.x.path")
    assert f"{bucket.root}/f/**/*.jsonl or {bucket.root}/f/**/*.csv.gz" in str(caught.value.fix)


def test_a_file_is_read_over_http_and_hashed_where_its_store_keeps_no_versions(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(ROW * 3)
    with serving(functools.partial(Quiet, directory=str(tmp_path))) as address:
        (file,) = find_files(f"{address}/rows.jsonl", "sources.x.path")
        assert len(list(read_rows(file))) == 3
        (about,) = locked(tmp_path, f"{address}/rows.jsonl").files["sources.sums"]
    assert about == {"name": "rows.jsonl", "bytes": 3 * len(ROW), "sha256": hashlib.sha256(ROW * 3).hexdigest()}
