"""The warnings of ``check --deploy`` to the letter: which are there, what each says, and what to do about it."""

import json
import re
from pathlib import Path

import pytest
from django.core.checks import run_checks

import django_oauth_jwt

from .test_deploy import BEARER, CORS, CSRF, FETCH, LOCAL, LOGIN, OURS, PRUDENT, RESOURCE, SHARED, SHIPPED

SHARE = "Set CACHE to the alias of a cache that all processes share (Redis, Memcached, a database)."
ABOVE = "Move JwtBearerMiddleware above it."
LOCAL_CACHE = {"default": {"BACKEND": LOCAL}}
ISSUER = PRUDENT["ISSUER"]

#: By number: settings, middleware and caches, then message and hint.
WORDS = {
    "W001": (
        {"AUDIENCE": None},
        [OURS],
        SHARED,
        f"Tokens of '{ISSUER}' are accepted whatever their audience, also those meant for other APIs.",
        "Set AUDIENCE to this API's identifier at the authorization server (RFC 9068 section 4).",
    ),
    "W002": (
        {"ISSUER": None},
        [OURS],
        SHARED,
        "Tokens are accepted whatever their issuer, as long as a key of the JWKS signed them.",
        "Set ISSUER to the authorization server's issuer identifier (RFC 9068 section 4).",
    ),
    "W003": (
        {},
        [OURS],
        LOCAL_CACHE,
        "The cache 'default' is of one process, so each process fetches the keys for itself.",
        SHARE,
    ),
    "W004": (
        {"ALLOW_INSECURE_HTTP": True},
        [OURS],
        SHARED,
        "ALLOW_INSECURE_HTTP is on: anybody who can change the traffic can have any token accepted.",
        "Use https URLs and leave it out.",
    ),
    "W005": (
        {},
        [CSRF, OURS],
        SHARED,
        f"{CSRF} stands above JwtBearerMiddleware, so it refuses unsafe requests before the token is checked.",
        ABOVE,
    ),
    "W006": (
        {},
        [FETCH, OURS],
        SHARED,
        f"{FETCH} stands above JwtBearerMiddleware, so it serves cached pages before the token is checked.",
        ABOVE,
    ),
    "W007": (
        {},
        [OURS],
        SHARED,
        "This Django serves pages that `cache_page` stored beneath JwtBearerMiddleware or `secure` to other users.",
        "Upgrade Django to 5.2.15, 6.0.6 or later: its caches keep the responses to different tokens apart.",
    ),
    "W008": (
        {"SCOPE": "read", "EXEMPT_PATHS": ["/a"]},
        [],
        SHARED,
        "SCOPE, EXEMPT_PATHS: only JwtBearerMiddleware asks for that, and MIDDLEWARE does not list it.",
        f"Add {OURS!r} to MIDDLEWARE; or leave it out, and require it with `secure` or HasScope.",
    ),
    "W009": (
        {},
        [OURS, CORS],
        SHARED,
        f"{CORS} stands below JwtBearerMiddleware, which refuses preflights, since they bring no token.",
        "Move CorsMiddleware above JwtBearerMiddleware.",
    ),
    "W010": (
        {"REQUIRED_CLAIMS": []},
        [OURS],
        SHARED,
        f"Tokens of '{ISSUER}' need no exp, so one without it is accepted for ever.",
        'Add "exp" to REQUIRED_CLAIMS (RFC 9068 section 2.2).',
    ),
    "W011": (
        {"LEEWAY": 301},
        [OURS],
        SHARED,
        f"Tokens of '{ISSUER}' are accepted for 301 seconds after they have expired.",
        "Set LEEWAY to less than a minute, 300 at most, and have the clocks set by NTP.",
    ),
    "W012": (
        {"PASS_FOREIGN_TOKENS": True},
        [OURS],
        SHARED,
        (
            "PASS_FOREIGN_TOKENS is on, and Django REST framework's default classes have no authenticator below ours: "
            "without one such tokens are refused all the same."
        ),
        (
            "Add the other one to REST_FRAMEWORK['DEFAULT_AUTHENTICATION_CLASSES'], below BearerJwtAuthentication. "
            "Silence this where views or django-ninja have lists of their own."
        ),
    ),
    "W013": (
        {"RESOURCE_METADATA": RESOURCE, "INVALID_TOKEN_STATUS": 403},
        [OURS],
        SHARED,
        "INVALID_TOKEN_STATUS is 403 beside RESOURCE_METADATA: clients that read that renew a token only on 401.",
        "Leave INVALID_TOKEN_STATUS out, or set it to 401 (RFC 6750 section 3.1).",
    ),
    "W014": (
        {"DPOP": {"OFFER": True}},
        [OURS],
        LOCAL_CACHE,
        (
            "The cache 'default' remembers what its own process was sent and no other, so a used DPoP proof is "
            "accepted again, or every proof refused."
        ),
        SHARE,
    ),
    "W015": (
        {"IS_REVOKED": SHIPPED},
        [OURS],
        LOCAL_CACHE,
        (
            "The cache 'default' remembers what its own process was sent and no other, so revoked tokens are accepted "
            "again, or all tokens refused."
        ),
        "Set CACHE to the alias of a cache that all processes share and that drops nothing (Redis, a database).",
    ),
    "W016": (
        {"JWKS_URI": None, "JWKS": "keys.json"},
        [OURS],
        SHARED,
        "Every user of this machine may write to keys.json, and so have any token accepted (JWKS).",
        "Let its owner alone write to it: chmod go-w.",
    ),
}


