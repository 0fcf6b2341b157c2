"""The denylist: which tokens an entry is about, and how long it stays."""

import json
import re
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured

from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.jws import decode_segment, encode_segment
from django_oauth_jwt.revocation import is_revoked, revoke, revoke_subject
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.tokens import AccessToken, VerifiedToken, freeze
from django_oauth_jwt.verification import verify_token

from .backends import LOCAL, SharedCache

NOW = 1_800_000_000
ISSUER, OTHER = "https://issuer.test", "https://other.test"
YEAR = 366 * 24 * 3600


def opaque_token_of(encoded="opaque", **claims):
    """Return a token with these claims, as after its issuer was asked about it."""
    return AccessToken(encoded, VerifiedToken({"iss": ISSUER, "exp": NOW + 300, **claims}, freeze({})))


def token_of(encoded="payload", **claims):
    """Return a JWT with these claims, as after its verification; its text is what is to be in its payload."""
    segments = [b'{"alg": "ES256"}', encoded.encode(), b"signature"]
    return opaque_token_of(".".join(map(encode_segment, segments)), **claims)


@pytest.fixture(autouse=True)
def _in_use(denylist, frozen_time):
    denylist(LOCAL)


@pytest.fixture(params=[LOCAL, SharedCache], ids=["memory", "shared"])
def _each_cache(request, denylist, _in_use):
    """The two ways in which a cache is asked: at once, and in a thread."""
    denylist(request.param)


each_cache = pytest.mark.usefixtures("_each_cache")


@pytest.fixture
def written(denylist, monkeypatch):
    """What is asked of the cache from now on."""
    denylist(SharedCache)
    asked = []
    monkeypatch.setattr(SharedCache, "asked", asked)
    return asked


def reason_of(encoded_token):
    try:
        verify_token(encoded_token)
    except InvalidToken as error:
        return error.reason
    return None


@each_cache
def test_a_revoked_token_is_refused_and_others_are_not(calls, rsa_issuer):
    """From one request to the next, though it is remembered, for good."""
    token, other = (rsa_issuer.token() for _ in range(2))
    verified = verify_token(token)
    assert reason_of(other) is None
    calls.revoke(verified)
    calls.revoke(verified)
    assert [reason_of(token) for _ in range(2)] == ["revoked", "revoked"]
    assert reason_of(other) is None


SAME = [
    ({"jti": "1"}, {"jti": "1"}),
    ({"jti": "1"}, {"jti": "1", "encoded": "renewed", "sub": "anna", "exp": NOW + 60}),
    ({"jti": "1", "iss": None}, {"jti": "1", "iss": None}),
    ({"jti": "\ud800\n\0 \u00e9" + "x" * 9000}, {"jti": "\ud800\n\0 \u00e9" + "x" * 9000}),
    *[({"encoded": "a"}, {"encoded": "a"}), ({"jti": ""}, {"jti": ""}), ({"jti": 5}, {"jti": 5})],
    *[({"jti": ["a"]}, {}), ({"jti": None}, {})],
]
DIFFERENT = [
    *[({"jti": "1"}, {"jti": "2"}), ({"jti": "1"}, {}), ({}, {"jti": "1"}), ({"jti": "a"}, {"jti": "A"})],
    *[({"jti": "1"}, {"jti": "1", "iss": OTHER}), ({"jti": "1"}, {"jti": "1", "iss": None})],
    ({"jti": "b", "iss": "a"}, {"jti": "", "iss": "ab"}),
    ({"jti": 'b","c', "iss": "a"}, {"jti": "c", "iss": 'a","b'}),
    ({"jti": "bc", "iss": "a"}, {"jti": "c", "iss": "ab"}),
    *[({"encoded": "a"}, {"encoded": "b"}), ({"jti": ""}, {"jti": "", "encoded": "b"})],
    *[({"jti": 5}, {"jti": 5, "encoded": "b"}), ({"jti": "anna"}, {"sub": "anna"})],
]


@pytest.mark.parametrize(("revoked", "same"), SAME)
def test_an_entry_is_about_the_jti_of_an_issuer_or_about_the_text(calls, revoked, same):
    """Whatever else the token says; what is no string, or an empty one, is no `jti`."""
    calls.revoke(token_of(**revoked))
    assert is_revoked(token_of(**same))


@pytest.mark.parametrize(("revoked", "other"), DIFFERENT)
def test_an_entry_is_about_no_other_token(calls, revoked, other):
    """Two issuers never meet, nor do two kinds of entries, however their parts are put together."""
    calls.revoke(token_of(**revoked))
    assert is_revoked(token_of(**revoked))
    assert not is_revoked(token_of(**other))


