"""The client's certificate, and its thumbprint ``x5t#S256`` (RFC 8705 section 3.1).

Whether the certificate is a good one was decided by the server that ended TLS; here it is only compared. So its text
is decoded and not parsed: a broken one has a thumbprint that no token names.
"""

import hashlib
from base64 import b64decode
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote

from django.http import HttpRequest

from ..conf import HEADER_SOURCES, ClientCertificateSettings
from ..errors import InvalidToken
from ..jws import encode_segment
from .xfcc import last_element

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"


def certificate_thumbprint(request: HttpRequest, settings: ClientCertificateSettings | None) -> str | None:
    """Return the ``x5t#S256`` of the certificate that the client of a request has shown, None where it has not.

    Raises InvalidToken (``unproven``) for what is no certificate, and for a header of somebody who is not trusted to
    set it. A callable of the project is asked for the certificate where the settings name one.
    """
    settings = required_source(settings)
    if not isinstance(settings.source, str):
        return _thumbprint_of(settings.source(request))
    variable, digest_of = _SOURCES[settings.source]
    text = request.META.get(variable)
    if not text:
        return None
    if settings.source in HEADER_SOURCES:
        if not _is_trusted(request.META.get("REMOTE_ADDR"), settings):
            raise _unproven("the header with the certificate comes from an address that is not in TRUSTED_PROXIES")
        if _has_other_spelling(request, variable):
            raise _unproven("a header with underscores passes for the one with the certificate")
    try:
        return encode_segment(digest_of(text))
    except ValueError as error:
        raise _unproven(f"the client's certificate cannot be read: {error}") from error


def required_source(settings: ClientCertificateSettings | None) -> ClientCertificateSettings:
    """Return the settings that say where the certificate is; raise InvalidToken (``unproven``) where none do."""
    if settings is None:
        raise _unproven("the token is bound to a certificate, and CLIENT_CERTIFICATE is not set")
    return settings


def _thumbprint_of(certificate: Any) -> str | None:
    """Return the thumbprint of what a callable of the project returned."""
    if certificate is None:
        return None
    if not isinstance(certificate, str | bytes):
        kind = type(certificate).__name__
        raise TypeError(f"CLIENT_CERTIFICATE['SOURCE'] must return PEM, DER or None, not a {kind}")
    if isinstance(certificate, bytes):
        text = certificate.removeprefix(BOM_UTF8).lstrip()
        certificate = text.decode("latin-1") if text.startswith(_BEGIN.encode()) else certificate  # no DER begins so
    try:
        return encode_segment(_sha256(_from_pem(certificate) if isinstance(certificate, str) else certificate))
    except ValueError as error:
        raise _unproven(f"the client's certificate cannot be read: {error}") from error


def _is_trusted(address: str | None, settings: ClientCertificateSettings) -> bool:
    if not address:  # of a socket in the file system
        return settings.trusts_unix_socket
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in settings.networks)


def _has_other_spelling(request: HttpRequest, variable: str) -> bool:
    """Tell whether a header with underscores was sent, too, which Django before 5.2.13 takes for one under ASGI.

    A proxy sets its own header, and may also pass on the client's, spelled with underscores.
    """
    scope = getattr(request, "scope", None)
    headers = scope.get("headers", ()) if isinstance(scope, Mapping) else ()
    name = variable.removeprefix("HTTP_").encode()
    return any(b"_" in sent and sent.upper().replace(b"-", b"_") == name for sent, _ in headers)


def _from_pem(text: str) -> bytes:
    """Return the first certificate in a text: of a chain it is the client's own (RFC 8446 section 4.4.2)."""
    before, begin, rest = text.partition(_BEGIN)
    body, end, _ = rest.partition(_END)
    if before.strip() or not (begin and end):
        raise ValueError("no whole PEM certificate")
    return _from_base64("".join(body.split()))


def _from_byte_sequence(text: str) -> bytes:
    """Return the bytes of a structured field that is one byte sequence (RFC 9440 section 2.1, RFC 8941 section 3.3.5).

    Two fields of that name are joined to what is none.
    """
    text = text.strip(" ")
    if len(text) < 2 or not (text.startswith(":") and text.endswith(":")):  # noqa: PLR2004  # a colon at each end
        raise ValueError("no byte sequence (RFC 9440)")
    return _from_base64(text[1:-1])


def _from_escaped_pem(text: str) -> bytes:
    if "," in text:  # servers join headers of one name so, and an escaped text has none
        raise ValueError("more than one certificate")
    return _from_pem(unquote(text))


def _from_base64(text: str) -> bytes:
    der = b64decode(text, validate=True)
    if not der:
        raise ValueError("empty")
    return der


def _sha256(der: bytes) -> bytes:
    return hashlib.sha256(der).digest()


def _digest_in_xfcc(text: str) -> bytes:
    """Return the SHA-256 of the certificate of which Envoy tells in X-Forwarded-Client-Cert.

    Each proxy on the way adds an element at the end. What the last one says is what our own proxy has seen: of all
    that stands before it, that proxy knows no more than that it was sent. ``Hash`` is the digest itself, in hex.
    """
    element = last_element(text)
    if "cert" in element:
        return _sha256(_from_escaped_pem(element["cert"]))
    digest = bytes.fromhex(element.get("hash", ""))
    if len(digest) != hashlib.sha256().digest_size:
        raise ValueError("neither Cert nor Hash in the last element of X-Forwarded-Client-Cert")
    return digest


#: By source: the key of ``request.META``, and what makes the SHA-256 of the certificate of its value.
_SOURCES: Final[Mapping[str, tuple[str, Callable[[str], bytes]]]] = MappingProxyType(
    {
        "rfc9440": ("HTTP_CLIENT_CERT", lambda text: _sha256(_from_byte_sequence(text))),
        "nginx": ("HTTP_X_SSL_CLIENT_CERT", lambda text: _sha256(_from_escaped_pem(text))),
        "envoy": ("HTTP_X_FORWARDED_CLIENT_CERT", _digest_in_xfcc),
        "wsgi": ("SSL_CLIENT_CERT", lambda text: _sha256(_from_pem(text))),
    }
)


def _unproven(detail: str) -> InvalidToken:
    return InvalidToken("unproven", detail=detail)
