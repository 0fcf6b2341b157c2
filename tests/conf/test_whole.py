"""The settings as a whole: what they must be, unknown keys, several problems at once."""

from types import MappingProxyType

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.conf.rules import RULES

from .samples import EVERY_PATH, HUGE, ISSUER, VALID, WITH_SLASH, Service, Unprintable, aresolver

OTHER = "https://b.example.com"
INSECURE = "http://as.example.com"


@pytest.mark.parametrize("raw", [[], (), "", "JWKS_URI", b"x", 0, 1, True, False, object(), [("JWKS_URI", "x")]])
def test_settings_that_are_no_dict_are_refused(problem_of, raw):
    """E001 says what the setting must be and what it is."""
    message = problem_of(raw)
    assert message.id == "oauth_jwt.E001"
    assert message.msg == f"OAUTH_JWT must be a dict, not {type(raw).__name__}."


def test_any_mapping_will_do(settings):
    """A project may build its settings as a read-only mapping."""
    settings.OAUTH_JWT = MappingProxyType(VALID)
    assert get_settings().issuers[ISSUER].jwks_uri == VALID["JWKS_URI"]


@pytest.mark.parametrize(
    ("typo", "near"),
    [
        ("jwks_uri", "JWKS_URI"),
        ("JWKS_URL", "JWKS_URI"),
        ("JWKSURI", "JWKS_URI"),
        ("AUDIENCES", "AUDIENCE"),
        ("ALGORITHM", "ALGORITHMS"),
        ("issuer", "ISSUER"),
        ("REQUIRED_CLAIM", "REQUIRED_CLAIMS"),
        ("INVALID_TOKEN_STATUS_CODE", "INVALID_TOKEN_STATUS"),
        (b"LEEWAY", "LEEWAY"),
    ],
)
def test_an_unknown_key_suggests_the_near_one(problem_of, typo, near):
    """E002 names the key as it was written, and the one that was meant."""
    message = problem_of({**VALID, typo: 1})
    assert message.id == "oauth_jwt.E002"
    assert message.msg == f"OAUTH_JWT has an unknown key {typo!r}."
    assert message.hint == f"Did you mean {near!r}?"


@pytest.mark.parametrize(
    "key",
    ["XYZZY", "", 1, None, True, 2.5, (1, 2), "\u00fc", HUGE, Unprintable()],
    ids=lambda key: type(key).__name__,
)
def test_an_unknown_key_near_none_lists_them_all(problem_of, key):
    """E002 for whatever can be a key of a dict, also what is no string or cannot be printed."""
    message = problem_of({**VALID, key: 1})
    assert message.id == "oauth_jwt.E002"
    assert message.hint == f"The keys are {', '.join(RULES)}."


def test_a_key_for_all_issuers_does_not_stand_with_one(problem_of):
    """What an issuer cannot set for itself stands one level up."""
    message = problem_of({"ISSUERS": {OTHER: {"REALM": "x"}}})
    assert message.id == "oauth_jwt.E002"
    assert message.msg == f"OAUTH_JWT['ISSUERS'][{OTHER!r}] has a key 'REALM' that an issuer cannot have for itself."
    assert message.hint == "It is for all issuers and stands in OAUTH_JWT itself."


@pytest.mark.parametrize("key", ["AUTH_HEADER_TYPES", "USER_ID_CLAIM", "SIGNING_KEY", "ACCESS_TOKEN_LIFETIME"])
def test_a_key_of_another_package_is_no_typo_of_ours(problem_of, key):
    """Wrong advice is worse than none."""
    assert problem_of({**VALID, key: 1}).hint == f"The keys are {', '.join(RULES)}."


@pytest.mark.parametrize(
    "raw",
    [
        {"JWKS_URI": "https://user:secret@as.example.com/jwks"},
        {"JWKS_URI": "https://user:secret@as.example.com/" + "x" * 200},
        {"ISSUER": "https://user:secret@as.example.com"},
        {"ISSUERS": {"https://user:secret@as.example.com": {}}},
        {"ISSUERS": {"https://user:secret@as.example.com": {"LEEWAY": -1, "JWKS_SERVICE": Service}}},
        {"ISSUERS": {"https://as.example.com": {"JWKS_URI": "https://user:secret@as.example.com/jwks"}}},
        {**VALID, "ISSUERS": "https://user:secret@as.example.com"},
    ],
)
def test_no_message_holds_a_password(problem_of, raw):
    """A message is logged, and pasted into tickets."""
    message = problem_of(raw)
    assert "secret" not in message.msg + message.hint
    with pytest.raises(ImproperlyConfigured) as caught, override_settings(OAUTH_JWT=raw):
        get_settings()
    assert "secret" not in str(caught.value)


