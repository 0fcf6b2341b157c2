"""The keys in files: JWKS and PEM, and what is no file of public keys."""

import base64
import datetime as dt
import hashlib
import json
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from django_oauth_jwt.jws import KeySet, read_key_file, thumbprint_of, verify_compact
from django_oauth_jwt.jws.key_files import MAXIMUM_BYTES
from django_oauth_jwt.testing import SigningKey

ALGORITHMS = ["RS256", "ES256", "ES384", "ES512", "EdDSA"]


def pem_of(public_key, form=PublicFormat.SubjectPublicKeyInfo):
    return public_key.public_bytes(Encoding.PEM, form)


def certificate_of(private_key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "as.example.com")])
    digest = None if isinstance(private_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return (
        x509.CertificateBuilder(name, name, private_key.public_key(), 1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2021, 1, 1, tzinfo=dt.UTC))
        .sign(private_key, digest)
    )


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def write(data, name="keys"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_public_key_in_pem_has_its_thumbprint_for_kid(write, signing_key, alg):
    """A token that names the key by its thumbprint (RFC 7638) is verified, and one that names none as well."""
    key = signing_key(alg)
    key_set = read_key_file(write(pem_of(key.private_key.public_key()))).key_set
    (public,) = key_set
    assert public.kid == thumbprint_of(public)
    for header in ({"kid": public.kid}, {}):
        verify_compact(key.encode({"alg": alg, **header}, b"{}"), key_set, [alg])


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_certificate_is_known_by_its_own_thumbprints_too(write, signing_key, alg):
    """``x5t#S256`` and ``x5t`` name the certificate (RFC 7515 section 4.1.7); whether it is valid is no matter."""
    key = signing_key(alg)
    certificate = certificate_of(key.private_key)
    (public,) = read_key_file(write(certificate.public_bytes(Encoding.PEM))).key_set
    der = certificate.public_bytes(Encoding.DER)
    assert public.kid == thumbprint_of(public)
    assert public.thumbprints == {
        "x5t#S256": base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode(),
        "x5t": base64.urlsafe_b64encode(hashlib.sha1(der).digest()).rstrip(b"=").decode(),
    }


def test_several_blocks_are_several_keys(write, signing_key):
    """In any order and of any kind, with text between them, as openssl writes it, and lines that end as on Windows."""
    keys = [signing_key(alg) for alg in ("RS256", "ES256", "EdDSA")]
    public = [key.private_key.public_key() for key in keys]
    blocks = [pem_of(public[0], PublicFormat.PKCS1), certificate_of(keys[1].private_key).public_bytes(Encoding.PEM)]
    data = b"Bag Attributes\n  friendlyName: as\n".join([b"", *blocks, pem_of(public[2])]).replace(b"\n", b"\r\n")
    assert [key.kty for key in read_key_file(write(data)).key_set] == ["RSA", "EC", "OKP"]


def test_a_jwks_keeps_its_kids(write, signing_key, caplog):
    """It is read like one that is fetched: a byte order mark is skipped, and so are keys of no use.

    The log names the file.
    """
    jwks = {"keys": [{"kty": "RSA"}, signing_key("ES256", "own").public_jwk()]}
    path = write(b"\xef\xbb\xbf" + json.dumps(jwks).encode())
    key_set = read_key_file(path).key_set
    assert isinstance(key_set, KeySet)
    assert [key.kid for key in key_set] == ["own"]
    assert caplog.messages == [f"JWKS key number 1 is skipped: key cannot be parsed ({path})"]


def private_pem(form):
    return SigningKey.generate("ES256").private_key.private_bytes(Encoding.PEM, form, NoEncryption())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (private_pem(PrivateFormat.PKCS8), "has private keys, which have no place at a resource server"),
        (private_pem(PrivateFormat.TraditionalOpenSSL), "has private keys, which have no place"),
        (json.dumps({"keys": [{"kty": "oct", "k": "AA"}]}).encode(), "has private or secret keys, which have no place"),
        (pem_of(ed448.Ed448PrivateKey.generate().public_key()), "PUBLIC KEY that cannot be used (key type or curve"),
        (pem_of(ec.generate_private_key(ec.SECP256K1()).public_key()), "that cannot be used (key type or curve"),
        (pem_of(rsa.generate_private_key(65537, 1024).public_key()), "has no usable key: "),
        (
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "a PEM block PUBLIC KEY that cannot be used",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "block CERTIFICATE that cannot be used",
        ),
        (
            b"-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----",
            "PEM block EC PARAMETERS, which is no",
        ),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA", "has neither PEM nor the JSON of a JWKS"),
        (b"", "has neither PEM nor the JSON of a JWKS"),
        (b"[]", "has neither PEM nor the JSON of a JWKS (not a JSON object)"),
        (b'{"keys": [\xff]}', "has neither PEM nor the JSON of a JWKS (not UTF-8)"),
        (b'{"keys": ', "has neither PEM nor the JSON of a JWKS (Expecting value at character 8)"),
        (b"{}", "has a JWKS is an object with a list"),
        (b'{"keys": [], "keys": []}', "has neither PEM nor the JSON of a JWKS (duplicate member"),
        (b" " * (MAXIMUM_BYTES + 1), "is larger than 512 KiB"),
    ],
)
def test_what_is_no_file_of_public_keys_is_refused(write, data, words):
    """The error names the file and what is wrong, and shows nothing of its content."""
    path = write(data)
    with pytest.raises(ValueError, match="the file") as caught:
        read_key_file(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_private_key_beside_a_public_one_is_refused(write, signing_key):
    """A file that holds a secret is a mistake, whatever else it holds."""
    with pytest.raises(ValueError, match="private keys"):
        read_key_file(write(pem_of(signing_key().private_key.public_key()) + private_pem(PrivateFormat.PKCS8)))


@pytest.mark.parametrize("cut", [slice(-30), slice(-200, None)], ids=["at the end", "at the beginning"])
def test_a_private_key_that_is_cut_off_is_refused_too(write, signing_key, cut):
    """Half of one is a secret as well."""
    public = pem_of(signing_key().private_key.public_key())
    with pytest.raises(ValueError, match="private keys"):
        read_key_file(write(public + private_pem(PrivateFormat.PKCS8)[cut] + b"\n" + public))


def test_a_key_that_is_cut_off_is_not_left_out(write, signing_key):
    """The file is half written: its tokens would be refused, and the keys from before are better."""
    whole, cut = (pem_of(signing_key(alg).private_key.public_key()) for alg in ("ES256", "EdDSA"))
    for data in (whole + cut[:-20], cut[:-30] + b"\n" + whole):
        with pytest.raises(ValueError, match="has a PEM block that has no end"):
            read_key_file(write(data))


def test_a_file_of_beginnings_takes_no_longer_than_another(write):
    """Each block that never ends was searched for its end to the end of the file, while all threads stood still."""
    path = write(b"-----BEGIN A-----" * (MAXIMUM_BYTES // 17))
    started = time.process_time()
    with pytest.raises(ValueError, match="neither PEM nor"):
        read_key_file(path)
    assert time.process_time() - started < 10  # before: two minutes


def test_a_file_that_may_not_be_read_is_named(write, monkeypatch):
    """The system's own word says why."""
    path = write(b"x")

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(ValueError, match=r"cannot be read \(Permission denied\)"):
        read_key_file(path)


def test_the_same_content_is_the_same_keys(write, signing_key):
    """So tokens that were verified with them stay remembered when a file is merely touched."""
    path = write(pem_of(signing_key().private_key.public_key()))
    known = read_key_file(path)
    assert read_key_file(path, known) is known
    write(pem_of(signing_key("EdDSA").private_key.public_key()))
    assert read_key_file(path, known).key_set is not known.key_set
