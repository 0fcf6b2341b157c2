"""Protected resource metadata (RFC 9728)."""

import re
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path, re_path
from django.utils.translation import gettext_lazy, override

from django_oauth_jwt.decorators import secure
from django_oauth_jwt.http import protected_resource_metadata

urlpatterns = [
    path("", include("django_oauth_jwt.urls")),
    path("books/", secure()(lambda request: None)),
    path("ok", secure()(lambda request: HttpResponse())),
    re_path("", secure()(lambda request: None)),
]
pytestmark = pytest.mark.urls(__name__)

WELL_KNOWN = "/.well-known/oauth-protected-resource"
ROOT = {"resource": "https://api.example.com"}
WITH_PATH = {"resource": "https://api.example.com/v2/?tenant=1", "scopes_supported": ["read"]}


def test_the_document_names_the_trusted_issuers(rsa_issuer):
    """A client learns from the metadata whom to ask for a token, with nothing but the resource configured."""
    with rsa_issuer.installed(RESOURCE_METADATA=ROOT):
        response = Client().get("/.well-known/oauth-protected-resource")
    assert response.json() == {
        "resource": "https://api.example.com",
        "authorization_servers": ["https://issuer.test"],
        "bearer_methods_supported": ["header"],
    }


def test_what_the_setting_says_stands(rsa_issuer):
    """Members of the setting are served as they are, and win over those that are known."""
    metadata = {**ROOT, "authorization_servers": ["https://other.example.com"], "resource_name": "Books"}
    with rsa_issuer.installed(RESOURCE_METADATA=metadata):
        served = Client().get("/.well-known/oauth-protected-resource").json()
    assert served["authorization_servers"] == ["https://other.example.com"]
    assert served["resource_name"] == "Books"


def test_a_lazy_text_in_a_list_is_translated_when_it_is_shown(rsa_issuer):
    """As one that stands alone is: in the language of the request."""
    metadata = {**ROOT, "resource_name": gettext_lazy("January"), "scopes_supported": ["a", gettext_lazy("January")]}
    with rsa_issuer.installed(RESOURCE_METADATA=metadata):
        for language, word in (("de", "Januar"), ("fr", "janvier")):
            with override(language):
                served = Client().get(WELL_KNOWN).json()
            assert (served["resource_name"], served["scopes_supported"]) == (word, ["a", word])


def test_a_member_that_is_none_is_left_out(rsa_issuer):
    """Section 2 knows no null, and clients refuse one; what a project adds to the document is its own affair."""
    metadata = {**ROOT, "resource_name#de": None, "authorization_servers": None, "scopes_supported": None, "own": None}
    with rsa_issuer.installed(RESOURCE_METADATA=metadata, SCOPE=["read"]):
        served = Client().get(WELL_KNOWN).json()
    assert served == {**ROOT, "bearer_methods_supported": ["header"], "own": None}


@pytest.mark.parametrize(
    ("metadata", "path", "status"),
    [
        (ROOT, "", 200),
        (ROOT, "/", 200),
        (ROOT, "/v2", 404),
        (WITH_PATH, "/v2", 200),
        (WITH_PATH, "/v2/", 200),
        (WITH_PATH, "", 200),
        (WITH_PATH, "/", 200),
        (WITH_PATH, "/v", 404),
        (WITH_PATH, "/v2/x", 404),
        (None, "", 404),
    ],
)
def test_the_document_is_at_the_resources_own_path(rsa_issuer, metadata, path, status):
    """Section 3.1: the well-known URL carries the resource's path, or none, where MCP clients ask as well."""
    with rsa_issuer.installed(RESOURCE_METADATA=metadata):
        response = Client().get(f"/.well-known/oauth-protected-resource{path}")
    assert response.status_code == status
    assert status == 404 or response.json()["resource"] == metadata["resource"]


