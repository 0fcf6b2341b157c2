"""A project's own refusals, raised in a resolver or a view: answered, logged and signalled like ours."""

import logging

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.utils.translation import gettext_lazy
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.errors import (
    BearerError,
    InsufficientAuthentication,
    InsufficientScope,
    InvalidProof,
    InvalidToken,
    KeysUnavailable,
    MissingClaims,
    MissingToken,
    NonceRequired,
)
from django_oauth_jwt.http import refuse
from django_oauth_jwt.middleware import JwtBearerMiddleware

MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"


class WrongTenant(InvalidToken):
    """Leaves the status to the setting."""

    def __init__(self):
        super().__init__("wrong_tenant", "Token is for another tenant", detail="tenant 7")


class Gone(InvalidToken):
    """Has a status of its own."""

    status = 410


class Forbidden(InvalidToken):
    """Sets the status that ours has anyway."""

    status = 403


class LaterChosen(InvalidToken):
    """Decides on its status when it is made."""

    def __init__(self):
        super().__init__("late", "Late")
        self.status = 409


class UnpaidBill(BearerError):
    """No child of any refusal of ours."""

    status = 402
    error = "payment_required"


class Plain(BearerError):
    """Sets nothing at all."""


class InWords(BearerError):
    """Says all on the class, and has an `__init__` of its own."""

    reason = "in_words"
    description = "No"

    def __init__(self):
        self.tenant = 7


class TooOld(InvalidProof):
    """A project's word on a proof, without a description."""

    def __init__(self):
        super().__init__("too_old")


#: By name: what is raised, then status, body and challenge of the answer where INVALID_TOKEN_STATUS is 401.
PROOF = (
    'Bearer, DPoP algs="RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519", '
    'error="invalid_dpop_proof", error_description="DPoP proof is not accepted"'
)
WORDS = 'error_description="Token is for another tenant"'
OWN = {
    "own words": (
        lambda: InvalidToken("wrong_tenant", "Token is for another tenant"),
        (401, "invalid_token", f'Bearer error="invalid_token", {WORDS}'),
    ),
    "own reason": (
        lambda: InvalidToken("wrong_tenant"),
        (401, "invalid_token", 'Bearer error="invalid_token", error_description="Token is not accepted"'),
    ),
    "child": (WrongTenant, (401, "invalid_token", f'Bearer error="invalid_token", {WORDS}')),
    "child with a status": (
        lambda: Gone("gone", "Gone"),
        (410, "invalid_token", 'Bearer error="invalid_token", error_description="Gone"'),
    ),
    "child with our status": (
        lambda: Forbidden("forbidden", "No"),
        (403, "invalid_token", 'Bearer error="invalid_token", error_description="No"'),
    ),
    "child with a late status": (
        LaterChosen,
        (409, "invalid_token", 'Bearer error="invalid_token", error_description="Late"'),
    ),
    "another refusal": (
        lambda: UnpaidBill("unpaid_bill", "Pay first"),
        (402, "payment_required", 'Bearer error="payment_required", error_description="Pay first"'),
    ),
    "a plain refusal": (lambda: Plain("plain", "No"), (403, None, "Bearer")),
    "the base": (lambda: BearerError("base", "No"), (403, None, "Bearer")),
    "all on the class": (InWords, (403, None, "Bearer")),
    "a proof": (TooOld, (401, "invalid_dpop_proof", PROOF)),
    "ours": (
        lambda: MissingClaims(["role"]),
        (
            403,
            "invalid_token",
            'Bearer error="invalid_token", error_description="Token is missing some required claims"',
        ),
    ),
}

raised = []


def resolve(access_token, request):
    error = raised[-1]()
    raise error


def view(request):
    error = raised[-1]()
    raise error


async def async_view(request):
    error = raised[-1]()
    raise error


def template_view(request):
    class Late(SimpleTemplateResponse):
        rendered_content = property(view)

    return Late("none.html")


