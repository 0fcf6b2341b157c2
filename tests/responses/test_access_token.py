"""What a view sees of an accepted token: claims of its own, and an access token that nobody can change."""

import copy
import json
import pickle
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest
from django.http import JsonResponse
from django.test import Client
from django.urls import path

from django_oauth_jwt.decorators import secure
from django_oauth_jwt.verification import verify_token


@secure()
def spoiling_view(request):
    """Answer with the claims, then spoil them."""
    seen = json.loads(json.dumps(request.claims))
    request.claims["sub"] = "root"
    request.claims["nested"]["roles"].append("admin")
    del request.claims["iss"]
    return JsonResponse({"claims": seen, "of_the_token": request.access_token.claims})


urlpatterns = [path("", spoiling_view)]
pytestmark = pytest.mark.urls(__name__)


@pytest.mark.parametrize("size", [0, 1024])
def test_claims_are_the_requests_own(rsa_issuer, size):
    """What a view does to `request.claims` shows neither in the access token nor in the next request's claims."""
    with rsa_issuer.installed(TOKEN_CACHE_SIZE=size):
        headers = rsa_issuer.headers(nested={"roles": ["user"]})
        first, second = (Client().get("/", headers=headers).json() for _ in range(2))
    assert first == second
    assert first["claims"] == first["of_the_token"]
    assert first["claims"]["nested"] == {"roles": ["user"]}
    assert first["claims"]["sub"] == "user-1"


def test_an_access_token_gives_what_views_ask_for(issuer):
    """Scopes, subject, client and expiry need no reading of claims."""
    encoded = issuer.token("read write", scp=["write", "more"], exp=4102444800, client_id="client-7")
    token = verify_token(encoded)
    assert token.scopes == frozenset({"read", "write", "more"})
    assert isinstance(token.scopes, frozenset)
    assert (token.subject, token.client_id) == ("user-1", "client-7")
    assert token.expires_at == datetime(2100, 1, 1, tzinfo=UTC)
    assert token.encoded == encoded
    assert token.header["alg"] == "RS256"
    assert token.claims["iss"] == "https://issuer.test"


@pytest.mark.parametrize(
    ("claims", "client_id"),
    [
        ({"client_id": "a", "azp": "b"}, "a"),
        ({"client_id": None, "azp": "b"}, "b"),
        ({"client_id": None}, None),
        ({"client_id": 5, "azp": ["b"]}, None),
    ],
)
def test_the_client_is_client_id_or_azp(issuer, claims, client_id):
    """RFC 9068 section 2.2, and what OpenID providers send; anything but a string is nobody."""
    assert verify_token(issuer.token(**claims)).client_id == client_id


def test_a_token_of_nobody_has_no_subject(issuer):
    """A machine's token may have no `sub`."""
    token = verify_token(issuer.token(sub=None))
    assert (token.subject, token.client_id) == (None, "client-1")


@pytest.mark.parametrize(("exp", "year"), [(10**30, 9999), (253402300800, 9999), (4102444800.5, 2100)])
def test_an_expiry_beyond_the_calendar_is_its_end(issuer, exp, year):
    """Python's dates end with the year 9999; a token may go on."""
    expires_at = verify_token(issuer.token(exp=exp)).expires_at
    assert expires_at.year == year
    assert expires_at.utcoffset().total_seconds() == 0


def test_a_token_may_be_allowed_to_have_no_expiry(rsa_issuer):
    """Where the settings do not require `exp`."""
    with rsa_issuer.installed(REQUIRED_CLAIMS=[]):
        assert verify_token(rsa_issuer.token(exp=None)).expires_at is None


@pytest.mark.parametrize(
    "change",
    [
        lambda token: setattr(token, "encoded", "x"),
        lambda token: setattr(token, "scopes", frozenset({"root"})),
        lambda token: setattr(token, "claims", {}),
        lambda token: delattr(token, "encoded"),
        lambda token: token.claims.update(sub="root"),
        lambda token: token.claims.__setitem__("sub", "root"),
        lambda token: token.claims.pop("sub"),
        lambda token: token.claims.clear(),
        lambda token: token.claims["nested"].__setitem__("roles", []),
        lambda token: token.claims["nested"].setdefault("x", 1),
        lambda token: token.header.__setitem__("alg", "none"),
        lambda token: token.header.__delitem__("alg"),
        lambda token: token.scopes.add("root"),
    ],
)
def test_an_access_token_cannot_be_changed(issuer, change):
    """Whoever gets hold of it sees what was verified."""
    token = verify_token(issuer.token("read", nested={"roles": ["user"]}))
    before = copy.deepcopy(dict(token.claims))
    with pytest.raises((FrozenInstanceError, TypeError, AttributeError)):
        change(token)
    assert token.claims == before
    assert token.scopes == {"read"}


def test_lists_within_the_claims_cannot_be_changed_for_others(issuer):
    """What one request does to a list in the token's claims, if it can, does not reach another request."""
    encoded = issuer.token(roles=["user"])
    roles = verify_token(encoded).claims["roles"]
    with pytest.raises((TypeError, AttributeError)):
        roles.append("admin")
    assert list(verify_token(encoded).claims["roles"]) == ["user"]


@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda token: f"{token!r}"])
def test_the_token_itself_is_in_no_repr(issuer, show):
    """Logs and error pages show whose token it is, and nothing that could be used."""
    token = verify_token(issuer.token("write read"))
    shown = show(token)
    assert all(part not in shown for part in token.encoded.split("."))
    assert shown == "<AccessToken of 'user-1', client 'client-1', scopes ['read', 'write']>"


def test_an_access_token_can_be_copied_and_sent_to_a_worker(issuer):
    """Task queues pickle what they are given."""
    token = verify_token(issuer.token("read", nested={"a": 1}))
    for other in (pickle.loads(pickle.dumps(token)), copy.deepcopy(token), copy.copy(token)):
        assert other == token
        assert other.claims == token.claims
        assert json.loads(json.dumps(other.claims)) == token.claims