@pytest.mark.parametrize("claims", [{}, {"jti": "2"}, {"jti": 5}])
def test_an_opaque_token_is_revoked_whatever_is_said_of_it_later(calls, claims):
    """An authorization server may make up a new `jti`, and a later end, at each question."""
    calls.revoke(opaque_token_of(jti="1"))
    assert is_revoked(opaque_token_of(exp=NOW + 3600, **claims))
    assert is_revoked(opaque_token_of("other", jti="1"))
    assert not is_revoked(opaque_token_of("other", **claims))
    calls.revoke(opaque_token_of("v4.local.a"))
    assert not is_revoked(opaque_token_of("v4.local.b"))


def test_an_entry_of_an_opaque_token_has_no_end(calls, written):
    """It may be said to end later at the next question, or to be good though it has ended."""
    calls.revoke(opaque_token_of(exp=NOW - 3600))
    assert timeouts(written) == [None]


def twin_of(token):
    """Return a token with the other good signature that a token of ES256 has: for each s, n - s does as well."""
    signing_input, _, segment = token.rpartition(".")
    signature = decode_segment(segment.encode())
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
    assert decode_dss_signature(encode_dss_signature(r, s)) == (r, s)
    return f"{signing_input}.{encode_segment(signature[:32] + (order - s).to_bytes(32))}"


def test_a_second_signature_makes_no_second_token(calls, denylist, signing_key):
    """Anybody can make one from the first: a token without `jti` goes by what the signature covers."""
    with TokenIssuer(key=signing_key()).installed() as issuer:
        token = issuer.token(jti=None)
        assert [reason_of(token), reason_of(twin_of(token))] == [None, None]
        calls.revoke(verify_token(token))
        assert [reason_of(token), reason_of(twin_of(token))] == ["revoked", "revoked"]
        assert reason_of(issuer.token(jti=None, sub="other")) is None


@each_cache
def test_another_secret_key_forgives_nobody(calls, settings):
    """Tokens stay revoked when the project changes its key."""
    calls.revoke(token_of(jti="1"))
    calls.revoke(token_of("text"))
    calls.revoke_subject(ISSUER, "anna")
    settings.SECRET_KEY = "another"
    assert [is_revoked(token) for token in (token_of(jti="1"), token_of("text"), token_of(sub="anna"))] == [True] * 3


def test_any_token_makes_keys_that_every_cache_takes(calls, written):
    """memcached takes at most 250 characters, and no blanks or control characters; and nobody learns the jti."""
    for text in ("x", "x" * 9000, "\u00e9 \n\0", "a:b"):
        calls.revoke(token_of(text, jti=text))
        calls.revoke(token_of("text-" + "x" * 9000))
        calls.revoke_subject(text, text)
        is_revoked(token_of(jti=text, sub=text))
    keys = {part for _, key, _ in written for part in ([key] if isinstance(key, str) else key)}
    assert all(re.fullmatch(r"oauth_jwt:revoked:([A-Za-z0-9_-]{43}|probe)", key) for key in keys)


def timeouts(written):
    return [timeout for operation, _, timeout in written if operation == "set"]


@pytest.mark.parametrize(
    ("exp", "timeout"),
    [
        *[(NOW + 300, 361), (NOW + 0.5, 62), (NOW - 59, 2), (NOW - 59.9, 2), (NOW + YEAR - 60, YEAR + 1)],
        *[(NOW + YEAR - 59, None), (1e300, None), (10**400, None), (-(10**400), None), (float("nan"), None)],
        *[(None, None), ("soon", None), (True, None), ([], None)],
    ],
)
def test_an_entry_ends_with_its_token(calls, written, exp, timeout):
    """After `exp`, twice the leeway (a second server may count from another clock) and a second; else never."""
    calls.revoke(token_of(exp=exp))
    assert timeouts(written) == [timeout]


@pytest.mark.parametrize("exp", [NOW - 60, NOW - 61.5, 0, -1e300])
def test_a_token_that_has_expired_needs_no_entry(calls, written, exp):
    """It is refused all the same."""
    calls.revoke(token_of(exp=exp))
    assert written == []


def test_the_largest_leeway_counts(calls, written, settings):
    """Of all issuers, and of those that only a view trusts."""
    for oauth_jwt, timeout in (
        ({"ISSUERS": {ISSUER: {}, OTHER: {"LEEWAY": 100}}}, 501),
        ({"ISSUERS": {ISSUER: {"LEEWAY": 0}}, "LEEWAY": 50}, 401),
        ({"ISSUERS": {ISSUER: {"LEEWAY": 2**31}}}, None),
    ):
        settings.OAUTH_JWT = {**oauth_jwt, "IS_REVOKED": is_revoked}
        written.clear()
        calls.revoke(token_of())
        assert timeouts(written) == [timeout]


