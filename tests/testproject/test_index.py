"""The page at the example's root: what it lists without a browser, and what it does in one."""

import json
import re

import pytest
import requests
from django.conf import settings
from django.test import Client, override_settings
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from django_oauth_jwt.jws import SUPPORTED_ALGORITHMS
from testproject import ninja_api, urls
from testproject.demo.servers import page_resource, running
from testproject.index import ENDPOINTS


def test_the_page_lists_every_view_of_the_example():
    """A view that is added to the example can be tried from the page, but what serves the page or speaks a protocol."""
    page = Client().get("/")
    ninja = {f"/ninja{path}" for path in ninja_api.api.default_router.path_operations}
    others = {f"/{route.pattern}" for route in urls.urlpatterns} - {"/", "/explain", "/mcp", "/ninja/"}
    assert {endpoint.path for endpoint in ENDPOINTS} == ninja | others
    assert all(f"<option>{endpoint.path}</option>" in page.content.decode() for endpoint in ENDPOINTS)


@pytest.fixture(scope="module")
def example():
    """Both servers of the example, over HTTP, as they are when `manage.py demo` serves."""
    with running(0, print) as (server, api), page_resource(api.origin):
        yield server, api


@pytest.fixture
def submit(example, browser):
    """Fill in the form, press the button, and return what the page shows."""
    _, api = example

    def _submit(path, *, kind="good", binding="none", scope="", claims="{}"):
        browser.get(f"{api.origin}/")
        Select(browser.find_element(By.ID, "path")).select_by_visible_text(path)
        for name, choice in (("kind", kind), ("binding", binding)):
            Select(browser.find_element(By.ID, name)).select_by_value(choice)
        for name, text in (("scope", scope), ("claims", claims)):
            browser.find_element(By.ID, name).clear()
            browser.find_element(By.ID, name).send_keys(text)
        browser.find_element(By.TAG_NAME, "button").click()
        WebDriverWait(browser, 30).until(lambda page: page.find_element(By.ID, "status").text)
        shown = {part: browser.find_element(By.ID, part).text for part in _PARTS}
        return {
            part: text.replace(f'resource_metadata="{api.origin}{_WELL_KNOWN}"', "META") for part, text in shown.items()
        }

    return _submit


_PARTS = ("sent", "payload", "proof", "status", "challenge", "body")
_WELL_KNOWN = "/.well-known/oauth-protected-resource"
_ALGS = f'algs="{" ".join(SUPPORTED_ALGORITHMS)}"'


@pytest.fixture
def explain(browser):
    """Press the button below the answer, and return the verdict and the rows."""

    def _explain():
        browser.find_element(By.ID, "explain").click()
        WebDriverWait(browser, 30).until(lambda page: page.find_element(By.ID, "verdict").text)
        rows = [row.text for row in browser.find_elements(By.CSS_SELECTOR, "#rules tr")]
        return browser.find_element(By.ID, "verdict").text, rows

    return _explain


