"""Tokens that are bound to their sender, at each entry point (RFC 9449 section 7, RFC 8705 section 3)."""

import asyncio
import time
from urllib.parse import quote, unquote

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpResponse
from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.jwks import get_jwks_service
from django_oauth_jwt.permissions import HasScope
from django_oauth_jwt.testing import ProofKey, TokenIssuer
from django_oauth_jwt.verification import averify_token, verify_token
from tests.proofs.certificates import PEM
from tests.proofs.rfc_vectors import X5T

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"


def view(request):
    return HttpResponse("bound" if request.access_token and request.access_token.confirmation else "unbound")


async def async_view(request):
    return view(request)


class Drf(APIView):
    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (IsAuthenticated, HasScope("read"))

    def get(self, request):
        return Response("bound")

    post = get


def again(request):
    """Verify once more, with what is the same key service, but given by hand."""
    return secure(jwks_service=get_jwks_service())(view)(request)


def change_method(get_response):
    """A middleware below ours that takes the request for one of another method."""

    def call(request):
        request.method = "POST"
        return get_response(request)

    return call


def change_path(get_response):
    """A middleware below ours that takes the request for one of another path."""

    def call(request):
        request.path = "/elsewhere"
        return get_response(request)

    return call


urlpatterns = [
    path("middleware", view),
    path("middleware-async", async_view),
    path("middleware-again", again),
    path("middleware-decorated", secure(scope="read")(view)),
    path("middleware-drf", Drf.as_view()),
    path("open", token_not_required(view)),
    path("decorator", secure(scope="read")(view)),
    path("decorator-async", secure(scope="read")(async_view)),
    path("drf", Drf.as_view()),
    path("", include("django_oauth_jwt.urls")),
]
pytestmark = pytest.mark.urls(__name__)
ENTRY_POINTS = [f"/{pattern.pattern}" for pattern in urlpatterns if str(pattern.pattern) not in ("", "open")]
ALGS = 'DPoP algs="RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519"'
UNPROVEN = 'error="invalid_token", error_description="Token is not proven to be the sender\'s own", scope="read"'
CERTIFICATES = {"CLIENT_CERTIFICATE": {"SOURCE": "wsgi"}}


def url(path):
    return f"http://testserver{path}"


@pytest.fixture(scope="module")
def proof_key():
    return ProofKey.generate()


@pytest.fixture(params=ENTRY_POINTS)
def at(request, settings):
    """The path of a view that requires the scope read, with the middleware or without."""
    settings.MIDDLEWARE = [MIDDLEWARE] if "middleware" in request.param else []
    return request.param


@pytest.fixture
def issuer(trust):
    return trust(SCOPE="read")


@pytest.fixture
def token(issuer, proof_key):
    return issuer.token("read", bound_to=proof_key)


def challenge(response):
    return response.headers.get("WWW-Authenticate")


def test_a_bound_token_with_its_proof_is_let_in(send, at, token, proof_key):
    """Anew, and remembered; each proof once, whichever entry points the request meets."""
    for method in ("get", "get", "post" if "drf" in at else "get"):
        headers = proof_key.headers(token, method.upper(), url(at))
        response = send(method, at, headers=headers)
        assert (response.status_code, challenge(response)) == (200, None)
        assert "bound" in response.content.decode()
        assert "Authorization" in response["Vary"]


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_the_scheme_matches_in_any_case(send, at, token, proof_key, scheme):
    """RFC 9110 section 11.1; and none of the spellings goes without a proof."""
    headers = proof_key.headers(token, "GET", url(at))
    headers["Authorization"] = f"{scheme} {token}"
    assert send("get", at, headers=headers).status_code == 200
    del headers["DPoP"]
    assert send("get", at, headers=headers).status_code == 401


def test_a_stolen_token_is_no_bearer_token(send, at, token):
    """By default, without any setting, remembered or not, in whatever case."""
    for scheme in ("Bearer", "bearer", "BEARER"):
        response = send("get", at, headers={"Authorization": f"{scheme} {token}"})
        assert (response.status_code, challenge(response)) == (401, f"Bearer {UNPROVEN}, {ALGS}")