@each_cache
def test_a_token_is_refused_until_it_would_be_anyway(calls, rsa_issuer, frozen_time):
    """To the last moment, and the entry is gone soon after."""
    token = verify_token(rsa_issuer.token(exp=NOW + 300))
    calls.revoke(token)
    frozen_time.now = NOW + 329.9
    assert reason_of(token.encoded) == "revoked"
    frozen_time.now = NOW + 330
    assert reason_of(token.encoded) == "expired"
    frozen_time.now = NOW + 360
    assert is_revoked(token)
    frozen_time.now = NOW + 362
    assert not is_revoked(token)


@each_cache
def test_the_leeway_of_a_resolved_issuer_counts(calls, settings, rsa_issuer, frozen_time):
    """No setting tells it; a token that is revoked stays so until it has expired by that leeway."""
    entry = {"JWKS_SERVICE": rsa_issuer, "LEEWAY": 250}
    settings.OAUTH_JWT = {"ISSUER_RESOLVER": lambda iss: entry, "IS_REVOKED": is_revoked}
    token = verify_token(rsa_issuer.token(exp=NOW + 300))
    calls.revoke(token)
    frozen_time.now = NOW + 549.9
    assert reason_of(token.encoded) == "revoked"
    frozen_time.now = NOW + 550
    assert reason_of(token.encoded) == "expired"


@pytest.mark.parametrize(
    ("iat", "is_refused"),
    [
        *[(NOW - 1000, True), (NOW - 1, True), (NOW, True), (NOW + 0.5, True), (NOW + 0.6, False), (NOW + 1, False)],
        *[(None, True), ("soon", True), (True, True), ([], True), (float("nan"), True), (-(10**400), True)],
        *[(10**400, False), (1e300, False)],
    ],
)
def test_a_subject_is_revoked_up_to_the_moment_of_the_call(calls, frozen_time, iat, is_refused):
    """A token that was issued later is good; one that does not say when it was may be older."""
    frozen_time.now = NOW + 0.5
    calls.revoke_subject(ISSUER, "anna")
    frozen_time.now = NOW + 10 * YEAR
    assert is_revoked(token_of(sub="anna", iat=iat)) is is_refused
    assert not is_revoked(token_of(sub="ann", iat=iat))
    assert not is_revoked(token_of(sub="anna", iss=OTHER, iat=iat))
    assert not is_revoked(token_of(sub="anna", iss=None, iat=iat))
    assert not is_revoked(token_of(iat=iat))


@each_cache
def test_who_logs_in_again_is_let_in(calls, rsa_issuer, frozen_time):
    """The tokens of one subject, of verified tokens of the issuer."""
    old, other = rsa_issuer.token(sub="anna"), rsa_issuer.token(sub="bert")
    calls.revoke_subject(rsa_issuer.issuer, "anna")
    frozen_time.now += 1
    assert [reason_of(token) for token in (old, other, rsa_issuer.token(sub="anna"))] == ["revoked", None, None]


@each_cache
def test_the_moment_moves_on_and_never_back(calls, frozen_time):
    """Also where the clock is set back between two calls."""
    token = token_of(sub="anna", iat=NOW + 5)
    calls.revoke_subject(ISSUER, "anna")
    assert not is_revoked(token)
    frozen_time.now = NOW + 10
    calls.revoke_subject(ISSUER, "anna")
    assert is_revoked(token)
    frozen_time.now = NOW
    calls.revoke_subject(ISSUER, "anna")
    assert is_revoked(token)


def test_an_entry_of_a_subject_has_no_end(calls, written):
    """Nobody knows how long the tokens of a subject live."""
    calls.revoke_subject(ISSUER, "anna")
    assert timeouts(written) == [None]


def test_tokens_without_issuer_have_subjects_as_well(calls):
    """Where the settings trust whoever has a key."""
    calls.revoke_subject(None, "anna")
    assert is_revoked(token_of(iss=None, sub="anna"))
    assert not is_revoked(token_of(sub="anna"))


@pytest.mark.parametrize("arguments", [(ISSUER, None), (ISSUER, 5), (5, "anna"), (b"x", "anna"), (ISSUER, ["anna"])])
def test_what_no_token_can_have_is_no_subject(calls, written, arguments):
    """Nobody would be revoked, and the caller would not know."""
    with pytest.raises(TypeError, match="must be strings"):
        calls.revoke_subject(*arguments)
    assert written == []


