"""The page at the example's root: what it lists without a browser, and what it does in one."""

import json

import pytest
from django.test import Client
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from testproject import ninja_api, urls
from testproject.demo.servers import running
from testproject.index import ENDPOINTS


def test_the_page_lists_every_view_of_the_example():
    """A view that is added to the example can be tried from the page; messages of a protocol are not sent by hand."""
    page = Client().get("/")
    ninja = {f"/ninja{path}" for path in ninja_api.api.default_router.path_operations}
    others = {f"/{route.pattern}" for route in urls.urlpatterns} - {"/", "/mcp", "/ninja/"}
    assert {endpoint.path for endpoint in ENDPOINTS} == ninja | others
    assert all(f"<option>{endpoint.path}</option>" in page.content.decode() for endpoint in ENDPOINTS)


@pytest.fixture(scope="module")
def example():
    """Both servers of the example, over HTTP."""
    with running(0, print) as servers:
        yield servers


@pytest.fixture
def submit(example, browser):
    """Fill in the form, press the button, and return what the page shows."""
    _, api = example

    def _submit(path, *, kind="good", scope="", claims="{}"):
        browser.get(f"{api.origin}/")
        for name, choice in (("path", path), ("kind", kind)):
            Select(browser.find_element(By.ID, name)).select_by_visible_text(choice)
        for name, text in (("scope", scope), ("claims", claims)):
            browser.find_element(By.ID, name).clear()
            browser.find_element(By.ID, name).send_keys(text)
        browser.find_element(By.TAG_NAME, "button").click()
        WebDriverWait(browser, 30).until(lambda page: page.find_element(By.ID, "status").text)
        return {part: browser.find_element(By.ID, part).text for part in _PARTS}

    return _submit


_PARTS = ("sent", "payload", "status", "challenge", "body")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("path", "choice", "status", "challenge"),
    [
        ("/open", {"kind": "none"}, "200 OK", "(none)"),
        ("/secured/token", {"kind": "none"}, "401 Unauthorized", "Bearer"),
        ("/secured/async", {}, "200 OK", "(none)"),
        (
            "/secured/token",
            {"kind": "expired"},
            "403 Forbidden",
            'Bearer error="invalid_token", error_description="Token has expired"',
        ),
        (
            "/api/token",
            {"kind": "forged"},
            "403 Forbidden",
            'Bearer error="invalid_token", error_description="signature verification failed"',
        ),
        (
            "/secured/scope",
            {"scope": "write"},
            "403 Forbidden",
            (
                'Bearer error="insufficient_scope", '
                'error_description="Token is missing some required scope values", scope="read"'
            ),
        ),
        ("/api/scope", {"scope": "write read"}, "200 OK", "(none)"),
        ("/secured/claim", {"claims": '{"role": ["editor", "admin"]}'}, "200 OK", "(none)"),
        (
            "/api/claim",
            {"claims": '{"role": "editor"}'},
            "403 Forbidden",
            'Bearer error="invalid_token", error_description="Token is missing some required claims"',
        ),
    ],
)
def test_the_page_shows_status_and_challenge_of_the_chosen_request(submit, path, choice, status, challenge):
    """What is chosen in the form is minted and sent, and the answer is shown to the letter."""
    shown = submit(path, **choice)
    assert (shown["status"], shown["challenge"]) == (status, challenge)
    assert shown["sent"].startswith(f"GET {path}")


@pytest.mark.browser
def test_the_page_shows_the_tokens_claims_and_the_body(submit):
    """One sees what the token says, non-ASCII included, and what the view answers."""
    shown = submit("/secured/token", scope="read", claims='{"name": "Zoë ☕"}')
    claims = json.loads(shown["payload"])
    assert (claims["name"], claims["scope"]) == ("Zoë ☕", "read")
    assert json.loads(shown["body"])["client_id"] == "demo"


@pytest.mark.browser
def test_the_page_sends_an_opaque_token_and_says_that_it_cannot_be_read(submit):
    """What the token says is not for the client: the view's answer shows that the API has asked about it."""
    shown = submit("/secured/scope", kind="opaque", scope="read")
    assert (shown["status"], shown["payload"]) == ("200 OK", "(only the authorization server knows)")
    assert json.loads(shown["body"])["scopes"] == ["read"]


@pytest.mark.browser
def test_the_page_says_why_no_token_could_be_had(submit):
    """A slip in the form is explained, and is no request without a token."""
    shown = submit("/secured/token", claims="[1]")
    assert shown["status"].startswith("No request was sent: claims is a JSON object")
    assert shown["sent"] == ""
