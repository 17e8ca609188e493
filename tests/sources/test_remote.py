"""Files elsewhere: a bucket of a real S3 server and a real HTTP server on this machine, and neither."""

from __future__ import annotations

import functools
import gzip
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mixwright.ground.errors import InputError
from mixwright.recipe.data import Source
from mixwright.sources.data_sets import files_of
from mixwright.sources.files import RemoteFile, find_files
from mixwright.sources.ingest import ingest
from mixwright.sources.readers import read_rows
from mixwright.sources.records import read_records

ROW = b'{"prompt": "2 + 2?", "completion": "4"}\n'


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The name of a bucket with files in it."""
    pytest.importorskip("s3fs")
    moto = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    patch = pytest.MonkeyPatch()
    host, port = server.get_host_and_port()
    settings = {"ENDPOINT_URL": f"http://{host}:{port}", "ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s"}
    for name, value in (settings | {"DEFAULT_REGION": "us-east-1"}).items():
        patch.setenv(f"AWS_{name}", value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="desk")
    for name, content in {"a/2.jsonl": ROW, "a/1.jsonl.gz": gzip.compress(ROW * 2), "a/notes.md": b"# N"}.items():
        client.put_object(Bucket="desk", Key=name, Body=content)
    yield "desk"
    patch.undo()
    server.stop()


def test_a_bucket_is_listed_and_read(bucket: str, tmp_path: Path) -> None:
    source = Source(role="domain", path=f"s3://{bucket}/a/*.jsonl*")
    files = files_of(source, "sources.x")
    assert [str(file) for file in files] == [f"s3://{bucket}/a/1.jsonl.gz", f"s3://{bucket}/a/2.jsonl"]
    assert all(isinstance(file, RemoteFile) and file.version and file.size for file in files)
    assert ingest("x", source, tmp_path)["rows_kept"] == 3
    assert [record.origin for record in read_records(tmp_path / "records.parquet")][-1] == "2.jsonl:1"


@pytest.mark.parametrize("name", ["none/x.jsonl", "a/*.csv"])
def test_what_a_bucket_does_not_hold_is_said(bucket: str, name: str) -> None:
    with pytest.raises(InputError, match="no file"):
        find_files(f"s3://{bucket}/{name}", "sources.x.path")


def test_a_bucket_that_does_not_exist_is_said(bucket: str) -> None:
    with pytest.raises(InputError, match=r"no file|cannot be reached|may not be read") as caught:
        find_files("s3://no-such-bucket/x.jsonl", "sources.x.path")
    assert caught.value.where == "sources.x.path"


def test_a_store_that_does_not_answer_is_said() -> None:
    with pytest.raises(InputError, match="cannot be reached"):
        find_files("http://127.0.0.1:9/x.jsonl", "sources.x.path")


def test_an_unknown_kind_of_store_is_said() -> None:
    with pytest.raises(InputError, match="not understood"):
        find_files("carrier-pigeon://x/y.jsonl", "sources.x.path")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *about: object) -> None:
        pass


def test_a_file_is_read_over_http(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(ROW * 3)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        (file,) = find_files(f"http://127.0.0.1:{server.server_port}/rows.jsonl", "sources.x.path")
        assert len(list(read_rows(file))) == 3
    finally:
        server.shutdown()
