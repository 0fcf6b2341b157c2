"""django-cors-headers beside the package: who answers a preflight, and what a page of another origin may read."""

import pytest
from django.core.checks import run_checks
from django.http import HttpResponse

from django_oauth_jwt.decorators import secure
from django_oauth_jwt.testing import ProofKey

pytestmark = pytest.mark.recipes

ORIGIN = "https://app.example.com"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,dpop",
}


@pytest.fixture
def project(configure, trust, urls):
    """The page's project, with one view, behind the middleware and with the decorator."""
    trust(DPOP={"OFFER": True, "NONCE": True})
    configure("cors.md", "cors")
    urls(books=secure(scope="books.read")(lambda request: HttpResponse("ok")))


def words(value):
    return {word.strip().lower() for word in value.split(",")}


@pytest.mark.usefixtures("project")
def test_a_preflight_needs_no_token(send):
    """And is told that the headers with token and proof may be sent."""
    response = send("options", "/books/", headers=PREFLIGHT)
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    assert {"authorization", "dpop"} <= words(response["Access-Control-Allow-Headers"])


@pytest.mark.usefixtures("project")
def test_a_page_reads_why_a_token_is_refused(send, rsa_issuer):
    """Challenge and nonce are there, and exposed."""
    refused = send("get", "/books/", headers={"Origin": ORIGIN})
    assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (401, ORIGIN)
    assert words(refused["Access-Control-Expose-Headers"]) == {"www-authenticate", "dpop-nonce", "retry-after"}
    assert "WWW-Authenticate" in refused
    key = ProofKey.generate()
    headers = key.headers(rsa_issuer.token("books.read", bound_to=key), "GET", "http://testserver/books/")
    unproven = send("get", "/books/", headers={**headers, "Origin": ORIGIN})
    assert (unproven.status_code, unproven["Access-Control-Allow-Origin"]) == (401, ORIGIN)
    assert unproven["DPoP-Nonce"]


@pytest.mark.usefixtures("project")
def test_a_good_token_is_answered_with_both_varies(send, rsa_issuer):
    """No cache gives one origin's or one token's answer to another."""
    response = send("get", "/books/", headers={**rsa_issuer.headers("books.read"), "Origin": ORIGIN})
    assert (response.content, words(response["Vary"])) == (b"ok", {"origin", "authorization"})


@pytest.mark.usefixtures("project")
def test_another_origin_may_read_nothing(send):
    """Only those that are listed."""
    response = send("options", "/books/", headers={**PREFLIGHT, "Origin": "https://evil.example.com"})
    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.usefixtures("project")
def test_below_ours_preflights_are_refused_and_the_check_says_so(send, settings):
    """The order matters."""
    assert "oauth_jwt.W009" not in {message.id for message in run_checks(include_deployment_checks=True)}
    settings.MIDDLEWARE = settings.MIDDLEWARE[::-1]
    assert send("options", "/books/", headers=PREFLIGHT).status_code == 401
    assert "oauth_jwt.W009" in {message.id for message in run_checks(include_deployment_checks=True)}
