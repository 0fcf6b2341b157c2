"""Proofs of requests-oauth2client for the example project, over real HTTP (RFC 9449).

The client knows where tokens are to be had and who it is; the authorization server is Authlib's.
"""

from contextlib import suppress

import pytest
from django.http import JsonResponse
from django.urls import path
from requests.adapters import HTTPAdapter
from requests_oauth2client import BearerToken, ClientSecretBasic, DPoPKey, DPoPToken, MissingDPoPNonce, OAuth2Client

from django_oauth_jwt.decorators import secure
from testproject.asgi import application
from testproject.demo.servers import ApiServer, direct_session

from .uvicorn_server import served

AUDIENCE = "https://api.example.com"
REPLY = {"subject": "batch-job", "client_id": "batch-job"}


class Wire(HTTPAdapter):
    """Sends the requests, and keeps what was answered."""

    def __init__(self):
        super().__init__()
        self.answers = []

    def send(self, request, **options):
        response = super().send(request, **options)
        self.answers.append(response)
        return response

    def statuses(self):
        """Return the statuses since the last call."""
        answers, self.answers = self.answers, []
        return [answer.status_code for answer in answers]


@pytest.fixture(params=["WSGI", pytest.param("ASGI", marks=pytest.mark.real_servers)])
def origin(request):
    """The example project on the server of Python's library, and on uvicorn."""
    if request.param == "ASGI":
        with served(application) as origin:
            yield origin
    else:
        with ApiServer() as server:
            yield server.origin


@pytest.fixture
def trust(shared_server, settings):
    """Have the project trust the authorization server."""

    def trust(**more):
        settings.OAUTH_JWT = {"ISSUER": shared_server.issuer, "AUDIENCE": AUDIENCE, "TOKEN_TYPES": ["at+jwt"], **more}

    trust()
    return trust


@pytest.fixture
def get_token(shared_server):
    """Have a client get a token that is bound to a new key of an algorithm."""

    def get_token(alg="ES256"):
        own = ClientSecretBasic("batch-job", "batch-secret")
        url = f"{shared_server.issuer}/token"
        client = OAuth2Client(url, own, dpop_alg=alg, session=direct_session(), testing=True)  # over plain HTTP
        return client.client_credentials(scope="read", dpop=True)

    return get_token


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def send(origin, wire):
    """Send a request with what the client makes of a token, and return the answer."""

    def send(token, url, method="GET", **options):
        with direct_session() as session:
            session.mount("http://", wire)
            return session.request(method, f"{origin}{url}", auth=token, timeout=10, **options)

    return send


@pytest.mark.parametrize("alg", ["ES256", "ES512", "PS256", "EdDSA"])
def test_a_foreign_clients_proofs_are_accepted(trust, get_token, send, wire, alg):
    """The first request opens, and so does the next: with a query, a body, for each kind of view."""
    token = get_token(alg)
    for url, method, body in [
        ("/secured/scope", "GET", None),
        ("/secured/scope?author=Jane+Austen&title=%C3%89mile#top", "GET", None),
        ("/secured/token?draft=", "POST", {"title": "Emma"}),
        ("/secured/async", "POST", {"title": "Emma"}),
        ("/api/scope?page=2", "GET", None),
    ]:
        answer = send(token, url, method, json=body)
        assert (answer.status_code, answer.json() | REPLY) == (200, answer.json())
    assert wire.statuses() == [200] * 5


@secure(scope="read")
def book(request, title):
    return JsonResponse({"title": title})


urlpatterns = [path("books/<path:title>", book)]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("sent", "title"),
    [
        ("Jane Austen", "Jane Austen"),
        ("%C3%89mile", "Émile"),
        ("Émile", "Émile"),
        ("%7Eanna;v=2,3", "~anna;v=2,3"),
        ("Who's (afraid)!*", "Who's (afraid)!*"),
        ("a|b[c]^d", "a|b[c]^d"),
        ("draft/../a:b@c/./d+e", "a:b@c/d+e"),
    ],
)
def test_a_url_is_the_same_to_client_and_server(trust, get_token, send, sent, title):
    """However it is spelled in the program, on its way, and in the proof."""
    answer = send(get_token(), f"/books/{sent}")
    assert (answer.status_code, answer.json()) == (200, {"title": title})


def test_a_client_finds_its_way_to_the_nonce(trust, get_token, send, wire, settings):
    """It learns the nonce from the refusal, uses it from then on, and takes another when that one is good no more."""
    trust(DPOP={"NONCE": True})
    token = get_token()
    for expected in ([401, 200], [200]):
        assert send(token, "/secured/scope?page=2").json()["scopes"] == ["read"]
        assert wire.statuses() == expected
    settings.SECRET_KEY = "another, which makes all nonces so far old ones"
    assert send(token, "/secured/token", "POST", json={"title": "Emma"}).json()["subject"] == "batch-job"
    assert wire.statuses() == [401, 200]
    assert send(token, "/api/scope").status_code == 200
    assert wire.statuses() == [200]


def test_a_stolen_token_opens_nothing(trust, get_token, send, wire):
    """Neither as a bearer token nor with proofs of the thief's own key; for its client it is as good as before."""
    token = get_token()
    send(BearerToken(token.access_token), "/secured/scope")
    with suppress(MissingDPoPNonce):  # the client may take a refusal of its proof for a request to add a nonce
        send(DPoPToken(token.access_token, _dpop_key=DPoPKey.generate()), "/secured/scope")
    send(token, "/secured/scope")
    assert wire.statuses() == [401, 401, 200]
