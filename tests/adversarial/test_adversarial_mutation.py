"""Whatever is made of a good token or header by chance: nothing but the exact token is accepted, nothing breaks."""

import json
import math
import re

import pytest
from adversarial_forge import AUDIENCE, ISSUER, mints
from django.http import JsonResponse
from django.test import Client
from django.urls import path
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from mutations import fragments, mutated, steps
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.keys import KeySet
from django_oauth_jwt.verification import averify_token, verify_token

ALGORITHMS = ["ES256", "ES512", "EdDSA", "PS256", "RS256"]
LEEWAY = 10
MINT = mints("ES256")
NOW = MINT.claims["iat"] + 60


@secure()
def view(request):
    return JsonResponse({"sub": request.claims["sub"]})


class OpenView(APIView):
    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (AllowAny,)

    def get(self, request):
        return Response({"sub": request.auth and request.auth.subject})


urlpatterns = [path("view", view), path("drf", OpenView.as_view())]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.usefixtures("trusting")]


class Keys:
    """A key service that has the keys of the mints."""

    def __init__(self):
        self._key_set = KeySet.from_jwks({"keys": [mints(alg).jwk for alg in ALGORITHMS]})

    def current(self):
        return self._key_set

    def key_set_for(self, kid, alg):
        return self._key_set

    async def akey_set_for(self, kid, alg):
        return self._key_set


@pytest.fixture
def trusting(settings, monkeypatch):
    """Trust the mints, at one and the same time in all tests."""
    monkeypatch.setattr("time.time", lambda: NOW)
    settings.MIDDLEWARE = []
    settings.OAUTH_JWT = {"ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "JWKS_SERVICE": Keys(), "LEEWAY": LEEWAY}


def examples(count):
    """Try so many examples, the same ones in every run."""
    return hypothesis_settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def is_accepted(encoded):
    """Tell whether both functions accept a token; anything but a refusal of the contract is raised."""
    outcomes = []
    for verify in (verify_token, _averify_at_once):
        try:
            verify(encoded)
        except InvalidToken as refusal:
            outcomes.append(refusal.reason)
        else:
            outcomes.append(None)
    assert outcomes[0] == outcomes[1]
    return outcomes[0] is None


def _averify_at_once(encoded):
    """Verify without an event loop: the keys are at hand, so that there is nothing to wait for."""
    try:
        averify_token(encoded).send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the coroutine waits for something")


@pytest.mark.parametrize("alg", ALGORITHMS)
@examples(200)
@given(changes=steps)
def test_nothing_but_the_exact_token_is_accepted(alg, changes):
    """One character, bit, segment or spelling off, right after the token itself was accepted and remembered."""
    token = mints(alg).token
    assert is_accepted(token)
    changed = mutated(token, changes)
    assert is_accepted(changed) is (changed == token)


@pytest.mark.parametrize("alg", ALGORITHMS)
@examples(100)
@given(data=st.data())
def test_no_signature_fits_another_token(alg, data):
    """Segments of two good tokens, put together at will, are a good token only where they are one of the two."""
    mint = mints(alg)
    tokens = [mint.token, mint.signed({"typ": "JWT"}, {"sub": "user-2"})]
    mixed = ".".join(data.draw(st.sampled_from(tokens)).split(".")[segment] for segment in range(3))
    assert is_accepted(mixed) is (mixed in tokens)


@pytest.mark.parametrize("alg", ALGORITHMS)
@examples(100)
@given(signature=st.binary(max_size=600))
def test_a_random_signature_is_refused(alg, signature):
    """Of any length."""
    mint = mints(alg)
    assert not is_accepted(mint.signed(sign=lambda message: signature))


@examples(300)
@given(token=st.text() | st.text("ey.A_-=", max_size=80) | st.lists(fragments, max_size=40).map("".join))
def test_random_text_is_refused(token):
    """Any characters, and those that tokens are made of."""
    assert not is_accepted(token)


blanks = st.sampled_from(["", " ", "  ", "\t", "\n", "\u00a0", ":", ",", " , ", "=", '"', " Bearer "]) | st.text(
    max_size=3
)
schemes = st.sampled_from(["Bearer", "bearer", "BEARER", "Bearer", "Basic", "DPoP", "Token", "JWT", ""]) | st.text(
    max_size=8
)


@pytest.mark.parametrize("url", ["/view", "/drf"])
@examples(250)
@given(scheme=schemes, between=blanks, before=blanks, after=blanks, changes=steps | st.just([]))
@example(scheme="bEARER", between="  ", before="", after=" ", changes=[])
def test_no_header_but_the_scheme_and_the_exact_token_is_accepted(url, scheme, between, before, after, changes):
    """By the grammar, read here by a regular expression: the scheme in any case, blanks, and the token itself."""
    token = mints("ES256").token
    header = f"{before}{scheme}{between}{mutated(token, changes)}{after}"
    sent = header.encode("utf-8", "surrogatepass").decode("latin-1")  # as a server reads the bytes
    response = Client().get(url, headers={"Authorization": sent})
    is_good = re.fullmatch(rf"(?ai:bearer) +{re.escape(token)} *", sent) is not None
    assert (response.json().get("sub") is not None) is is_good
    assert response.status_code in ((200,) if is_good else (401, 403, 200) if url == "/drf" else (401, 403))
    if response.status_code != 200:
        assert response["WWW-Authenticate"].partition(" ")[0] == "Bearer"
        assert response["WWW-Authenticate"].isprintable()
    elif not is_good:
        assert sent.partition(" ")[0].lower() != "bearer"


# What is rightly signed, and drawn at random.

numbers = st.integers() | st.floats() | st.integers(-(10**400), 10**400)
texts = st.text(st.characters(exclude_categories=()), max_size=10)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=8
)


