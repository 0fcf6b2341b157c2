"""Swagger UI in a browser: it logs in at an authorization server with PKCE, and sends the token that it gets."""

import base64
import hashlib
import json
import threading
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from testproject.loopback import LoggingHandler, LoopbackServer

from .swagger_project import login, swagger_project

__all__ = ["swagger_project"]

pytestmark = [pytest.mark.recipes, pytest.mark.browser]

SECONDS = 20


class _AuthorizationHandler(LoggingHandler):
    """Lets everybody in at once; the code is good for whoever knows the verifier of its challenge (RFC 7636)."""

    def do_GET(self):  # noqa: N802  # the base class calls it so
        asked = dict(parse_qsl(urlsplit(self.path).query))
        self.server.asked = asked
        self.send_response(302)
        back = {"code": asked["code_challenge"], "state": asked["state"]}
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode(back)}")
        self.end_headers()

    def do_OPTIONS(self):  # noqa: N802  # as above
        self._answer(b"")

    def do_POST(self):  # noqa: N802  # as above
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        assert form["code"] == [base64.urlsafe_b64encode(digest).rstrip(b"=").decode()]
        self._answer(json.dumps({"access_token": self.server.token, "token_type": "Bearer"}).encode())

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "*, Authorization")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class AuthorizationServer(LoopbackServer):
    """Gives out one token, and keeps what it was asked for the last code."""

    handler = _AuthorizationHandler
    token = ""
    asked = None


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def api():
    """The project, served; its origin."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
    server.set_app(StaticFilesHandler(WSGIHandler()))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_login_brings_a_token_that_is_sent(swagger_project, api, rsa_issuer, browser):
    """From the button to the answer of an operation, with S256 and the page's redirect URI."""
    with AuthorizationServer() as server:
        server.token = rsa_issuer.token("books.read", sub="anna")
        flow = login(swagger_project)["flows"]["authorizationCode"]
        flow |= {"authorizationUrl": f"{server.origin}/authorize", "tokenUrl": f"{server.origin}/token"}
        browser.get(f"{api}/docs/")
        wait = WebDriverWait(browser, SECONDS)

        def click(selector):
            wait.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, selector))
            element = browser.find_element(By.CSS_SELECTOR, selector)
            browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()

        click(".auth-wrapper .authorize")
        click(".scopes input[id^='books.read'] + label, .scopes label[for^='books.read']")
        click(".auth-btn-wrapper .authorize")
        wait.until(lambda driver: "Logout" in driver.find_element(By.CSS_SELECTOR, ".auth-btn-wrapper").text)
        assert server.asked["code_challenge_method"] == "S256"
        assert server.asked["redirect_uri"] == f"{api}/docs/oauth2-redirect.html"
        assert server.asked["client_id"] == "books-docs"
        assert server.asked["scope"] == "books.read"
        click(".btn-done")
        click("#operations-books-books_retrieve .opblock-summary-control")
        click(".try-out__btn")
        click(".execute")
        wait.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, ".live-responses-table .response-col_status"))
        answer = browser.find_element(By.CSS_SELECTOR, ".live-responses-table").text
    assert '"sub": "anna"' in answer, answer