@api_view()
@authentication_classes([BearerJwtAuthentication])
@permission_classes([AllowAny])
def drf_view(request):
    error = raised[-1]()
    raise error


@api_view()
@authentication_classes([])
@permission_classes([AllowAny])
def foreign_drf_view(request):
    error = raised[-1]()
    raise error


def writing_view(request):
    get_user_model().objects.create(username="written")
    raise InvalidToken("wrong_tenant")


urlpatterns = [
    path("def/", secure()(view)),
    path("async/", secure()(async_view)),
    path("drf/", drf_view),
    path("middleware/", view),
    path("middleware/async/", async_view),
    path("middleware/template/", template_view),
    path("middleware/foreign-drf/", foreign_drf_view),
    path("middleware/open/", token_not_required(view)),
    path("middleware/both/", secure()(view)),
    path("writing/", secure()(writing_view)),
    path("writing/alone/", transaction.non_atomic_requests(secure()(writing_view))),
]
pytestmark = pytest.mark.urls(__name__)
ALL = [str(pattern.pattern) for pattern in urlpatterns[:-2]]


@pytest.fixture
def ask(send, settings, rsa_issuer):
    """Send a good token to a view, with the middleware where the path says so."""

    def ask(url, **more):
        settings.MIDDLEWARE = [MIDDLEWARE] if url.startswith("middleware") else []
        with rsa_issuer.installed(INVALID_TOKEN_STATUS=401, **more):
            return send("get", f"/{url}", headers=rsa_issuer.headers())

    return ask


def is_answered(response, url, expected):
    status, error, challenge = expected
    assert (response.status_code, response["WWW-Authenticate"]) == (status, challenge)
    assert response["Cache-Control"] == "no-store"
    assert "Authorization" in response["Vary"]
    if "drf" not in url or "foreign" in url:
        assert response.json()["error"] == error


@pytest.mark.parametrize("url", ALL)
@pytest.mark.parametrize("name", OWN)
def test_what_a_view_raises_is_answered(ask, signals, caplog, url, name):
    """With the status of its class, in the log and to receivers, once."""
    caplog.set_level(logging.INFO, "django_oauth_jwt")
    make, expected = OWN[name]
    raised.append(make)
    is_answered(ask(url), url, expected)
    rejected = [sent for kind, sent in signals if kind == "rejected"]
    assert [sent["reason"] for sent in rejected] == [make().reason]
    assert type(rejected[0]["error"]) is type(make())
    lines = [record.getMessage() for record in caplog.records if record.name == "django_oauth_jwt"]
    more = f": {make().detail}" if make().detail else ""
    assert lines == [f"Token rejected: {make().reason}{more}"]


KINDS = [BearerError, MissingToken, InvalidToken, InvalidProof, InsufficientScope, MissingClaims]
KINDS += [InsufficientAuthentication, KeysUnavailable, NonceRequired]


