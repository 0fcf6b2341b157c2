"""The page on running it (running.md) says what the code does."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from django.core.cache import caches
from django.test import Client

import django_oauth_jwt
from django_oauth_jwt import health
from django_oauth_jwt.jwks import JwksService, KeyStatus, get_jwks_service
from django_oauth_jwt.revocation import revoke
from django_oauth_jwt.testing import ProofKey, SigningKey
from django_oauth_jwt.verification import verify_token

from .manual_text import blocks, marked_blocks, run_snippet, table

PAGE = "docs/guides/running.md"
SOURCE = "\n".join(path.read_text() for path in Path(django_oauth_jwt.__file__).parent.rglob("*.py"))


def test_the_probe_is_one_line(project, jwks_server, settings, monkeypatch, frozen_time):
    """It answers without a token below the middleware, with the JSON of the page."""
    monkeypatch.setattr("django_oauth_jwt.health._PATIENCE_SECONDS", 60)
    project.urls.urlpatterns = run_snippet("readiness", {"urlpatterns": []})["urlpatterns"]
    keys = [SigningKey.generate("ES256", kid).public_jwk() for kid in ("1", "2")]
    jwks_server.document = {"keys": keys}
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    settings.OAUTH_JWT = {"ISSUER": "https://as.example.com", "JWKS_URI": f"{jwks_server.origin}/jwks"}
    assert Client().get("/ready").status_code == 200
    frozen_time.now += 42
    assert Client().get("/ready").json() == json.loads(marked_blocks("output")["readiness"])


def test_the_tables_of_states_are_whole():
    """Those of the answer and those of an issuer."""
    source = Path(health.__file__).read_text()
    assert [row[1] for row in table(PAGE)] == ["`ready`", "`no_keys`", "`misconfigured`"]
    assert all(source.count(f'"{row[1].strip("`")}"') > 1 for row in table(PAGE))
    of_issuers = [row[0].strip("`") for row in table(PAGE, number=1)]
    assert of_issuers == [*get_args(KeyStatus.__annotations__["state"])]


def test_what_the_log_says_is_what_the_code_says():
    """Each line in the table of outages, piece by piece, and each reason."""
    rows = table(PAGE, "What an outage looks like")
    lines = [line for row in rows for line in re.findall(r"`([A-Z][^`]*)`", row[2])]
    assert len(lines) >= 8
    pieces = [piece.strip() for line in lines for piece in re.split(r"\.\.\.|status 503|\d+ seconds|unknown_kid", line)]
    words = re.sub(r"\{[^}]*\}|%\S*", "", SOURCE)
    plain = " ".join(words.split())
    missing = [piece for piece in pieces if piece.strip(" :,()") and not _is_said(piece, plain)]
    assert missing == []
    reasons = {name for row in rows for name in re.findall(r"`([a-z]+_[a-z_]+)`", row[1])}
    assert reasons
    assert all(f'"{name}"' in SOURCE for name in reasons)


def _is_said(piece, source):
    return all(part.strip() in source for part in re.split(r"[:(),]", piece))


@pytest.fixture
def guarded(valkey, settings, monkeypatch):
    """A server with the page's user, in the cache of the page's settings."""
    words = marked_blocks("output")["acl"].split()
    assert words[0] == "user"
    valkey._client.execute_command("ACL", "SETUSER", *words[1:])
    monkeypatch.setenv("BOOKS_REDIS_URL", valkey.uri.replace("redis://", "redis://books:secret@"))
    namespace = run_snippet("cache-guarded", {"CACHES": {**settings.CACHES}, "OAUTH_JWT": {}})
    settings.CACHES = namespace["CACHES"]
    return namespace["OAUTH_JWT"]


@pytest.mark.real_servers
def test_the_user_of_the_cache_may_do_what_is_needed(guarded, valkey, settings, auth_server, caplog):
    """Keys, proofs, opaque tokens and the denylist; and nothing to the keys of others."""
    issuer, proof_key = auth_server.issuer, ProofKey.generate()
    settings.ROOT_URLCONF = "tests.servers.fleet_urls"
    settings.OAUTH_JWT = {
        "ISSUER": auth_server.origin,
        "JWKS_URI": auth_server.uri,
        "IS_REVOKED": "django_oauth_jwt.revocation.is_revoked",
        "INTROSPECTION": {"ENDPOINT": auth_server.introspection_uri, "CLIENT_ID": "a", "CLIENT_SECRET": "b"},
        **guarded,
    }
    get_jwks_service().refresh()  # a request would wait for a second only
    bound = issuer.token(bound_to=proof_key)
    proof = proof_key.headers(bound, "GET", "http://testserver/secured")
    plain = {"Authorization": f"Bearer {issuer.token()}"}
    opaque = {"Authorization": f"Bearer {issuer.opaque_token()}"}
    assert [Client().get("/secured", headers=headers).status_code for headers in (plain, opaque, proof)] == [200] * 3
    assert Client().get("/secured", headers=proof).status_code == 401
    revoke(verify_token(plain["Authorization"].removeprefix("Bearer ")))
    assert Client().get("/secured", headers=plain).status_code == 403
    assert auth_server.fetches == 1
    assert JwksService(auth_server.uri, issuer=auth_server.origin, cache="jwks").inspect().fetch is None
    for kind in ("jwks", "proof:", "introspection:", "revoked:"):
        assert any(re.match(f"books:1:oauth_jwt:.*{kind}", entry.decode()) for entry in valkey.entries())
    assert [record.getMessage() for record in caplog.records if "NoPermission" in record.getMessage()] == []
    others = caches.create_connection("jwks")
    others.key_prefix = "else"
    for forbidden in (lambda: others.set("a", 1), others.clear):
        with pytest.raises(Exception, match=r"(?i)permission"):
            forbidden()


def test_the_page_has_these_snippets():
    """Each is run above."""
    assert {block.name for block in blocks("test") if block.page == PAGE} == {"readiness", "cache-guarded"}
