"""PASS_FOREIGN_TOKENS: another scheme that is called Bearer, too, beside ours."""

import base64
import json

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.permissions import HasScope
from django_oauth_jwt.testing import TokenIssuer

TRUSTED = "https://issuer.test"


class OpaqueBearer(TokenAuthentication):
    """A project's own opaque tokens: every one is good but "refused"."""

    keyword = "Bearer"

    def authenticate_credentials(self, key):
        if key == "refused":
            raise AuthenticationFailed
        return User(username="opaque"), key


class OwnAuthentication(BearerJwtAuthentication):
    """A project's subclass of ours."""


def encoded(text, end=None):
    return base64.urlsafe_b64encode(text.encode())[:end].rstrip(b"=").decode()


HEADER = encoded('{"alg":"HS256","typ":"JWT"}')


def jwt(payload, header=HEADER):
    return f"{header}.{encoded(payload)}.c2lnbmF0dXJl"


FOREIGN = {
    "opaque": "0123456789abcdef",
    "opaque with dots": "v1.local.payload",
    "opaque with other characters": "12|Zm9v~bar+baz/==",
    "no base64": "a.b!.c",
    "one digit": "a",
    "no issuer": jwt('{"sub":"anna"}'),
    "another issuer": jwt('{"iss":"https://other.test"}'),
    "another spelling": jwt(f'{{"iss":"{TRUSTED}/"}}'),
    "issuer null": jwt('{"iss":null}'),
    "issuer an object": jwt(f'{{"iss":{{"name":"{TRUSTED}"}}}}'),
    "trusted as audience alone": jwt(f'{{"aud":"{TRUSTED}","iss":"https://other.test"}}'),
    "trusted as an actor's alone": jwt(f'{{"act":{{"iss":"{TRUSTED}"}},"iss":"https://other.test"}}'),
    "payload an array": jwt(f'["iss","{TRUSTED}"]'),
    "payload a string": jwt(f'"{TRUSTED}"'),
    "payload deeper than Python goes": jwt("[" * 9000),
    "another issuer, cut": jwt('{"iss":"https://other.test","sub":"an'),
    "a broken escape, cut": jwt('{"iss":"\\x'),
    "a control character, cut": jwt('{"iss":"a\tb",'),
    "a list of lists": jwt(f'{{"iss":[["{TRUSTED}"]]}}'),
    "encrypted": ".".join([encoded('{"alg":"dir","enc":"A256GCM"}'), "", "aXY", "Y2lwaGVy", "dGFn"]),
}
OURS = {
    "signature": jwt(f'{{"iss":"{TRUSTED}"}}'),
    "header": jwt(f'{{"iss":"{TRUSTED}"}}', header="x"),
    "no header": f"{encoded(json.dumps({'iss': TRUSTED}))}.c2ln",
    "no signature": jwt(f'{{"iss":"{TRUSTED}"}}').rpartition(".")[0],
    "padding": f"{HEADER}.{base64.urlsafe_b64encode(json.dumps({'iss': TRUSTED}).encode()).decode()}.x",
    "a character that is no base64": jwt(f'{{"iss":"{TRUSTED}"}}').replace(".", ".!", 1),
    "other blanks": jwt(f'\n {{ "sub" : 1,\n"iss" : "{TRUSTED}" }}'),
    "escaped": jwt('{"iss":"https:\\/\\/issuer.\\u0074est"}'),
    "twice": jwt(f'{{"iss":"{TRUSTED}","iss":"https://other.test"}}'),
    "twice, the other way round": jwt(f'{{"iss":"https://other.test","iss":"{TRUSTED}"}}'),
    "a list": jwt(f'{{"iss":["https://other.test","{TRUSTED}"]}}'),
    "cut": jwt(f'{{"iss":"{TRUSTED}","sub":"an'),
    "cut, escaped": jwt('{"iss":"https:\\/\\/issuer.test","sub":"an'),
    "cut inside a byte": f"{HEADER}.{encoded(json.dumps({'iss': TRUSTED, 'x': 'abcdefgh'}), -3)}",
    "cut after a digit that is no byte": jwt(f'{{ "iss": "{TRUSTED}"').rpartition(".")[0] + "A",
    "no JSON": jwt(f'{{"iss":"{TRUSTED}",}}'),
    "a huge number": jwt(f'{{"iss":"{TRUSTED}","n":{"9" * 5000}}}'),
    "named in the header of an encrypted one": f"{encoded(json.dumps({'alg': 'dir', 'iss': TRUSTED}))}..a.b.c",
    "characters of base64url": jwt(f'{{"x":"~~~???>>>","iss":"{TRUSTED}"}}'),
    "a list, cut": jwt(f'{{"iss":["{TRUSTED}"'),
}