@pytest.mark.parametrize(
    ("path", "others"),
    [
        ("/%C3%A9", ["/%c3%a9", "/%C3%A9/", "/\u00e9"]),
        ("/%C3%A9/", ["/%C3%A9", "/\u00e9/"]),
        ("/b%C3%BCcher/v%201/", ["/b%C3%BCcher/v%201"]),
        ("/a%2Fb", ["/a/b", "/a%2fb"]),
        ("/a%2F", ["/a", "/a/"]),
        ("/100%25", ["/100%25/"]),
        ("/100%2525", []),
        ("/caf%E9", []),
        ("/%FF/%C3%A9/", ["/%FF/%C3%A9"]),
        ("/a%3Fb%23c", []),
        ("/%41pi", ["/Api", "/A%70i"]),
        ("/v2/", ["/v2"]),
        ("/v2//", ["/v2", "/v2/"]),
        ("/a;b=c/d", []),
        ("/a+b", []),
        ("/~x", ["/%7Ex"]),
        ("/a%0Ab", ["/a%0Ab/"]),
        ("/a%0A", ["/a%0a", "/a%0A/"]),
        ("/%0A/x", []),
        ("/a%0D%0Ab/", ["/a%0D%0Ab"]),
        ("//", ["", "/"]),
    ],
)
def test_the_advertised_document_answers(send, rsa_issuer, path, others):
    """The URL in the challenge is one that answers, however the path of the resource is encoded, slash or not."""
    with rsa_issuer.installed(RESOURCE_METADATA={"resource": f"https://testserver{path}"}):
        challenge = send("get", "/books/")["WWW-Authenticate"]
        advertised = re.fullmatch('Bearer resource_metadata="https://testserver(.*)"', challenge)[1]
        well_known = "/.well-known/oauth-protected-resource"
        for url in (advertised, f"{well_known}{path}", *(f"{well_known}{other}" for other in others)):
            response = send("get", url)
            assert (url, response.status_code) == (url, 200)
            assert response.json()["resource"] == f"https://testserver{path}"


@pytest.mark.parametrize(
    ("path", "other"),
    [("/%C3%A9", "/%C3%A8"), ("/%C3%A9", "/%25C3%25A9"), ("/100%25", "/100"), ("/100%25", "/100%2525"), ("/a", "/A")],
)
def test_another_resource_is_not_this_one(send, rsa_issuer, path, other):
    """What is decoded is decoded once."""
    with rsa_issuer.installed(RESOURCE_METADATA={"resource": f"https://testserver{path}"}):
        assert send("get", f"/.well-known/oauth-protected-resource{other}").status_code == 404


@pytest.mark.parametrize("seen", ["caf%E9", "caf\ufffd"], ids=["WSGI", "ASGI"])
def test_a_path_that_is_no_utf_8_is_found_as_each_server_decodes_it(rsa_issuer, seen):
    """Django's WSGI handler leaves the byte encoded; uvicorn puts the replacement character in its place."""
    with rsa_issuer.installed(RESOURCE_METADATA={"resource": "https://testserver/caf%E9"}):
        response = protected_resource_metadata(RequestFactory().get("/"), f"/{seen}")
    assert response.status_code == 200


def test_only_what_is_known_is_said(settings, rsa_issuer):
    """RFC 9728 section 3.2: a parameter without values is left out; nothing is promised that nobody configured.

    No scope that stands for a required one is named: a client that asks for all of them would ask for too much. Each is
    named once.
    """
    required = {"SCOPE": "read a read", "SCOPE_IMPLIES": {"write": ["read"], "x": ["y"]}}
    with rsa_issuer.installed(RESOURCE_METADATA=ROOT, **required):
        document = Client().get(WELL_KNOWN).json()
    assert document.pop("scopes_supported") == ["read", "a"]
    settings.OAUTH_JWT = {"JWKS_URI": "https://as.example.com/jwks", "RESOURCE_METADATA": ROOT}
    assert Client().get(WELL_KNOWN).json() == {**ROOT, "bearer_methods_supported": ["header"]}