times = st.integers(NOW - 30, NOW + 30) | st.floats(NOW - 30, NOW + 30) | values


def claims_of(mint):
    """Good claims, of which some are left out and some are drawn at random."""
    odd = {
        "iss": st.sampled_from([ISSUER, ISSUER + "/", ISSUER.upper()]) | values,
        "aud": st.sampled_from([AUDIENCE, [AUDIENCE], ["x", AUDIENCE], ["x"], AUDIENCE + "x", []]) | values,
        "sub": values,
        "exp": times,
        "nbf": times,
        "iat": times,
        "scope": values,
        "client_id": values,
        "x": values,
    }
    chosen = st.sets(st.sampled_from(sorted(odd)), max_size=2)
    changes = chosen.flatmap(lambda names: st.fixed_dictionaries({name: odd[name] for name in sorted(names)}))
    left_out = st.sets(st.sampled_from(sorted(odd)), max_size=1)
    return st.builds(
        lambda new, gone: {name: value for name, value in {**mint.claims, **new}.items() if name not in gone},
        changes,
        left_out,
    )


def is_json(value):
    """Tell whether a value can be said in JSON, and in UTF-8."""
    if isinstance(value, dict):
        return all(is_json(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return all(is_json(element) for element in value)
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, float) or math.isfinite(value)


def is_time(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def follows_the_rules(claims):
    """Decide as RFC 7519 and the settings of this module do."""
    aud = claims.get("aud")
    numeric_dates = [claims[name] for name in ("exp", "nbf", "iat") if name in claims]
    return (
        is_json(claims)
        and claims.get("iss") == ISSUER
        and AUDIENCE in (aud if isinstance(aud, list) else [aud])
        and isinstance(claims.get("sub", ""), str | None)
        and "exp" in claims
        and all(is_time(value) for value in numeric_dates)
        and claims["exp"] > NOW - LEEWAY
        and max(claims.get("nbf", NOW), claims.get("iat", NOW)) <= NOW + LEEWAY
    )


@examples(600)
@given(claims=claims_of(MINT))
def test_random_claims_are_accepted_only_where_they_follow_the_rules(claims):
    """Two readings of the rules, this one and the package's, never differ."""
    payload = json.dumps(claims).encode()
    assert is_accepted(MINT.raw(payload=payload)) is follows_the_rules(claims)


@examples(300)
@given(header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x"]), values))
def test_a_random_header_is_accepted_only_where_it_follows_the_rules(header):
    """Rightly signed, with whatever beside what a header needs, or instead of it."""
    encoded = MINT.raw(header=json.dumps({**MINT.header, **header}).encode())
    typ = header.get("typ", "at+jwt")
    is_good = (
        is_json(header)
        and not {"crit", "b64"} & header.keys()
        and header.get("alg", "ES256") == "ES256"
        and header.get("kid", "ES256") in ("ES256", None)  # without a name, the one key for ES256 is meant
        and (typ is None or (isinstance(typ, str) and typ.lower() in ("jwt", "at+jwt")))
    )
    assert is_accepted(encoded) is is_good


@examples(300)
@given(
    payload=st.binary()
    | values.map(lambda value: json.dumps(value).encode())
    | texts.map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_a_random_payload_is_refused(payload):
    """Bytes, and JSON of all kinds: without its claims it is no access token."""
    assert not is_accepted(MINT.raw(payload=payload))


@examples(300)
@given(
    changes=st.lists(
        st.tuples(
            st.sampled_from(["insert", "replace", "delete", "cut", "swap", "one bit"]),
            st.floats(0, 1, exclude_max=True),
            st.sampled_from([*'{}[],:"\\', "NaN", "1e999", '"exp"', "null"]),
        ),
        max_size=3,
    )
)
def test_signed_json_that_was_mangled_is_accepted_or_refused(changes):
    """By the strictest of readers, or not at all: what is accepted is JSON with no name twice, and the same claims."""
    text = mutated(json.dumps(MINT.claims), changes)
    encoded = MINT.raw(payload=text.encode())
    if is_accepted(encoded):
        claims = json.loads(text, object_pairs_hook=_pairs)
        assert follows_the_rules(claims)
        assert verify_token(encoded).claims == claims


def _pairs(pairs):
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)