@pytest.mark.parametrize("url", ["def/", "drf/", "middleware/"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_child_that_does_not_call_ours_is_answered(ask, url, kind):
    """With the status of its class, and no challenge for anything in particular."""
    raised.append(type("Silent", (kind,), {"__init__": lambda self: None}))
    response = ask(url)
    assert response.status_code == (401 if kind is InvalidToken else kind.status)
    assert "The request is refused" in response.content.decode()


@pytest.mark.parametrize("url", ["def/", "async/", "drf/", "middleware/", "middleware/both/"])
@pytest.mark.parametrize("name", OWN)
def test_what_a_resolver_raises_is_answered(ask, signals, url, name):
    """In the same way, and no view is called."""
    make, expected = OWN[name]
    raised.append(make)
    is_answered(ask(url, USER_RESOLVER=resolve), url, expected)
    assert [(kind, sent["reason"]) for kind, sent in signals] == [("rejected", make().reason)]


@pytest.mark.parametrize("url", ALL)
def test_a_view_that_cannot_get_keys_says_when_to_come_back(ask, signals, url):
    """503 is the answer, and no token is called bad."""
    raised.append(lambda: KeysUnavailable(7))
    response = ask(url)
    assert (response.status_code, response["Retry-After"]) == (503, "7")
    assert [kind for kind, _ in signals if kind == "rejected"] == []


@pytest.mark.parametrize("url", ["middleware/open/", "middleware/", "def/"])
@pytest.mark.parametrize("make", [MissingToken, lambda: MissingToken("no_cookie")])
def test_a_view_that_misses_a_token_asks_for_one(ask, signals, url, make):
    """It may decide so itself, and say why."""
    raised.append(make)
    response = ask(url)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert [kind for kind, _ in signals if kind == "rejected"] == []


@pytest.mark.parametrize("url", ["middleware/", "def/", "async/", "drf/"])
def test_any_other_error_is_the_projects(ask, url):
    """It is no refusal, so it is raised as ever."""
    raised.append(ValueError)
    with pytest.raises(ValueError):  # noqa: PT011  # it has no text
        ask(url)


@pytest.mark.parametrize(
    "secured", [secure(realm="books")(view), async_to_sync(secure(realm="books")(async_view))], ids=["def", "async"]
)
def test_the_realm_is_the_decorators(issuer, secured):
    """As it is for its own refusals."""
    raised.append(MissingToken)
    answer = secured(RequestFactory().get("/", headers=issuer.headers()))
    assert answer["WWW-Authenticate"] == 'Bearer realm="books"'


def test_the_middlewares_hook_passes_other_errors_on(issuer):
    """So that Django's other middleware is asked."""
    middleware = JwtBearerMiddleware(lambda request: HttpResponse())
    assert middleware.process_exception(RequestFactory().get("/"), ValueError()) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_atomic", [True, False])
def test_what_a_refused_view_has_written_is_rolled_back(issuer, monkeypatch, is_atomic):
    """Where each request is a transaction, as it is when an error leaves a view."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", is_atomic)
    with transaction.atomic():  # a project's own, which is not for us to undo
        assert Client().get("/writing/", headers=issuer.headers()).status_code == 403
    assert get_user_model().objects.filter(username="written").exists() is not is_atomic


@pytest.mark.django_db(transaction=True)
def test_a_view_outside_the_transaction_keeps_what_it_has_written(issuer, monkeypatch):
    """Django's `non_atomic_requests`: there is nothing to roll back, and the answer is the refusal."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert Client().get("/writing/alone/", headers=issuer.headers()).status_code == 403
    assert get_user_model().objects.filter(username="written").exists()


#: By description: what the header says of it.
DESCRIPTIONS = {
    'He said "no"': "He said 'no'",
    "one\nWWW-Authenticate: Basic": "one WWW-Authenticate: Basic",
    "one\r\n\r\ntwo\tthree": "one two three",
    "back\\slash": "back?slash",
    "Token gehört Zoë": "Token geh?rt Zo?",
    "\x00\x7f": "??",
    gettext_lazy("Token is late"): "Token is late",
}


@pytest.mark.parametrize(("description", "shown"), DESCRIPTIONS.items(), ids=range(len(DESCRIPTIONS)))
@pytest.mark.parametrize("url", ["def/", "drf/", "middleware/"])
def test_own_words_do_no_harm_to_a_header(ask, url, description, shown):
    """RFC 6750 section 3: no quote, no backslash, one line of ASCII; the body has them as they are."""
    raised.append(lambda: InvalidToken("own", description))
    response = ask(url)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == f'Bearer error="invalid_token", error_description="{shown}"'
    assert response.json()["detail" if url == "drf/" else "error_description"] == str(description)


def test_an_own_error_code_and_scope_do_no_harm_either(issuer):
    """They stand in the same header."""

    class Odd(BearerError):
        error = 'a"b\nc'

    assert refuse(Odd("odd", "No"))["WWW-Authenticate"] == 'Bearer error="a\'b c", error_description="No"'
    assert refuse(InsufficientScope(['a"', "b\\"]))["WWW-Authenticate"].endswith('scope="a\' b?"')