@pytest.mark.parametrize("middleware", [[], ["django_oauth_jwt.middleware.JwtBearerMiddleware"]])
@pytest.mark.parametrize("suffix", ["", "/nowhere"])
def test_pages_of_all_origins_may_read_it(send, settings, rsa_issuer, middleware, suffix):
    """An agent in a browser sends a preflight first; it is told of a document that is not there, too."""
    settings.MIDDLEWARE = middleware
    with rsa_issuer.installed(RESOURCE_METADATA=ROOT):
        origin = {"Origin": "https://agent.example.com"}
        asked = {**origin, "Access-Control-Request-Headers": "mcp-protocol-version"}
        preflight = send("options", WELL_KNOWN + suffix, headers={**asked, "Access-Control-Request-Method": "GET"})
        for method in ("get", "head"):
            response = send(method, WELL_KNOWN + suffix, headers=origin)
            assert (response.status_code, response["Access-Control-Allow-Origin"]) == (404 if suffix else 200, "*")
            assert response["Cache-Control"] == ("no-store" if suffix else "public, max-age=3600")
            assert "Vary" not in response.headers
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert preflight["Cache-Control"] == "public, max-age=3600"
    assert preflight["Access-Control-Allow-Origin"] == preflight["Access-Control-Allow-Headers"] == "*"
    assert preflight["Access-Control-Allow-Methods"] == preflight["Allow"] == "GET, HEAD, OPTIONS"


LOGIN = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
]


@pytest.mark.parametrize("ours_at", [0, 2, 3])
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_it_needs_no_log_in(send, settings, rsa_issuer, ours_at, method):
    """Beside a middleware of Django's that wants one of every view, wherever ours stands."""
    settings.MIDDLEWARE = [*LOGIN[:ours_at], "django_oauth_jwt.middleware.JwtBearerMiddleware", *LOGIN[ours_at:]]
    with rsa_issuer.installed(RESOURCE_METADATA=ROOT):
        response = send(method, WELL_KNOWN)
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (204 if method == "options" else 200, "*")


def test_nothing_can_be_done_to_it(send, rsa_issuer):
    """It is read, and nothing else."""
    with rsa_issuer.installed(RESOURCE_METADATA=ROOT):
        response = send("post", WELL_KNOWN)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")


#: Asked for by Django's sync client alone: its async one sends its own Host beside that of a test.
MCP, DEEP, TENANT = ({"resource": f"https://api.example.com/{path}"} for path in ("mcp", "mcp/deep/", "mcp?t=1"))
OTHER_HOST, ALL_OF_IT = {"resource": "https://mcp.example.com:8443/mcp"}, {"resource": "https://api.example.com/"}
SEVERAL = [MCP, DEEP, OTHER_HOST]


@pytest.mark.parametrize(
    ("resources", "host", "path", "named"),
    [
        (SEVERAL, "api.example.com", "/mcp", MCP),
        (SEVERAL, "api.example.com", "/mcp/", MCP),
        (SEVERAL, "api.example.com", "/mcp/tools", MCP),
        (SEVERAL, "API.example.com", "/mcp/deeper", MCP),
        (SEVERAL, "api.example.com:80", "/mcp/deep", DEEP),
        (SEVERAL, "api.example.com", "/mcp/deep/x", DEEP),
        (SEVERAL, "api.example.com", "/mcpx", None),
        (SEVERAL, "api.example.com", "/MCP", None),
        (SEVERAL, "api.example.com", "/", None),
        (SEVERAL, "mcp.example.com:8443", "/mcp/deep", OTHER_HOST),
        (SEVERAL, "mcp.example.com:8443", "/other", None),
        (SEVERAL, "testserver", "/mcp/x", MCP),
        (SEVERAL, "testserver", "/mcp/deep", DEEP),
        ([*SEVERAL, ALL_OF_IT], "api.example.com", "/mcpx", ALL_OF_IT),
        ([*SEVERAL, ALL_OF_IT], "api.example.com", "/mcp/deep", DEEP),
        ([*SEVERAL, ALL_OF_IT], "mcp.example.com:8443", "/x", None),
        ([MCP], "elsewhere", "/x", MCP),
        ([{"resource": "https://a/b%C3%A9"}, MCP], "a", "/b\u00e9/c", {"resource": "https://a/b%C3%A9"}),
    ],
)
def test_a_challenge_names_the_resource_that_the_request_is_for(settings, rsa_issuer, resources, host, path, named):
    """The longest path that begins the request's, of those on its host where there are any; or the only one."""
    settings.ALLOWED_HOSTS = ["*"]
    with rsa_issuer.installed(RESOURCE_METADATA=resources):
        challenge = Client().get(path, headers={"Host": host})["WWW-Authenticate"]
        if named is None:
            assert challenge == "Bearer"
            return
        advertised = re.fullmatch('Bearer resource_metadata="https?://[^/]*(.*)"', challenge)[1]
        response = Client().get(advertised, headers={"Host": host})
    assert response.json()["resource"] == named["resource"]