@pytest.mark.parametrize("given", ["a.b.c", None, {"jti": "1"}, SimpleNamespace(encoded="a.b.c")])
def test_what_is_no_access_token_cannot_be_revoked(calls, written, given):
    """The text of a token, or the None of an exempt path: the error says what is wanted, and shows no token."""
    for ask in (calls.revoke, is_revoked):
        with pytest.raises(TypeError, match=f"must be an AccessToken, .* not a {type(given).__name__}$"):
            ask(given)
    assert written == []


@pytest.mark.parametrize("garbage", ["", "x", b"", False, True, None, [], {}, float("nan"), SimpleNamespace()])
def test_an_entry_that_makes_no_sense_revokes(calls, written, garbage):
    """Somebody has written it for a reason. A new call puts it right."""
    calls.revoke(token_of(jti="1"))
    calls.revoke_subject(ISSUER, "anna")
    for key in {key for operation, key, _ in written if operation == "set"}:
        caches["default"].set(key, garbage, None)
    token = token_of(jti="2", sub="anna", iat=NOW + 5)
    assert is_revoked(token_of(jti="1"))
    assert is_revoked(token)
    calls.revoke_subject(ISSUER, "anna")
    assert not is_revoked(token)


def test_asking_takes_one_operation(calls, written, rsa_issuer):
    """Whatever the answer is; but for the first time ever."""
    token = token_of(jti="1", sub="anna", iat=NOW)
    assert not is_revoked(token)
    for revoked in ([], [token], [token, (ISSUER, "anna")]):
        for entry in revoked:
            calls.revoke_subject(*entry) if isinstance(entry, tuple) else calls.revoke(entry)
        written.clear()
        assert is_revoked(token) is bool(revoked)
        assert [(operation, len(keys)) for operation, keys, _ in written] == [("get_many", 3)]


def test_without_the_setting_a_revocation_would_be_of_no_use(calls, trust):
    """So it is an error that says what to set, and not a token that is still good."""
    issuer = trust(IS_REVOKED=None)
    token = verify_token(issuer.token())
    for call in (lambda: calls.revoke(token), lambda: calls.revoke_subject(ISSUER, "anna")):
        with pytest.raises(ImproperlyConfigured, match=r"IS_REVOKED.*django_oauth_jwt\.revocation\.is_revoked"):
            call()
    assert reason_of(token.encoded) is None


def test_a_projects_own_check_may_ask_the_denylist(calls, trust):
    """And something else as well."""
    issuer = trust(IS_REVOKED=lambda token: is_revoked(token) or token.subject == "mallory")
    tokens = [issuer.token(sub=sub) for sub in ("anna", "bert", "mallory")]
    calls.revoke(verify_token(tokens[0]))
    assert [reason_of(token) for token in tokens] == ["revoked", None, "revoked"]


def test_the_denylist_is_in_the_cache_that_the_settings_name(settings, trust):
    """CACHE, as for the keys; and other settings of the same project find it there."""
    backend = f"{SharedCache.__module__}.{SharedCache.__name__}"
    settings.CACHES = {name: {"BACKEND": backend, "LOCATION": name} for name in ("default", "shared")}
    for cache in caches.all():
        cache.clear()
    issuer = trust(CACHE="shared", IS_REVOKED=is_revoked)
    token = verify_token(issuer.token())
    revoke(token)
    revoke_subject(ISSUER, "anna")
    trust(CACHE="shared", IS_REVOKED=is_revoked, LEEWAY=5)
    assert [is_revoked(token), is_revoked(token_of(sub="anna"))] == [True, True]
    trust(CACHE="default", IS_REVOKED=is_revoked)
    assert [is_revoked(token), is_revoked(token_of(sub="anna"))] == [False, False]


def test_many_other_entries_forgive_nobody(calls):
    """Django's own limit for a cache in memory is 300 entries: it would have forgotten the first."""
    calls.revoke(token_of(jti="first"))
    for number in range(400):
        revoke(token_of(jti=f"other-{number}"))
    assert is_revoked(token_of(jti="first"))


def test_nothing_in_the_cache_tells_whose_token_it_was(calls, written):
    """Keys are hashes, and values are moments."""
    calls.revoke(token_of("secret-text", jti="secret-jti", sub="secret-sub"))
    calls.revoke_subject("secret-issuer", "secret-sub")
    stored = [(key, caches["default"].get(key)) for operation, key, _ in written if operation == "set"]
    assert [value for _, value in stored] == [1, NOW]
    assert "secret" not in json.dumps(stored)
