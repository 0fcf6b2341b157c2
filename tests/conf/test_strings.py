"""Strings of a project's own kind: what stands in the settings is exactly the text that they are equal to."""

import enum
import re
from types import MappingProxyType
from typing import NamedTuple

import pytest
from django.utils.functional import SimpleLazyObject

from django_oauth_jwt.conf import read

from .samples import GOOD, ISSUER, RESOURCE, VALID, WITH_SECRET


def member(text):
    """A member of a project's enumeration, which is printed by its name."""
    return enum.Enum("Own", {"TEXT": text}, type=str).TEXT


def lazy(text):
    return SimpleLazyObject(lambda: text)


def _with_strings(value, of_kind):
    """Return the value with each string in it of another kind."""
    if isinstance(value, str):
        return of_kind(value)
    if isinstance(value, dict):
        return {_with_strings(key, of_kind): _with_strings(part, of_kind) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(_with_strings(part, of_kind) for part in value)
    return value


def _shown(settings):
    return re.sub(" at 0x[0-9a-f]+", "", repr(settings))


@pytest.mark.parametrize("of_kind", [member, lazy])
def test_strings_of_any_kind_make_the_same_settings(of_kind):
    """For every key: not only equal ones, but without a trace of the kind, which a request would print."""
    for key, value, _ in [*GOOD, ("ISSUER", ISSUER, ISSUER)]:
        expected, _ = read({**VALID, key: value})
        found, problems = read({**VALID, key: _with_strings(value, of_kind)})
        assert (key, problems, found) == (key, [], expected)
        assert (key, _shown(found)) == (key, _shown(expected))


def test_issuers_and_what_is_in_them_are_texts():
    """The keys of ISSUERS are compared with a token's `iss`, and asked for metadata."""
    settings, _ = read({"ISSUERS": _with_strings({ISSUER: {"AUDIENCE": "api"}}, member)})
    (issuer,) = settings.named_issuers
    assert (type(issuer), issuer) == (str, ISSUER)
    assert {*map(type, settings.issuers[ISSUER].audience)} == {str}


def test_credentials_are_sent_as_they_are_written():
    """The credentials of an AUTH by enumeration were left out, and its CLIENT_ID was sent as the member's name."""
    written = {**WITH_SECRET, "AUTH": "client_secret_post", "ENDPOINT": f"{ISSUER}/introspect"}
    settings, _ = read({**VALID, "INTROSPECTION": _with_strings(written, member)})
    asked = settings.introspecting[0].introspection
    sent = {
        "CLIENT_ID": asked.client_id,
        "CLIENT_SECRET": asked.secret(),
        "AUTH": asked.auth,
        "ENDPOINT": asked.endpoint,
    }
    assert sent == written
    assert {*map(type, sent.values())} == {str}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("INTROSPECTION", {**WITH_SECRET, "AUTH": "client_secret_post"}),
        ("DPOP", {"OFFER": True, "ALGORITHMS": ["ES256"]}),
        ("CLIENT_CERTIFICATE", {"SOURCE": "nginx", "TRUSTED_PROXIES": ["unix"]}),
        ("ACCOUNTS", {"USERNAME": "name", "FIELDS": {"email": "email"}, "GROUPS": {"CLAIM": "a", "MAP": {"b": "c"}}}),
    ],
)
def test_mappings_that_are_no_dicts_hold_texts_as_well(key, value):
    """Wherever such a mapping is taken, in another one, too."""
    expected, _ = read({**VALID, key: value})
    found, problems = read({**VALID, key: _read_only(_with_strings(value, member))})
    assert (problems, found) == ([], expected)
    assert _shown(found) == _shown(expected)


def _read_only(value):
    if not isinstance(value, dict):
        return value
    return MappingProxyType({key: _read_only(part) for key, part in value.items()})


@pytest.mark.parametrize("key", ["SCOPE_IMPLIES", "TOKEN_PERMISSIONS", "JWKS", "ISSUERS", "RESOURCE_METADATA"])
def test_mappings_that_are_no_dicts_are_refused_where_it_must_be_one(key):
    """In the words for any other value."""
    _, (problem,) = read({"ISSUER": ISSUER, key: MappingProxyType({})})
    assert f"{key!r}] must be a" in problem.message
    assert "a dict" in problem.message


def test_a_challenge_names_the_resource_as_it_is_written():
    """The well-known path stands in the URL, and not before the member's name."""
    settings, _ = read({**VALID, "RESOURCE_METADATA": {"resource": member(RESOURCE)}})
    (resource,) = settings.resource_metadata
    assert resource.metadata_uri == "https://api.example.com/.well-known/oauth-protected-resource/v1"


class Resolver(NamedTuple):
    """A resolver with a field."""

    prefix: str = ""

    def __call__(self, *args): ...


class Keys(NamedTuple):
    """A source of keys with a field."""

    prefix: str = ""

    def current(self): ...

    def key_set_for(self, kid, alg): ...

    async def akey_set_for(self, kid, alg): ...


class Registry(dict):
    """A dict that can be called."""

    def __call__(self, *args): ...


class Live(set):
    """A set that can be called, and to which members are added later."""

    def __call__(self, *args): ...


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("USER_RESOLVER", Resolver()), ("IS_REVOKED", Live()), ("JWKS_SERVICE", Keys())],
        *[("ISSUER_RESOLVER", Registry()), ("TOKEN_PERMISSIONS", Registry()), ("HTTP_SESSION", Resolver())],
    ],
)
def test_objects_that_are_used_stay_the_same_objects(key, value):
    """A resolver or a key service may be a tuple, a set or a dict, too: no copy of its members takes its place."""
    settings, problems = read({**VALID, "JWKS_URI": None, key: value})
    assert problems == []
    holder = next(each for each in (settings, settings.issuers[ISSUER]) if hasattr(each, key.lower()))
    held = getattr(holder, key.lower())
    assert getattr(held, "ask", held) is value