@pytest.mark.parametrize(
    ("resources", "host", "suffix", "served"),
    [
        (SEVERAL, "api.example.com", "", None),
        ([*SEVERAL, ALL_OF_IT], "api.example.com", "", ALL_OF_IT),
        (SEVERAL, "mcp.example.com:8443", "", OTHER_HOST),
        (SEVERAL, "mcp.example.com:8443", "/mcp/deep", None),
        ([MCP, TENANT], "api.example.com", "/mcp", MCP),
        ([MCP, TENANT], "api.example.com", "/mcp?t=1", TENANT),
        ([TENANT, DEEP], "api.example.com", "/mcp?t=2", TENANT),
    ],
)
def test_each_resource_has_a_document_of_its_own(settings, rsa_issuer, resources, host, suffix, served):
    """At its own path, on its own host; without a path where only one can be meant."""
    settings.ALLOWED_HOSTS = ["*"]
    with rsa_issuer.installed(RESOURCE_METADATA=resources):
        response = Client().get(WELL_KNOWN + suffix, headers={"Host": host})
    assert (response.status_code, response.json().get("resource")) == (
        (404, None) if served is None else (200, served["resource"])
    )


def test_a_host_that_is_not_allowed_is_djangos_affair(send, settings, rsa_issuer):
    """The refusal is the same for any host: nothing in it is made of what the client sent."""
    settings.ALLOWED_HOSTS = ["api.example.com"]
    with rsa_issuer.installed(RESOURCE_METADATA=SEVERAL):
        response = send("get", "/mcp", headers={"Host": "evil.example.com"})
    assert (response.status_code, "evil" in response["WWW-Authenticate"]) == (401, False)


def _host_and_path(url):
    parts = urlsplit(url)
    return parts.netloc, urlunsplit(("", "", parts.path, parts.query, ""))


@pytest.mark.parametrize("resources", [[*SEVERAL, ALL_OF_IT, TENANT], [ROOT], [WITH_PATH], [MCP, ROOT]])
def test_the_documents_keep_the_rules_of_the_rfc(settings, rsa_issuer, resources):
    """RFC 9728 sections 2, 3.1 to 3.3, checked as a client has to check them."""
    settings.ALLOWED_HOSTS = ["*"]
    with rsa_issuer.installed(RESOURCE_METADATA=resources, SCOPE=["read"]):
        for resource in resources:
            host, path = _host_and_path(resource["resource"])
            uri = WELL_KNOWN + ("" if path == "/" else path)  # 3.1: a slash that follows the host is removed
            response = Client().get(uri, headers={"Host": host})
            assert (response.status_code, response["Content-Type"]) == (200, "application/json")  # 3.2
            document = response.json()
            assert document["resource"] == resource["resource"]  # 3.3, to the letter
            assert urlsplit(document["resource"]).scheme == "https"  # 1.2
            assert "#" not in document["resource"]
            lists = ("authorization_servers", "scopes_supported", "bearer_methods_supported")
            assert all(document[name] and all(isinstance(one, str) for one in document[name]) for name in lists)  # 2
            assert all(urlsplit(issuer).scheme == "https" for issuer in document["authorization_servers"])
            assert set(document["bearer_methods_supported"]) <= {"header", "body", "query"}
            assert set(document) == {"resource", *lists}


