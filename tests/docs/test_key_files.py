"""The page on keys without a network (key-files.md) does what it says."""

import json

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.checks import run_checks

from django_oauth_jwt.jwks import get_jwks_service
from django_oauth_jwt.testing import SigningKey, TokenIssuer

from ..fixtures.issuers import refusal_of
from .manual_text import SNIPPETS, run_snippet

AUDIENCE = "https://books.example.com"


@pytest.fixture
def key_file(settings, tmp_path, as_issuer):
    """The file of the page, somewhere else."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(as_issuer.jwks()))
    namespace = run_snippet("key-file", {})
    assert namespace["OAUTH_JWT"]["JWKS"] == "/etc/books/keys.json"
    settings.OAUTH_JWT = {**namespace["OAUTH_JWT"], "JWKS": str(path)}
    return path


def test_a_file_of_keys(key_file, as_issuer):
    """Tokens of its keys are accepted, and nothing is fetched."""
    assert run_checks(tags=["oauth_jwt"]) == []
    assert refusal_of(as_issuer.token(aud=AUDIENCE)) is None


def test_keys_in_the_settings(settings):
    """They are what a token is checked with."""
    settings.OAUTH_JWT = run_snippet("key-inline", {})["OAUTH_JWT"]
    assert get_jwks_service().current().knows("2026-11", "ES256")


def test_an_authorization_server_in_the_same_project(settings, tmp_path):
    """Its public key in PEM, found by its thumbprint."""
    issuer = TokenIssuer("https://books.example.com/o", alg="RS256")
    public = issuer.keys[0].private_key.public_key()
    (tmp_path / "oidc-public.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    settings.OAUTH_JWT = run_snippet("key-own", {"BASE_DIR": tmp_path})["OAUTH_JWT"]
    (key,) = get_jwks_service().current()
    assert refusal_of(issuer.token(aud=AUDIENCE, header={"kid": key.kid})) is None
    assert len(key.kid) == 43


def test_rotation_without_a_restart(key_file, jwks_server):
    """The carrier replaces the file; the next token of the new key is good, and one of the old key is not."""
    carry = run_snippet("key-carrier", {})["carry"]
    old, new = (TokenIssuer("https://as.example.com", key=SigningKey.generate("ES256", kid)) for kid in ("old", "new"))
    uri = f"{jwks_server.origin}/jwks"
    for issuer, other in ((old, new), (new, old)):
        jwks_server.document = issuer.jwks()
        carry(uri, key_file)
        assert refusal_of(issuer.token(aud=AUDIENCE)) is None
        assert refusal_of(other.token(aud=AUDIENCE)) == "unknown_kid"
    assert [path.name for path in key_file.parent.iterdir()] == ["keys.json"]


@pytest.mark.parametrize(("status", "document"), [(500, {"keys": []}), (200, {"keys": []})])
def test_a_carrier_that_finds_nothing_leaves_the_file_as_it_is(key_file, jwks_server, status, document):
    """What is there is better."""
    before = key_file.read_text()
    jwks_server.status, jwks_server.document = status, document
    with pytest.raises((ValueError, requests.HTTPError)):
        run_snippet("key-carrier", {})["carry"](f"{jwks_server.origin}/jwks", key_file)
    assert key_file.read_text() == before


def test_a_file_that_breaks(key_file, as_issuer, settings, caplog):
    """The keys from before are good, and the log says so once; to a process that starts the settings are invalid."""
    token = as_issuer.token(aud=AUDIENCE)
    assert refusal_of(token) is None
    key_file.write_text("")
    assert [refusal_of(token) for _ in range(3)] == [None] * 3
    (record,) = [
        record for record in caplog.records if record.name == "django_oauth_jwt" and record.levelname == "ERROR"
    ]
    assert str(key_file) in record.getMessage()
    settings.OAUTH_JWT = dict(settings.OAUTH_JWT)
    (message,) = run_checks(tags=["oauth_jwt"])
    assert message.id == "oauth_jwt.E003"


def test_the_page_has_these_snippets():
    """Each is run above."""
    assert {name for name in SNIPPETS if name.startswith("key-")} == {
        "key-file",
        "key-inline",
        "key-own",
        "key-carrier",
    }
