"""The public keys in a file: a JWKS, or keys and certificates in PEM (RFC 7517 section 5, RFC 7468)."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from .jwks_document import loads_jwks
from .key_set import KeySet, key_set_from
from .public_key import has_secret
from .strict_json import cause_of
from .thumbprint import encode_segment, members_of, thumbprint_of_members

#: As of a JWKS that is fetched.
MAXIMUM_BYTES: Final = 512 * 1024
#: The Base64 inside has no hyphen, so the search ends at the next one: it takes no longer than the file is long.
_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----[^-]*+-----END \1-----")
_BEGIN: Final = b"-----BEGIN "
_PRIVATE: Final = b"PRIVATE KEY-----"
_KEY_LABELS: Final = frozenset({"PUBLIC KEY", "RSA PUBLIC KEY"})
_CERTIFICATE: Final = "CERTIFICATE"


class UnreadableFile(ValueError):
    """A file that cannot be read now; that says nothing of its content."""


class KeyFile(NamedTuple):
    """The keys in a file, and the hash of its content."""

    key_set: KeySet
    digest: bytes


def read_key_file(path: Path, known: KeyFile | None = None) -> KeyFile:
    """Return the keys in a file, which are the ``known`` ones where its content is.

    Raises ValueError, which names the file, where it has no keys of use (see `loads_keys`), and UnreadableFile.
    """
    try:
        if not path.is_file():  # a pipe or a device may never end
            raise ValueError(f"the file {path} is not there, or is no regular file")
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(f"the file {path} cannot be read ({error.strerror})") from None
    if len(data) > MAXIMUM_BYTES:
        raise ValueError(f"the file {path} is larger than {MAXIMUM_BYTES // 1024} KiB")
    digest = hashlib.sha256(data).digest()
    if known is not None and known.digest == digest:
        return known
    try:
        return KeyFile(loads_keys(data, str(path)), digest)
    except ValueError as error:
        raise ValueError(f"the file {path} has {error}") from None


def loads_keys(data: bytes, source: str) -> KeySet:
    """Return the keys in the content of a file; ``source`` is its name in the log.

    A key in PEM has its thumbprint for ``kid`` (RFC 7638), that of a certificate also those of the certificate. Raises
    ValueError for what is neither PEM nor a JWKS, and like `static_keys`.
    """
    if _PRIVATE in data:
        raise ValueError("private keys, which have no place at a resource server: give the public keys alone")
    blocks = list(_BLOCK.finditer(data))
    if blocks and len(blocks) < data.count(_BEGIN):
        raise ValueError("a PEM block that has no end, or more than Base64 in it")
    if blocks:
        return static_keys({"keys": [_jwk(block[1].decode(), block[0]) for block in blocks]}, source)
    try:
        jwks = loads_jwks(data)
    except ValueError as error:
        raise ValueError(f"neither PEM nor the JSON of a JWKS ({cause_of(error)})") from None
    return static_keys(jwks, source)


def static_keys(jwks: Mapping[str, Any], source: str) -> KeySet:
    """Return the keys of a JWKS that was put here by the project; ``source`` is its name in the log.

    Raises ValueError, which shows no key: where there is a private or a secret one, or no usable one.
    """
    entries = jwks.get("keys")
    if isinstance(entries, list) and any(map(has_secret, entries)):
        raise ValueError("private or secret keys, which have no place at a resource server: give the public keys alone")
    key_set = key_set_from(jwks, source)
    if not len(key_set):
        reasons = "; ".join(f"{key.name} {key.reason}" for key in key_set.unusable[:5])
        raise ValueError(f"no usable key{': ' if reasons else ''}{reasons}")
    return key_set


def _jwk(label: str, block: bytes) -> dict[str, str]:
    if label != _CERTIFICATE and label not in _KEY_LABELS:
        raise ValueError(f"a PEM block {label}, which is no public key and no certificate")
    try:
        if label == _CERTIFICATE:
            return _jwk_of_certificate(block)
        members = members_of(load_pem_public_key(block))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"a PEM block {label} that cannot be used ({error})") from None
    return {"kid": thumbprint_of_members(members), **members}


def _jwk_of_certificate(block: bytes) -> dict[str, str]:
    certificate = load_pem_x509_certificate(block)
    members, der = members_of(certificate.public_key()), certificate.public_bytes(Encoding.DER)
    return {
        "kid": thumbprint_of_members(members),
        "x5t#S256": encode_segment(hashlib.sha256(der).digest()),
        "x5t": encode_segment(hashlib.sha1(der, usedforsecurity=False).digest()),  # what the header parameter is
        **members,
    }
