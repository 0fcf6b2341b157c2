"""The body of an HTTP answer, limited in size before and after decompression."""

import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import requests
import urllib3

from .failures import NoAnswer

#: The largest document that is read, in bytes, compressed or not; real ones have a few thousand.
MAXIMUM_BYTES: Final = 512 * 1024
#: What is asked for: requests and urllib3 know more codings, and undo one after the other without a limit.
ACCEPT_ENCODING: Final = "gzip, deflate"

_CHUNK_BYTES: Final = 16 * 1024
#: zlib recognizes both formats by their headers.
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
#: So begins each member of gzip.
_MEMBER: Final = b"\x1f\x8b"
#: By coding (RFC 9110 section 8.4.1): the formats to try. Some servers send deflate without the header of zlib.
_FORMATS: Final = {
    "gzip": (_GZIP_OR_ZLIB,),
    "x-gzip": (_GZIP_OR_ZLIB,),
    "deflate": (_GZIP_OR_ZLIB, -zlib.MAX_WBITS),
}


def read_body(response: requests.Response, deadline: float) -> bytes:
    """Return the decoded body.

    Raises NoAnswer where it is too long or cannot be decoded, TimeoutError after the monotonic deadline.
    """
    raw: Any = response.raw
    if raw is None:  # the adapter of a project's own session may have read, and decoded, everything
        return _limited(response.content)
    if not isinstance(raw, urllib3.HTTPResponse):
        return _joined(response.iter_content(1024), deadline)
    # read1 returns what has arrived, while read blocks until a dripping server has sent it all; urllib3 1 has none.
    read = getattr(raw, "read1", raw.read)
    body = _joined(iter(lambda: read(_CHUNK_BYTES, decode_content=False), b""), deadline)
    return _decoded(body, response.headers.get("Content-Encoding", ""))


def _joined(chunks: Iterable[bytes], deadline: float) -> bytes:
    body = b""
    for chunk in chunks:
        body = _limited(body + chunk)
        if time.monotonic() > deadline:
            raise TimeoutError
    return body


def _limited(body: bytes) -> bytes:
    if len(body) > MAXIMUM_BYTES:
        raise NoAnswer(f"longer than {MAXIMUM_BYTES} bytes")
    return body


def _decoded(body: bytes, content_encoding: str) -> bytes:
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if not codings:
        return body
    if len(codings) > 1 or codings[0] not in _FORMATS:
        raise NoAnswer(f"content coding that is not supported: {ascii(content_encoding)[:80]}")
    for wbits in _FORMATS[codings[0]]:
        with suppress(zlib.error):
            return _decompressed(body, wbits)
    raise NoAnswer("body that cannot be decompressed")


def _decompressed(body: bytes, wbits: int) -> bytes:
    """Return what is in a compressed body: in all its members, as gzip may have several (RFC 1952 section 2.2)."""
    document = b""
    while True:
        decompressor = zlib.decompressobj(wbits)
        document = _limited(document + decompressor.decompress(body, MAXIMUM_BYTES + 1 - len(document)))
        if not decompressor.eof:
            raise NoAnswer("body that ends too early")
        body = decompressor.unused_data
        if not body.startswith(_MEMBER):  # padding, as gzip itself has it
            return document