@pytest.mark.parametrize(
    ("settings_of", "aud", "status"),
    [
        ({"RESOURCE_METADATA": ROOT}, "https://api.example.com", 200),
        ({"RESOURCE_METADATA": ROOT}, "https://api.example.com/", 200),
        ({"RESOURCE_METADATA": ALL_OF_IT}, "https://api.example.com", 200),
        ({"RESOURCE_METADATA": ALL_OF_IT}, "https://api.example.com/", 200),
        ({"RESOURCE_METADATA": ROOT}, "https://api.example.com//", 401),
        ({"RESOURCE_METADATA": ROOT}, "https://api.example.com/mcp", 401),
        ({"RESOURCE_METADATA": ROOT}, None, 401),
        ({"RESOURCE_METADATA": MCP}, "https://api.example.com/mcp", 200),
        ({"RESOURCE_METADATA": MCP}, "https://api.example.com/mcp/", 401),
        ({"RESOURCE_METADATA": MCP}, "https://api.example.com", 401),
        ({"RESOURCE_METADATA": SEVERAL}, OTHER_HOST["resource"], 200),
        ({"RESOURCE_METADATA": SEVERAL}, ["x", DEEP["resource"]], 200),
        ({"RESOURCE_METADATA": ROOT, "AUDIENCE": "books"}, "https://api.example.com", 401),
        ({"RESOURCE_METADATA": ROOT, "AUDIENCE": "books"}, "books", 200),
        ({"RESOURCE_METADATA": ROOT, "AUDIENCE": "books", "INVALID_TOKEN_STATUS": 403}, "x", 403),
        ({"RESOURCE_METADATA": ROOT, "INVALID_TOKEN_STATUS": 401}, "x", 401),
        ({"RESOURCE_METADATA": None}, "x", 200),
        ({"AUDIENCE": "books"}, "x", 403),
    ],
)
def test_the_resource_is_the_audience_and_a_bad_token_a_401(send, rsa_issuer, settings_of, aud, status):
    """RFC 8707: clients ask for a token for the resource; AUDIENCE and the status may be set."""
    settings_of = {"AUDIENCE": None, **settings_of}
    with rsa_issuer.installed(**settings_of):
        assert send("get", "/ok", headers=rsa_issuer.headers(aud=aud)).status_code == status


@pytest.mark.parametrize(("own", "status"), [({}, 200), ({"AUDIENCE": "books"}, 401)])
def test_a_listed_issuer_may_have_another_audience(settings, rsa_issuer, own, status):
    """The default is for all that have none."""
    settings.OAUTH_JWT = {
        "ISSUERS": {rsa_issuer.issuer: {"JWKS_SERVICE": rsa_issuer, **own}, "https://b.example.com": {}},
        "RESOURCE_METADATA": ROOT,
    }
    headers = rsa_issuer.headers(aud="https://api.example.com")
    assert Client().get("/ok", headers=headers).status_code == status


def test_the_middleware_lets_everybody_read_it(rsa_issuer, settings):
    """Whoever has no token yet must be able to learn where to get one."""
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    with rsa_issuer.installed(RESOURCE_METADATA=ROOT):
        assert Client().get("/.well-known/oauth-protected-resource").status_code == 200


@pytest.mark.parametrize(
    ("metadata", "uri"),
    [
        (ROOT, "https://api.example.com/.well-known/oauth-protected-resource"),
        (WITH_PATH, "https://api.example.com/.well-known/oauth-protected-resource/v2/?tenant=1"),
    ],
)
def test_the_challenge_says_where_the_document_is(rsa_issuer, metadata, uri):
    """Section 5.1: the 401 leads to the metadata."""
    with rsa_issuer.installed(RESOURCE_METADATA=metadata):
        challenge = Client().get("/books/")["WWW-Authenticate"]
    assert challenge == f'Bearer resource_metadata="{uri}"'
