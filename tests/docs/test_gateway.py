"""The manual's gateway for opaque tokens, as printed: nginx with its njs module, between a client and Django."""

import http.client
import time
from contextlib import closing

import pytest
from django.http import JsonResponse
from django.urls import path

from django_oauth_jwt.decorators import secure
from testproject.demo.servers import ApiServer

from ..servers.faulty_server import FOREVER
from ..servers.nginx import IS_INSTALLED, NOT_INSTALLED, certificate_of
from .gateway import HOST_NAME, IntrospectionServer, running_gateway


@secure(scope="read")
def whoami(request):
    """Say who came, to which host, and with what body."""
    return JsonResponse({"sub": request.claims["sub"], "host": request.get_host(), "body": request.body.decode()})


urlpatterns = [path("whoami/", whoami)]
pytestmark = [pytest.mark.real_servers, pytest.mark.gateway, pytest.mark.urls(__name__)]


@pytest.fixture
def host():
    """The host that the certificate of the authorization server is for."""
    return HOST_NAME


@pytest.fixture
def certificate(tmp_path, host):
    """The file with that certificate, which is the one authority that nginx trusts."""
    return certificate_of(host, tmp_path)


@pytest.fixture
def introspection(certificate):
    """The authorization server."""
    with IntrospectionServer(certificate) as server:
        yield server


@pytest.fixture
def ask(tmp_path, certificate, introspection, rsa_issuer, settings):
    """Send a request through nginx to Django, and return status, headers and body of the answer."""
    if not IS_INSTALLED:
        pytest.skip(NOT_INSTALLED)
    settings.ALLOWED_HOSTS = ["books.example.com"]
    servers = {"introspection_port": introspection.server_port}
    with rsa_issuer.installed(), ApiServer() as api:
        servers["django_port"] = api.server_port
        with running_gateway(tmp_path, certificate, **servers) as port:
            _wait_until_up(port)
            introspection.asked.clear()
            yield lambda *arguments, **keywords: _ask(port, *arguments, **keywords)


def _ask(port, authorization=None, method="GET", body=None):
    headers = {"Host": "books.example.com", "Cookie": "session=secret"}
    if authorization is not None:
        headers["Authorization"] = authorization
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=FOREVER)) as connection:
        connection.request(method, "/whoami/", body, headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()


def _wait_until_up(port):
    deadline = time.monotonic() + FOREVER
    while True:
        try:
            return _ask(port)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "nginx does not answer"
            time.sleep(0.05)


@pytest.mark.parametrize("length", [0, 2_000, 7_000, 15_000])
def test_an_opaque_token_is_exchanged(ask, introspection, rsa_issuer, length):
    """Django receives the JWT, however long MAX_TOKEN_LENGTH lets it be, for a request with or without a body."""
    jwt = rsa_issuer.token("read", sub="anna", groups="x" * int(length * 3 / 4))
    assert length < len(jwt) < 16384
    introspection.answers["opaque"] = jwt
    for method, body in [("GET", None), ("POST", "b" * 100_000)]:
        status, _, answer = ask("Bearer opaque", method, body)
        assert status == 200
        assert answer == f'{{"sub": "anna", "host": "books.example.com", "body": "{body or ""}"}}'


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_line_break_behind_the_jwt_is_not_sent_on(ask, introspection, rsa_issuer, ending):
    """Django would take the header for a broken one."""
    introspection.answers["opaque"] = rsa_issuer.token("read", sub="anna") + ending
    status, _, answer = ask("Bearer opaque")
    assert (status, answer.startswith('{"sub": "anna"')) == (200, True)


def test_the_authorization_server_is_asked_for_the_token_alone(ask, introspection):
    """With the gateway's credentials, without the client's cookies; the token is a form's value, whatever it is of."""
    ask("bearer  a+b&c=d%20/~")
    ((url, headers, form),) = introspection.asked
    assert url == "/oauth/v2/oauth-introspect"
    assert form == {"token": ["a+b&c=d%20/~"]}
    assert (headers["Accept"], headers["Content-Type"]) == ("application/jwt", "application/x-www-form-urlencoded")
    assert headers["Authorization"].startswith("Basic ")
    assert "Cookie" not in headers


def test_a_token_that_is_not_active_is_refused_with_its_challenge(ask):
    """The answer says that the token is at fault, so that the client gets another one; Django sees nothing of it."""
    status, headers, _ = ask("Bearer inactive")
    assert status == 401
    assert headers.get_all("WWW-Authenticate") == ['Bearer error="invalid_token"']


@pytest.mark.parametrize("authorization", [None, "Basic dXNlcjpwYXNz", "Bearer", "Bearer a b"])
def test_a_request_without_a_token_gets_djangos_challenge(ask, introspection, authorization):
    """The authorization server is not asked."""
    status, headers, _ = ask(authorization)
    assert (status, headers.get_all("WWW-Authenticate"), introspection.asked) == (401, ['Bearer scope="read"'], [])


def test_a_refusal_of_django_keeps_its_challenge(ask, introspection, rsa_issuer):
    """A scope that is missing is told as without a gateway."""
    introspection.answers["opaque"] = rsa_issuer.token("write")
    status, headers, _ = ask("Bearer opaque")
    (challenge,) = headers.get_all("WWW-Authenticate")
    assert status == 403
    assert challenge.startswith('Bearer error="insufficient_scope"')


def test_a_jwt_that_is_too_long_is_refused_by_django(ask, introspection, rsa_issuer):
    """It gets through, so that the client is told what is wrong with it."""
    introspection.answers["opaque"] = rsa_issuer.token("read", groups="x" * 20_000)
    status, headers, _ = ask("Bearer opaque")
    assert (status, "Token is too long" in headers["WWW-Authenticate"]) == (403, True)


@pytest.mark.parametrize("answer", [500, 401, 200, "not a JWT", '{"active": true}', f"<html>{200_000 * ' '}</html>"])
def test_no_answer_about_the_token_is_no_refusal(ask, introspection, answer):
    """The client keeps its token and tries again: it is not told that the token is invalid, and is told something."""
    introspection.answers["opaque"] = answer
    status, headers, _ = ask("Bearer opaque")
    assert (status // 100, headers["WWW-Authenticate"]) == (5, None)


@pytest.mark.parametrize("host", ["else.example.com"])
def test_somebody_elses_certificate_is_no_answer(ask, introspection, rsa_issuer):
    """nginx makes sure of whom it asks, before it says who the client is."""
    introspection.answers["opaque"] = rsa_issuer.token("read")
    assert (ask("Bearer opaque")[0] // 100, introspection.asked) == (5, [])