@pytest.fixture
def ask(serve, issuer, settings):
    """Send a bearer token to a view with these authenticators, and return the answer."""

    def ask(token, *authenticators, permission=AllowAny, **oauth_jwt):
        settings.OAUTH_JWT = {**settings.OAUTH_JWT, "PASS_FOREIGN_TOKENS": True, **oauth_jwt}
        client = serve(authentication_classes=authenticators, permission_classes=[permission])
        return client.get("/", headers={"Authorization": f"Bearer {token}"})

    return ask


class Claims(APIView):
    """A view behind both schemes, for which a token is optional."""

    authentication_classes = (BearerJwtAuthentication, OpaqueBearer)
    permission_classes = (AllowAny,)

    def get(self, request):
        return Response({"claims": request.claims, "token": request.access_token and request.access_token.subject})


@pytest.mark.parametrize("token", [FOREIGN["opaque"], FOREIGN["another issuer"]])
def test_with_a_foreign_token_a_view_reads_no_claims(serve, issuer, settings, token):
    """As without any token: an optional one never ends in AttributeError, without the middleware, too."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "PASS_FOREIGN_TOKENS": True}
    client = serve(Claims)
    for headers in ({"Authorization": f"Bearer {token}"}, {"Authorization": "Basic YTpi"}, {}):
        assert client.get("/", headers=headers).json() == {"claims": {}, "token": None}


def test_the_claims_that_a_decorator_has_given_stay(serve, issuer, settings):
    """Of a token that is foreign to the settings, but good by the decorator's own keys."""
    partner = TokenIssuer(issuer="https://partner.test", alg="ES256")
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "PASS_FOREIGN_TOKENS": True, "ALGORITHMS": ["ES256"]}
    client = serve(secure(jwks_service=partner)(Claims.as_view()))
    answer = client.get("/", headers=partner.headers(sub="anna")).json()
    assert (answer["claims"]["sub"], answer["token"]) == ("anna", "anna")