#: By name: what is sent instead of the proof that would do, and the error and the reason of the refusal.
BAD = {
    "no proof": (lambda key, token, at: {"Authorization": f"DPoP {token}"}, "missing_proof"),
    "another key": (lambda key, token, at: ProofKey.generate().headers(token, "GET", url(at)), "wrong_proof_key"),
    "another signer": (
        lambda key, token, at: key.headers(token, "GET", url(at), signed_by=ProofKey.generate()),
        "malformed_proof",
    ),
    "another method": (lambda key, token, at: key.headers(token, "POST", url(at)), "wrong_proof_method"),
    "another case": (lambda key, token, at: key.headers(token, "get", url(at)), "wrong_proof_method"),
    "another URL": (lambda key, token, at: key.headers(token, "GET", url(f"{at}/x")), "wrong_proof_url"),
    "another host": (lambda key, token, at: key.headers(token, "GET", f"http://evil{at}"), "wrong_proof_url"),
    "another scheme": (lambda key, token, at: key.headers(token, "GET", f"https://testserver{at}"), "wrong_proof_url"),
    "an old one": (lambda key, token, at: key.headers(token, "GET", url(at), iat=time.time() - 100), "stale_proof"),
    "a future one": (lambda key, token, at: key.headers(token, "GET", url(at), iat=time.time() + 40), "stale_proof"),
    "another token": (lambda key, token, at: key.headers("a.b.c", "GET", url(at)) | {
        "Authorization": f"DPoP {token}"
    }, "wrong_proof_token"),
    "two proofs": (lambda key, token, at: {
        "Authorization": f"DPoP {token}", "DPoP": ",".join(key.headers(token, "GET", url(at))["DPoP"] for _ in "ab")
    }, "malformed_proof"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_proof_is_refused(send, at, token, proof_key, signals, fault):
    """With 401, its reason for log and signal, and the challenge of its scheme."""
    make, reason = BAD[fault]
    response = send("get", at, headers=make(proof_key, token, at))
    assert response.status_code == 401
    assert challenge(response).startswith(f'Bearer, {ALGS}, error="invalid_dpop_proof", error_description="')
    assert response["Cache-Control"] == "no-store"
    assert [sent["reason"] for name, sent in signals if name == "rejected"] == [reason]
    assert "accepted" not in [name for name, _ in signals]


def test_a_proof_is_good_once(send, at, token, proof_key):
    """The same proof again is a replay, and a new one is not."""
    headers = proof_key.headers(token, "GET", url(at))
    assert [send("get", at, headers=headers).status_code for _ in range(3)] == [200, 401, 401]
    assert send("get", at, headers=proof_key.headers(token, "GET", url(at))).status_code == 200


@pytest.mark.parametrize(
    ("change", "reason"), [(change_method, "wrong_proof_method"), (change_path, "wrong_proof_url")]
)
def test_a_proof_is_for_the_request_that_it_was_shown_with(send, settings, token, proof_key, signals, change, reason):
    """What the middleware has checked is no proof for another method or path, should a second entry point ask."""
    for below, status in (([], 200), ([f"{__name__}.{change.__name__}"], 401)):
        settings.MIDDLEWARE = [MIDDLEWARE, *below]
        headers = proof_key.headers(token, "GET", url("/middleware-again"))
        assert send("get", "/middleware-again", headers=headers).status_code == status
    assert [sent["reason"] for name, sent in signals if name == "rejected"] == [reason]


def test_a_token_of_nobody_in_particular_needs_the_bearer_scheme(send, at, issuer, proof_key):
    """RFC 9449 section 7.1: sent as DPoP it is refused, and so is another's."""
    response = send("get", at, headers=proof_key.headers(issuer.token("read"), "GET", url(at)))
    assert (response.status_code, challenge(response)) == (401, f"Bearer, {ALGS}, {UNPROVEN}")
    assert send("get", at, headers=issuer.headers("read")).status_code == 200


def test_what_else_is_wrong_is_told_in_the_scheme_that_was_used(send, at, issuer, proof_key):
    """An expired token, and one without the scope."""
    expired = issuer.token("read", bound_to=proof_key, expired=True)
    response = send("get", at, headers=proof_key.headers(expired, "GET", url(at)))
    assert (response.status_code, challenge(response)) == (
        403,
        f'Bearer, {ALGS}, error="invalid_token", error_description="Token has expired", scope="read"',
    )
    response = send("get", at, headers=proof_key.headers(issuer.token("x", bound_to=proof_key), "GET", url(at)))
    assert (response.status_code, challenge(response).partition(", error_")[0]) == (
        403,
        f'Bearer, {ALGS}, error="insufficient_scope"',
    )


@pytest.mark.parametrize(
    ("settings_of", "expected"),
    [
        ({}, 'Bearer scope="read"'),
        ({"DPOP": {"OFFER": True, "ALGORITHMS": ["ES256"]}}, 'Bearer scope="read", DPoP algs="ES256"'),
        ({"REQUIRE_BOUND_TOKENS": True}, f'{ALGS}, scope="read", Bearer'),
        ({"REQUIRE_BOUND_TOKENS": True, "CLIENT_CERTIFICATE": {"SOURCE": "wsgi"}}, 'Bearer scope="read"'),
    ],
)
def test_a_challenge_offers_what_the_settings_offer(send, at, trust, settings_of, expected):
    """Two challenges in one line; the one for proofs first where nothing else will do."""
    trust(SCOPE="read", **settings_of)
    response = send("get", at)
    assert (response.status_code, challenge(response)) == (401, expected)


@pytest.mark.parametrize(
    ("settings_of", "comes_first"),
    [
        ({}, "Bearer"),
        ({"DPOP": {"OFFER": True}}, "Bearer"),
        ({"CLIENT_CERTIFICATE": {"SOURCE": "wsgi"}}, "Bearer"),
        ({"DPOP": {"OFFER": True, "NONCE": True}}, "DPoP"),
        ({"REQUIRE_BOUND_TOKENS": True}, "DPoP"),
        ({"REQUIRE_BOUND_TOKENS": True, "CLIENT_CERTIFICATE": {"SOURCE": "wsgi"}}, "DPoP"),
    ],
)
def test_bearer_comes_first_where_it_will_do(send, at, trust, proof_key, settings_of, comes_first):
    """DPoP does where bound tokens are required, and where a client, which may read one challenge alone, needs a nonce.

    The parameters stand in the challenge for DPoP in any case, as that is what the client has used.
    """
    token = trust(SCOPE="read", **settings_of).token("read", bound_to=proof_key)
    method, error = (
        ("GET", "use_dpop_nonce") if "DPOP" in settings_of and comes_first == "DPoP" else ("PUT", "invalid_dpop_proof")
    )
    used = challenge(send("get", at, headers=proof_key.headers(token, method, url(at))))
    assert used.startswith(f'{"Bearer, " if comes_first == "Bearer" else ""}{ALGS}, error="{error}"')


@pytest.mark.parametrize(
    ("settings_of", "comes_first"),
    [({}, "DPoP"), (CERTIFICATES, "Bearer"), ({**CERTIFICATES, "DPOP": {"OFFER": True}}, "DPoP")],
)
def test_where_a_certificate_will_do_dpop_comes_first_if_it_is_offered(send, at, trust, settings_of, comes_first):
    """Bound tokens are required, and the client has used the scheme Bearer, as it does with a certificate."""
    issuer = trust(SCOPE="read", REQUIRE_BOUND_TOKENS=True, **settings_of)
    response = send("get", at, headers=issuer.headers("read"))
    assert challenge(response).split()[0] == comes_first
    assert 'Bearer error="invalid_token"' in challenge(response)


def test_where_bound_tokens_are_required_no_other_is_good(send, at, trust, proof_key):
    """Neither as Bearer nor with a proof that the token does not ask for."""
    issuer = trust(SCOPE="read", REQUIRE_BOUND_TOKENS=True)
    assert send("get", at, headers=issuer.headers("read")).status_code == 401
    bound = issuer.token("read", bound_to=proof_key)
    assert send("get", at, headers=proof_key.headers(bound, "GET", url(at))).status_code == 200


def test_a_nonce_is_asked_for_and_renewed(send, at, trust, proof_key, frozen_time):
    """RFC 9449 sections 8 and 9: with the refusal, and with an accepted answer when it is half spent."""
    issuer = trust(SCOPE="read", DPOP={"NONCE": True, "PROOF_SECONDS": 60})
    token = issuer.token("read", bound_to=proof_key)
    response = send("get", at, headers=proof_key.headers(token, "GET", url(at)))
    assert response.status_code == 401
    assert challenge(response).startswith(f'{ALGS}, error="use_dpop_nonce"')
    assert challenge(response).endswith(", Bearer")
    nonce = response["DPoP-Nonce"]
    response = send("get", at, headers=proof_key.headers(token, "GET", url(at), nonce=nonce))
    assert (response.status_code, "DPoP-Nonce" in response.headers) == (200, False)
    frozen_time.now += 31
    response = send("get", at, headers=proof_key.headers(token, "GET", url(at), nonce=nonce))
    assert (response.status_code, response["DPoP-Nonce"] != nonce) == (200, True)
    renewed = response["DPoP-Nonce"]
    frozen_time.now += 30
    assert send("get", at, headers=proof_key.headers(token, "GET", url(at), nonce=nonce)).status_code == 401
    assert send("get", at, headers=proof_key.headers(token, "GET", url(at), nonce=renewed)).status_code == 200


def test_a_refusal_brings_the_next_nonce_as_well(send, at, trust, proof_key, frozen_time):
    """The proof was a good one, and what the token lacks is another matter."""
    issuer = trust(SCOPE="read", DPOP={"NONCE": True})
    token = issuer.token("x", bound_to=proof_key)
    nonce = send("get", at, headers=proof_key.headers(token, "GET", url(at)))["DPoP-Nonce"]
    frozen_time.now += 31
    response = send("get", at, headers=proof_key.headers(token, "GET", url(at), nonce=nonce))
    assert (response.status_code, response["DPoP-Nonce"] != nonce) == (403, True)


def test_the_length_of_a_proof_is_no_limit_for_tokens(send, at, issuer, proof_key):
    """A token with many groups is longer than any proof may be."""
    token = issuer.token("read", bound_to=proof_key, groups="x" * 9000)
    assert send("get", at, headers=proof_key.headers(token, "GET", url(at))).status_code == 200


class DownCache(LocMemCache):
    """A cache that cannot be reached."""

    def add(self, *args, **kwargs):
        raise ConnectionError("no cache")


def test_without_the_cache_a_bound_token_is_a_503(send, at, issuer, token, proof_key, settings):
    """A replay could not be told from a first use; requests with other tokens notice nothing."""
    settings.CACHES = {**settings.CACHES, "down": {"BACKEND": "tests.responses.test_bound_tokens.DownCache"}}
    with issuer.installed(CACHE="down"):
        response = send("get", at, headers=proof_key.headers(token, "GET", url(at)))
        assert (response.status_code, challenge(response), response["Retry-After"]) == (503, None, "1")
        assert send("get", at, headers=issuer.headers("read")).status_code == 200


def certificate_of(request):
    """A project's own way to find the certificate. (Django's async client of before 5.2.13 misspells long headers.)"""
    return unquote(request.headers.get("X-Certificate", "")) or None


class TestCertificates:
    """A token that is bound to the client's certificate."""

    @pytest.fixture
    def token(self, trust):
        issuer = trust(SCOPE="read", CLIENT_CERTIFICATE={"SOURCE": certificate_of})
        return issuer.token("read", cnf={"x5t#S256": X5T})

    def test_the_clients_own_certificate_opens(self, send, at, token):
        """And the same token without it, or with another's, does not."""
        headers = {"Authorization": f"Bearer {token}"}
        for certificate, status in ((quote(PEM), 200), ("", 401), (quote(PEM.replace("MII", "MIJ", 1)), 401)):
            response = send("get", at, headers={**headers, "X-Certificate": certificate})
            assert response.status_code == status
            if status == 401:
                assert challenge(response) == f"Bearer {UNPROVEN}, {ALGS}"

    def test_a_header_of_anybody_else_is_not_believed(self, send, at, token, trust):
        """It may be the client that sets it."""
        trust(SCOPE="read", CLIENT_CERTIFICATE={"SOURCE": "nginx", "TRUSTED_PROXIES": ["10.0.0.0/8"]})
        headers = {"Authorization": f"Bearer {token}", "X-SSL-Client-Cert": quote(PEM)}
        assert send("get", at, headers=headers).status_code == 401

    def test_it_is_refused_where_certificates_are_not_set_up(self, send, at, token, trust):
        """A binding that cannot be checked is not ignored."""
        trust(SCOPE="read")
        assert send("get", at, headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_an_exempt_view_gets_no_claims_of_a_stolen_token(send, settings, issuer, token, proof_key):
    """The token decides nothing there, and it is nobody's."""
    settings.MIDDLEWARE = [MIDDLEWARE]
    headers = proof_key.headers(token, "GET", url("/open"))
    answers = [send("get", "/open", headers=one) for one in (headers, {"Authorization": f"Bearer {token}"}, headers)]
    assert [answer.content for answer in answers] == [b"bound", b"unbound", b"unbound"]


def test_code_without_a_request_says_whether_it_has_checked_the_binding(issuer, token, trust):
    """`verify_token` sees no request, so it refuses what it cannot know; remembered or not."""
    for _ in range(2):
        for verify in (verify_token, lambda *args, **kwargs: asyncio.run(averify_token(*args, **kwargs))):
            with pytest.raises(InvalidToken) as refusal:
                verify(token)
            assert (refusal.value.reason, refusal.value.status) == ("unproven", 401)
            assert verify(token, binding_checked=True).confirmation["jkt"]
            assert verify(issuer.token()).confirmation is None
    trust(REQUIRE_BOUND_TOKENS=True)
    assert verify_token(token, binding_checked=True).confirmation["jkt"]
    for is_checked in (False, True):  # a token that is bound to nobody cannot have been checked
        with pytest.raises(InvalidToken) as refusal:
            verify_token(issuer.token(), binding_checked=is_checked)
        assert refusal.value.reason == "unproven"


def test_an_issuer_of_several_may_require_bound_tokens(send, settings, rsa_issuer, proof_key):
    """The others go on as before."""
    other = TokenIssuer("https://other.test", key=rsa_issuer.keys[0])
    settings.OAUTH_JWT = {
        "ISSUERS": {
            rsa_issuer.issuer: {"JWKS_SERVICE": rsa_issuer, "REQUIRE_BOUND_TOKENS": True},
            other.issuer: {"JWKS_SERVICE": other},
        }
    }
    assert send("get", "/decorator", headers=other.headers("read")).status_code == 200
    assert send("get", "/decorator", headers=rsa_issuer.headers("read")).status_code == 401
    assert verify_token(other.token()).issuer == other.issuer
    with pytest.raises(InvalidToken):
        verify_token(rsa_issuer.token())


METADATA = {"resource": "https://api.example.com"}
#: Bound tokens of the one issuer, and tokens of any kind of the other.
ONE_OF_TWO = {"https://a.example.com": {"REQUIRE_BOUND_TOKENS": True}, "https://b.example.com": {}}


@pytest.mark.parametrize(
    ("settings_of", "document"),
    [
        ({}, {}),
        (
            {"DPOP": {"OFFER": True, "ALGORITHMS": ["ES256"]}},
            {"dpop_signing_alg_values_supported": ["ES256"]},
        ),
        (
            {"REQUIRE_BOUND_TOKENS": True, "DPOP": {"ALGORITHMS": ["ES256"]}},
            {"dpop_signing_alg_values_supported": ["ES256"], "dpop_bound_access_tokens_required": True},
        ),
        (
            {"REQUIRE_BOUND_TOKENS": True, "CLIENT_CERTIFICATE": {"SOURCE": "wsgi"}},
            {"tls_client_certificate_bound_access_tokens": True},
        ),
        (
            {"ISSUER": None, "JWKS_SERVICE": None, "ISSUERS": ONE_OF_TWO, "DPOP": {"ALGORITHMS": ["ES256"]}},
            {"dpop_signing_alg_values_supported": ["ES256"]},
        ),
    ],
)
def test_the_metadata_says_what_is_offered(send, trust, settings_of, document):
    """RFC 9728 section 2; a promise that nobody configured is not made."""
    trust(RESOURCE_METADATA=METADATA, **settings_of)
    served = send("get", "/.well-known/oauth-protected-resource").json()
    assert {name: value for name, value in served.items() if name.startswith(("dpop", "tls"))} == document