@pytest.mark.browser
@pytest.mark.parametrize(
    ("path", "choice", "status", "challenge"),
    [
        ("/open", {"kind": "none"}, "200 OK", "(none)"),
        ("/secured/token", {"kind": "none", "binding": "own"}, "401 Unauthorized", "Bearer META"),
        ("/secured/async", {}, "200 OK", "(none)"),
        (
            "/secured/token",
            {"kind": "expired"},
            "401 Unauthorized",
            'Bearer error="invalid_token", error_description="Token has expired", META',
        ),
        (
            "/api/token",
            {"kind": "forged"},
            "401 Unauthorized",
            'Bearer error="invalid_token", error_description="signature verification failed", META',
        ),
        (
            "/secured/scope",
            {"scope": "write"},
            "403 Forbidden",
            (
                'Bearer error="insufficient_scope", '
                'error_description="Token is missing some required scope values", scope="read", META'
            ),
        ),
        ("/api/scope", {"scope": "write read"}, "200 OK", "(none)"),
        ("/secured/claim", {"claims": '{"role": ["editor", "admin"]}'}, "200 OK", "(none)"),
        (
            "/api/claim",
            {"claims": '{"role": "editor"}'},
            "403 Forbidden",
            'Bearer error="invalid_token", error_description="Token is missing some required claims", META',
        ),
        ("/secured/async", {"binding": "own"}, "200 OK", "(none)"),
        ("/api/scope", {"binding": "own", "kind": "opaque", "scope": "read"}, "200 OK", "(none)"),
        (
            "/secured/token",
            {"binding": "other"},
            "401 Unauthorized",
            (
                f'Bearer, DPoP {_ALGS}, error="invalid_dpop_proof", '
                'error_description="DPoP proof is signed with another key than the token is bound to", META'
            ),
        ),
        (
            "/api/token",
            {"binding": "used"},
            "401 Unauthorized",
            f'Bearer, DPoP {_ALGS}, error="invalid_dpop_proof", error_description="DPoP proof was used before", META',
        ),
        (
            "/secured/token",
            {"binding": "bearer"},
            "401 Unauthorized",
            (
                'Bearer error="invalid_token", error_description="Token is not proven to be the sender\'s own", META, '
                f"DPoP {_ALGS}"
            ),
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


@pytest.mark.browser
def test_the_page_shows_the_resource_metadata_and_asks_for_a_token_for_that_resource(submit, browser, example):
    """One sees what a client learns there, and the page does what a client does with it."""
    server, api = example
    shown = submit("/secured/token")
    link = browser.find_element(By.ID, "metadata-link")
    assert link.get_attribute("href") == f"{api.origin}{_WELL_KNOWN}"
    metadata = json.loads(browser.find_element(By.ID, "metadata").text)
    assert metadata == requests.get(link.get_attribute("href"), timeout=30).json()
    assert (metadata["resource"], metadata["authorization_servers"]) == (api.origin, [server.origin])
    assert json.loads(shown["payload"])["aud"] == api.origin


@pytest.mark.browser
def test_the_page_tells_where_there_is_no_resource_metadata(submit, browser):
    """With `manage.py runserver` and the example's own settings the rest of the page works as ever."""
    with override_settings(OAUTH_JWT={**settings.OAUTH_JWT, "RESOURCE_METADATA": None}):
        shown = submit("/secured/token")
    assert shown["status"] == "200 OK"
    said = browser.find_element(By.ID, "metadata").text
    assert said == "(nothing: the setting RESOURCE_METADATA is not set)"


@pytest.mark.browser
def test_the_page_makes_each_proof_by_a_key_of_its_own(submit, browser):
    """The token is bound to that key, which no script can read, and the proof is for this request and token."""
    shown = submit("/secured/token", binding="own")
    proof, token = json.loads(shown["proof"]), json.loads(shown["payload"])
    assert (proof["htm"], proof["htu"]) == ("GET", f"{token['aud']}/secured/token")
    assert proof.keys() == {"jti", "htm", "htu", "iat", "ath"}
    assert token["cnf"].keys() == {"jkt"}
    assert browser.execute_script("return ownKey.then((key) => key.privateKey.extractable)") is False


@pytest.mark.browser
def test_the_page_explains_an_answer_when_it_is_asked(submit, explain, browser):
    """What the command says of this very token and proof; the explanation of one answer is gone with the next."""
    submit("/secured/token", kind="expired")
    assert not browser.find_element(By.ID, "explanation").is_displayed()
    verdict, rows = explain()
    assert verdict == "The token is refused: expired. Not checked: what views require."
    assert [row.split()[:2] for row in rows if not row.startswith("ok ")] == [["no", "exp"]]
    browser.find_element(By.TAG_NAME, "button").click()
    WebDriverWait(browser, 30).until(lambda page: page.find_element(By.ID, "status").text)
    assert not browser.find_element(By.ID, "explanation").is_displayed()
    assert not browser.find_element(By.ID, "verdict").text
    submit("/secured/token", kind="opaque", binding="other")
    verdict, rows = explain()
    assert verdict.startswith("The token is refused: wrong_proof_key. ")
    assert rows[0].startswith("ok introspection ")
    assert [row.split()[:3] for row in rows if not row.startswith("ok ")] == [["no", "proof", "key"]]
    submit("/api/token", binding="bearer")
    verdict, rows = explain()
    assert verdict.startswith("The token is refused: unproven. ")
    assert [row.split()[:2] for row in rows if row.startswith("no ")] == [["no", "scheme"]]
    assert "? proof not checked: none is given" in rows
    submit("/secured/token", kind="none")
    assert not browser.find_element(By.ID, "explain").is_enabled()


@pytest.mark.browser
def test_the_token_is_shown_where_the_request_is_and_nowhere_else(submit, explain, browser):
    """A picture of the rest of the page gives nothing away, nor does the proof, which is used by then."""
    shown = submit("/secured/token", binding="own")
    explain()
    token = shown["sent"].partition("DPoP ")[2].partition("\n")[0]
    page = browser.find_element(By.TAG_NAME, "html").get_attribute("outerHTML")
    assert token.count(".") == 2
    assert [page.count(part) for part in token.split(".")] == [1, 1, 1]
    assert shown["sent"].endswith("\nDPoP: (the proof)")


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_each_screen_and_follows_its_colours(submit, explain, browser, width, scheme):
    """Nothing is cut off on a phone, the answer comes before all that is only for reference, and text can be read."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        submit("/secured/token", kind="opaque", binding="other")
        explain()
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        contrasts = browser.execute_script(_CONTRASTS)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert contrasts["background"] < 0.1 if scheme == "dark" else contrasts["background"] > 0.9
    assert min(contrasts["ratios"]) >= 4.5


#: The luminance of the page, and the contrasts of all texts with what is behind them (WCAG 2.2, 1.4.3).
_CONTRASTS = """
const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
const luminance = (colour) => rgb(colour).slice(0, 3).map((c) => c / 255)
  .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const isClear = (colour) => rgb(colour)[3] === 0;
const behind = (element) => {
  const colour = getComputedStyle(element).backgroundColor;
  return isClear(colour) ? behind(element.parentElement) : colour;
};
const ratio = (element) => {
  const both = [getComputedStyle(element).color, behind(element)].map(luminance).sort((a, b) => b - a);
  return (both[0] + 0.05) / (both[1] + 0.05);
};
const names = "h1, h2, p, a, label, input, select, textarea, button, dt, dd, pre, td, th";
const texts = [...document.querySelectorAll(names)];
return { background: luminance(getComputedStyle(document.body).backgroundColor), ratios: texts.map(ratio) };
"""


@pytest.mark.browser
def test_the_page_can_be_used_without_mouse_and_screen(submit, browser):
    """Each field has its label, each heading its place, and a screen reader reads the status, not the token."""
    submit("/secured/token")
    fields = browser.find_elements(By.CSS_SELECTOR, "input, select, textarea, button")
    assert [field.accessible_name for field in fields] == [
        *("View", "Token", "Bound to a key", "Scope", "More claims", "Send", "Explain the token")
    ]
    read = browser.find_elements(By.CSS_SELECTOR, "[aria-live], [role=status]")
    assert [element.get_attribute("id") for element in read] == ["status", "verdict"]
    browser.find_element(By.ID, "claims").send_keys(Keys.TAB, Keys.TAB)
    assert browser.switch_to.active_element == browser.find_element(By.ID, "explain")


def test_the_page_loads_nothing_from_elsewhere():
    """It works without a network, and shows tokens to nobody."""
    page = Client().get("/").content.decode()
    assert set(re.findall(r"""(?:src|href|action)=["']([^"']*)""", page)) == {_WELL_KNOWN}
    assert not re.findall(r"@import|\burl\(|<(?:img|iframe|link|object)", page)