@pytest.fixture
def key_file(rsa_issuer, tmp_path, monkeypatch):
    """A file with a key, which every user may write to, in the working directory."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(rsa_issuer.jwks()))
    path.chmod(0o666)
    monkeypatch.chdir(tmp_path)
    return path


def _found():
    return run_checks(tags=["oauth_jwt"], include_deployment_checks=True)


@pytest.mark.usefixtures("key_file")
@pytest.mark.parametrize("number", WORDS)
def test_a_warning_says_what_is_unwise_and_what_to_do(settings, monkeypatch, number):
    """To the letter, and with nothing beside it but what follows from the same cause."""
    oauth_jwt, settings.MIDDLEWARE, settings.CACHES, message, hint = WORDS[number]
    settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [BEARER]}
    monkeypatch.setattr("django.VERSION", (5, 2, 14) if number == "W007" else (6, 0, 6))
    settings.OAUTH_JWT = {**PRUDENT, **oauth_jwt}
    found = {warning.id.removeprefix("oauth_jwt."): warning for warning in _found()}
    assert (found[number].msg, found[number].hint) == (message, hint)
    assert found.keys() <= {number, "W003"}


def test_each_warning_has_its_words_here():
    """A new one fails until it is tried."""
    sources = "".join(path.read_text() for path in Path(django_oauth_jwt.__file__).parent.rglob("*.py"))
    assert sorted(set(re.findall(r'"(W\d{3})"', sources))) == sorted(WORDS)


class TestKeysWithoutANetwork:
    """What the setting JWKS changes."""

    def test_they_are_shared_by_no_cache(self, settings, key_file, monkeypatch):
        """W003 is for keys that are fetched; a file that its owner alone may write to is nothing to warn of."""
        monkeypatch.setattr("django.VERSION", (6, 0, 6))
        settings.CACHES, settings.MIDDLEWARE = LOCAL_CACHE, [OURS]
        key_file.chmod(0o644)
        settings.OAUTH_JWT = {**PRUDENT, "JWKS_URI": None, "JWKS": key_file}
        assert _found() == []
        settings.OAUTH_JWT = {"ISSUERS": {ISSUER: {"JWKS": key_file}, "https://b.test": {}}, "AUDIENCE": "a"}
        assert [warning.id for warning in _found()] == ["oauth_jwt.W003"]


def never(iss):
    raise AssertionError("a check asks the resolver")


class TestTenants:
    """What ISSUER_RESOLVER changes: the settings hold for issuers whose entries say nothing else."""

    @pytest.fixture(autouse=True)
    def _prudent(self, settings, monkeypatch):
        monkeypatch.setattr("django.VERSION", (6, 0, 6))
        settings.CACHES, settings.MIDDLEWARE = SHARED, [OURS]

    def test_prudent_settings_are_warned_of_nothing(self, settings):
        """And no check asks the resolver, which may need a database."""
        settings.OAUTH_JWT = {"ISSUER_RESOLVER": never, "AUDIENCE": "api"}
        assert _found() == []

    @pytest.mark.parametrize(
        ("oauth_jwt", "number", "words"),
        [
            ({"AUDIENCE": None}, "W001", "are accepted whatever their audience"),
            ({"REQUIRED_CLAIMS": ["sub"]}, "W010", "need no exp"),
            ({"LEEWAY": 400}, "W011", "are accepted for 400 seconds"),
        ],
    )
    def test_lax_defaults_are_warned_of(self, settings, oauth_jwt, number, words):
        """They hold for thousands, and an entry is easily written without."""
        settings.OAUTH_JWT = {"ISSUER_RESOLVER": never, "AUDIENCE": "api", **oauth_jwt}
        (warning,) = _found()
        assert warning.id == f"oauth_jwt.{number}"
        assert warning.msg.startswith(
            f"Tokens of an issuer whose entry by ISSUER_RESOLVER does not say otherwise {words}"
        )

    def test_their_keys_are_fetched(self, settings):
        """W003, though no issuer is listed."""
        settings.CACHES = LOCAL_CACHE
        settings.OAUTH_JWT = {"ISSUER_RESOLVER": never, "AUDIENCE": "api"}
        assert [warning.id for warning in _found()] == ["oauth_jwt.W003"]

    @pytest.mark.parametrize(
        ("more", "whose"),
        [
            ({}, "issuers that ISSUER_RESOLVER knows"),
            ({"ISSUER": ISSUER}, f"'{ISSUER}', issuers that ISSUER_RESOLVER knows"),
            ({"USER_RESOLVER": never}, None),
        ],
    )
    def test_a_log_in_that_no_token_replaces_is_warned_of(self, settings, more, whose):
        """W005 names them, too."""
        settings.MIDDLEWARE = [OURS, LOGIN]
        settings.OAUTH_JWT = {"ISSUER_RESOLVER": never, "AUDIENCE": "api", **more}
        assert [warning.msg for warning in _found()] == (
            []
            if whose is None
            else [
                f"{LOGIN} sends requests with a good token to the login page: tokens of {whose} bring no user.",
            ]
        )