def test_an_unknown_key_of_a_listed_issuer_suggests_a_key_of_issuers(problem_of):
    """What is unknown anywhere is so in an entry."""
    message = problem_of({"ISSUERS": {OTHER: {"XYZZY": "x"}}})
    assert message.id == "oauth_jwt.E002"
    assert message.msg == f"OAUTH_JWT['ISSUERS'][{OTHER!r}] has an unknown key 'XYZZY'."
    assert "JWKS_URI" in message.hint
    assert "HTTP_TIMEOUT" not in message.hint


def test_all_problems_are_told_at_once(settings):
    """One round of mending is enough: check and exception hold every problem, in each place."""
    settings.OAUTH_JWT = {"LEEWAY": -1, "REALMS": "", "ISSUERS": {OTHER: {"AUDIENCE": 1}, INSECURE: {}}}
    ids = [message.id for message in run_checks(tags=["oauth_jwt"])]
    assert sorted(ids) == [f"oauth_jwt.{number}" for number in ("E002", "E003", "E003", "E005")]
    with pytest.raises(ImproperlyConfigured, match=r"LEEWAY.*REALM.*AUDIENCE.*without TLS"):
        get_settings()


def test_a_long_value_is_told_in_brief(problem_of):
    """A message stays readable, whatever was pasted into the settings."""
    message = problem_of({**VALID, "LEEWAY": "x" * 10_000})
    assert len(message.msg + message.hint) < 300


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("AUDIENCE", 1, "a string or a list of strings"),
        ("REQUIRED_CLAIMS", [{"name": "sub"}], "a list of strings"),
        ("HTTP_SESSION", {}, "a requests.Session, a callable that returns a requests.Session, or the dotted path of"),
        ("USER_RESOLVER", {}, "a callable, or the dotted path of one"),
        ("JWKS_SERVICE", aresolver, "must not be async (it may wait: under ASGI it runs in a thread)"),
        ("USER_RESOLVER", "books.users:member", "a dotted path, with dots only"),
        (
            "PROTECTED_PATHS",
            ["https?://as/"],
            "(without scheme and host), which is always '/', so write it as in '/api/'.",
        ),
        ("EXEMPT_PATHS", ["/a", "health"], "must not hold 'health': it is matched from the beginning of the path"),
        ("PROTECTED_PATHS", ["^/api/|^admin/"], "must not hold '^admin/': it is matched"),
        ("PROTECTED_PATHS", ["(?:^/api/|^admin/)"], "must not hold '^admin/': it is matched"),
        ("EXEMPT_PATHS", ["^/"], "it exempts every path, so say more of the path, or end it with '$'"),
        ("JWKS_STALE_SECONDS", -1, "a number of seconds, more than 0 and"),
        ("HTTP_TIMEOUT", "5", "a number of seconds, more than 0 and"),
        ("LEEWAY", -1, "a number of seconds, 0 or more and"),
        ("MAX_TOKEN_LENGTH", -1, "a whole number, more than 0."),
        ("TOKEN_CACHE_SIZE", -1, "a whole number, 0 or more."),
        ("INVALID_TOKEN_STATUS", 400, "403 (express-oauth-jwt's) or 401 (RFC 6750's)"),
        (
            "SCOPE_IMPLIES",
            {"a": ["b"], "b": ["c"], "c": ["a"]},
            "must not have a circle: a > b > c > a.",
        ),
        ("SCOPE_IMPLIES", {"a": ["b c"]}, "; 'a': 'b c' is not a scope"),
        ("SCOPE_IMPLIES", {"x": ["y"], "a": None}, "; 'a': expected a list of scopes, not None"),
        ("RESOURCE_METADATA", {"resource": "https://as/#x"}, "has no fragment (RFC 9728 section 1.2): 'https://as/#x'"),
        ("RESOURCE_METADATA", {"resource": "http://as/"}, "'http://as/' is http, which only loopback addresses may be"),
        ("RESOURCE_METADATA", {"resource": "as"}, "the https URL of this API: it must be an https URL such as"),
        ("RESOURCE_METADATA", {"resource": "https://u:s3cret@as"}, "', without user name and password."),
        ("RESOURCE_METADATA", {"resource": "https://u:s3cret@as/#x"}, "'https://...@as/#x' has one"),
        ("RESOURCE_METADATA", {"resource": "http://u:s3cret@as"}, "', without user name and password."),
        (
            "RESOURCE_METADATA",
            {"resource": "https://as", "scopes_supported": "read"},
            "has 'scopes_supported', which must be a list of strings, neither empty nor with blanks around them (RFC",
        ),
        (
            "RESOURCE_METADATA",
            {"resource": "https://as", "resource_name#de": 3},
            "has 'resource_name#de', which must be",
        ),
        (
            "RESOURCE_METADATA",
            [{"resource": "https://as"}, {"resource": "https://as/"}],
            "must not hold two resources of one URL: 'https://as', 'https://as/'",
        ),
        ("DPOP", {"NONCES": True}, "OAUTH_JWT['DPOP'] has an unknown key 'NONCES' (Did you mean 'NONCE'?)."),
        ("DPOP", {"XYZZY": 1}, "(The keys are OFFER, NONCE, PROOF_SECONDS, ALGORITHMS)."),
        ("DPOP", {"OFFER": 1}, "OAUTH_JWT['DPOP'] has 'OFFER', which must be True or False."),
        ("DPOP", {"OFFER": 1, "NONCES": 1}, "has 'OFFER', which must be True or False; has an unknown key 'NONCES'"),
        ("DPOP", ["OFFER"], "a dict with some of the keys OFFER, NONCE, PROOF_SECONDS, ALGORITHMS."),
        ("CLIENT_CERTIFICATE", {"SOURCE": "nginx"}, "'TRUSTED_PROXIES' for the source 'nginx': the addresses of the"),
        ("CLIENT_CERTIFICATE", {"SOURCE": "ngnix"}, "or one of 'rfc9440', 'nginx', 'envoy', 'wsgi'."),
        ("CLIENT_CERTIFICATE", {"SOURCE": "wsgi", "TRUSTED_PROXIES": ["::1"]}, "only a header (rfc9440, nginx, envoy)"),
        ("CLIENT_CERTIFICATE", {"TRUSTED_PROXIES": ["::1"]}, "must have 'SOURCE'."),
        (
            "CLIENT_CERTIFICATE",
            {"SOURCE": "nginx", "TRUSTED_PROXIES": ["10.0.0.1/8"]},
            "a list of IP addresses and networks, with 'unix' for a socket: 10.0.0.1/8 has host bits set",
        ),
        ("JWKS_URI", "as.example.com", "an https URL such as 'https://as.example.com/jwks'."),
        ("JWKS_URI", "https://user:secret@as.example.com", "without user name and password."),
    ],
)
def test_a_bad_value_is_told_what_the_setting_takes(key, value, told, problem_of):
    """E003 names every form that is taken, not only the first that was looked for."""
    message = problem_of({**VALID, key: value})
    assert message.id == "oauth_jwt.E003"
    assert told in message.msg


@pytest.mark.parametrize(("pattern", "path"), [*WITH_SLASH.items(), *((pattern, "/any") for pattern in EVERY_PATH)])
def test_a_pattern_that_is_taken_can_match_a_path(settings, pattern, path):
    """What looks odd is taken only if it does what it says."""
    settings.OAUTH_JWT = {**VALID, "PROTECTED_PATHS": [pattern, "/nowhere$"]}
    assert get_settings().secures_path(path)


def test_a_slash_far_behind_is_not_looked_for(problem_of):
    """A long and wrong pattern takes a moment, not minutes: what cannot be told soon is refused."""
    far = f"(?:{'a|' * 200}/[0-9])"
    assert problem_of({**VALID, "EXEMPT_PATHS": [far]}).id == "oauth_jwt.E003"
