"""Stores elsewhere, through fsspec: how one is asked, what it says of a file, and what it raises, as bad input."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from mixwright.ground.errors import InputError

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "http": "http", "https": "http"}
VERSION_KEYS = ("ETag", "etag", "md5Hash", "blob_id", "generation", "checksum")

for library in ("gcsfs", "fsspec.prefetcher"):  # they log, with a traceback, what they raise as well
    logging.getLogger(library).setLevel(logging.CRITICAL)


def is_url(path: str) -> bool:
    return "://" in path


def is_web(url: str) -> bool:
    """Whether what follows a `?` in the URL is a query, not part of a name."""
    return url.startswith(("http://", "https://"))


def system_of(url: str, where: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it. Raises InputError when the library for it is missing."""
    from fsspec.core import url_to_fs

    scheme = url.partition("://")[0]
    try:
        return url_to_fs(url)  # type: ignore[no-any-return]
    except ImportError:
        extra = EXTRAS.get(scheme)
        fix = f"pip install 'mixwright[{extra}]'" if extra else "Install the fsspec implementation that serves it."
        raise InputError(f"reading {scheme}:// needs a library that is not installed", where=where, fix=fix) from None
    except ValueError as error:
        fix = "Known are s3://, gs://, hf://, https:// and whatever else fsspec knows."
        raise InputError(f"{scheme}:// is not understood ({error})", where=where, fix=fix) from None


def version_of(about: dict[str, Any]) -> str:
    """What a store's entry for a file says of its content; empty when it says nothing that is kept."""
    lfs = about.get("lfs")
    if lfs is not None:  # of a Hugging Face repository: the SHA-256 of a large file
        return str(lfs["sha256"] if isinstance(lfs, dict) else lfs.sha256)
    return next((str(about[key]).strip('"') for key in VERSION_KEYS if about.get(key)), "")


@contextlib.contextmanager
def reached(url: str, where: str) -> Iterator[None]:
    """What a remote store raises, as bad input: every library has exceptions of its own, so any is caught."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        fix = "Check the bucket, the name and the pattern."
        raise InputError(f"there is no file {url}", where=where, fix=fix) from None
    except Exception as error:
        if _is_refusal(error):
            fix = "Check the credentials in the environment (for S3 AWS_*, for GCS GOOGLE_APPLICATION_CREDENTIALS)."
            raise InputError(f"{url} may not be read ({_brief(error)})", where=where, fix=fix) from None
        fix = "Check the address and the network (for S3 also AWS_ENDPOINT_URL), and give the same command again."
        raise InputError(f"{url} cannot be reached ({_brief(error)})", where=where, fix=fix) from None


def _is_refusal(error: Exception) -> bool:
    status = getattr(error, "status", getattr(error, "code", None))  # of HTTP, as aiohttp and gcsfs tell it
    said = str(error).lower()
    return isinstance(error, PermissionError) or status in (401, 403) or "credentials" in said or "forbidden" in said


def _brief(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__