@pytest.mark.parametrize("ours", [BearerJwtAuthentication, OwnAuthentication])
@pytest.mark.parametrize("token", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_token_is_the_next_authenticators_affair(ask, signals, token, ours):
    """No JWT at all, or none of a trusted issuer: whose it is decides, and nothing is rejected."""
    assert ask(token, ours, OpaqueBearer).json() == {"user": "opaque", "has_token": True}
    assert signals == []


@pytest.mark.parametrize("token", OURS.values(), ids=OURS)
def test_a_token_that_names_a_trusted_issuer_is_never_passed_on(ask, token):
    """However broken it is: it is refused with our challenge."""
    response = ask(token, BearerJwtAuthentication, OpaqueBearer)
    assert (response.status_code, response["WWW-Authenticate"][:28]) == (403, 'Bearer error="invalid_token"')


def test_of_several_named_issuers_a_resolver_is_asked_about_none(ask, issuer, settings):
    """A token that names more than one is ours, however foreign they are: who makes it up asks for nothing."""
    asked = []
    settings.OAUTH_JWT = {"ISSUER_RESOLVER": asked.append, "PASS_FOREIGN_TOKENS": True}
    named, foreign = issuer.token(iss=["https://a.example.com", "https://b.example.com"]), issuer.token()
    assert ask(named, BearerJwtAuthentication, OpaqueBearer).status_code == 403
    assert asked == []
    assert ask(foreign, BearerJwtAuthentication, OpaqueBearer).json()["user"] == "opaque"
    assert asked == [issuer.issuer]


@pytest.mark.parametrize("fault", [{"expired": True}, {"forged": True}, {"rotated": True}, {"sub": 1}])
def test_a_bad_token_of_ours_is_refused(ask, issuer, fault):
    """It would else be tried as a token of the other scheme."""
    assert ask(issuer.token(**fault), BearerJwtAuthentication, OpaqueBearer).status_code == 403


def test_a_good_token_is_taken(ask, issuer):
    """The other scheme sees none of ours."""
    token = issuer.token("read", sub="anna")
    assert ask(token, BearerJwtAuthentication, OpaqueBearer, permission=HasScope("read")).json()["user"] == "anna"


@pytest.mark.parametrize("token", [FOREIGN["opaque"], FOREIGN["another issuer"]])
@pytest.mark.parametrize("authenticators", [[BearerJwtAuthentication], [TokenAuthentication, BearerJwtAuthentication]])
def test_what_nobody_comes_to_take_is_refused(ask, token, authenticators):
    """A bad token never becomes an anonymous request: the last authenticator refuses it."""
    assert ask(token, *authenticators).status_code == 403


@pytest.mark.parametrize("token", ["refused", "t\u00fcr"])
def test_what_the_next_one_refuses_is_refused(ask, token):
    """By the other scheme, whatever characters it is of; the challenge is for a token, as without any."""
    response = ask(token, BearerJwtAuthentication, OpaqueBearer)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("token", [*FOREIGN.values(), *OURS.values()], ids=[*FOREIGN, *OURS])
def test_by_default_every_bearer_token_is_ours(ask, token):
    """The setting is off."""
    assert ask(token, BearerJwtAuthentication, OpaqueBearer, PASS_FOREIGN_TOKENS=False).status_code == 403


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer  ", "Bearer a b"])
def test_a_header_without_one_token_is_refused(serve, issuer, settings, header):
    """There is nothing that another scheme could take."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "PASS_FOREIGN_TOKENS": True}
    client = serve(authentication_classes=[BearerJwtAuthentication, OpaqueBearer])
    assert client.get("/", headers={"Authorization": header}).status_code in (401, 403)


@pytest.mark.parametrize("token", FOREIGN.values(), ids=FOREIGN)
def test_a_token_sent_as_dpop_is_ours(serve, issuer, settings, token):
    """Another scheme that is called Bearer, too, has no proofs."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "PASS_FOREIGN_TOKENS": True}
    client = serve(authentication_classes=[BearerJwtAuthentication, OpaqueBearer])
    assert client.get("/", headers={"Authorization": f"DPoP {token}"}).status_code == 403


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}])
def test_a_request_without_a_bearer_token_is_everybodys(serve, issuer, settings, headers):
    """All authenticators are asked, and where none knows anything of it, it is an anonymous one."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "PASS_FOREIGN_TOKENS": True}
    client = serve(authentication_classes=[BearerJwtAuthentication, OpaqueBearer])
    assert client.get("/", headers=headers).json() == {"user": "AnonymousUser", "has_token": False}


def test_a_token_that_is_too_long_is_refused_unread(ask):
    """MAX_TOKEN_LENGTH holds here, too."""
    passed = ask("x" * 20, BearerJwtAuthentication, OpaqueBearer, MAX_TOKEN_LENGTH=20)
    refused = ask("x" * 21, BearerJwtAuthentication, OpaqueBearer, MAX_TOKEN_LENGTH=20)
    assert (passed.status_code, refused.status_code) == (200, 403)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        *[(name, 200) for name in ("opaque", "opaque with dots", "no base64", "one digit")],
        *[(name, 403) for name in ("no issuer", "another issuer", "encrypted", "another issuer, cut")],
    ],
)
def test_where_any_issuer_is_trusted_every_jwt_is_ours(ask, issuer, name, status):
    """Without ISSUER nothing tells whose a JWT is, so it is refused; what looks like none still passes."""
    settings = {"ISSUERS": {}, "ISSUER": None, "JWKS_SERVICE": issuer}
    assert ask(FOREIGN[name], BearerJwtAuthentication, OpaqueBearer, **settings).status_code == status


INTROSPECTION = {"INTROSPECTION": {"CLIENT_ID": "api", "CLIENT_SECRET": "hunter2"}}
#: With INTROSPECTION: opaque tokens are those that the authorization server knows or does not know.
NOT_OPAQUE = {name for name in FOREIGN if name.startswith(("no issuer", "another", "issuer", "trusted", "payload"))}
NOT_OPAQUE |= {"a broken escape, cut", "a control character, cut", "a list of lists"}
#: No authorization server issues such a one (RFC 6750 section 2.1).
NO_BEARER_TOKENS = {"no base64", "opaque with other characters"}


@pytest.mark.parametrize("name", FOREIGN)
def test_where_tokens_are_asked_about_every_opaque_one_is_ours(ask, issuer, settings, name):
    """Only its authorization server can say whose it is, so it is asked; JWTs of other issuers still pass."""
    with issuer.installed(**INTROSPECTION):
        asking = settings.OAUTH_JWT
    settings.OAUTH_JWT = asking
    response = ask(FOREIGN[name], BearerJwtAuthentication, OpaqueBearer)
    assert response.status_code == (200 if name in NOT_OPAQUE | NO_BEARER_TOKENS else 403)
    if response.status_code == 403:
        assert response["WWW-Authenticate"].startswith('Bearer error="invalid_token", error_description="Token is not')


def test_where_tokens_are_asked_about_a_known_one_is_taken(ask, issuer, settings):
    """The other scheme sees none of them."""
    with issuer.installed(**INTROSPECTION):
        asking = settings.OAUTH_JWT
    settings.OAUTH_JWT = asking
    token = issuer.opaque_token("read", sub="anna")
    answer = ask(token, BearerJwtAuthentication, OpaqueBearer, permission=HasScope("read"))
    assert answer.json()["user"] == "anna"


def test_an_authenticator_may_ask_ours_by_hand(issuer, settings):
    """Who does so sees None, and asks the next one itself."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "PASS_FOREIGN_TOKENS": True}
    request = Request(RequestFactory().get("/", headers={"Authorization": "Bearer opaque"}))
    assert BearerJwtAuthentication().authenticate(request) is None


def test_the_middleware_passes_nothing_on(ask, settings):
    """The setting is DRF's: what the middleware secures wants a token of ours."""
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    tokens = BearerJwtAuthentication, OpaqueBearer
    assert ask("opaque", *tokens, permission=IsAuthenticated).status_code == 403
    assert ask("opaque", *tokens, permission=IsAuthenticated, EXEMPT_PATHS=["/$"]).status_code == 200
