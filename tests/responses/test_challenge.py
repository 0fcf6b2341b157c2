"""The challenge: one line, its parameters quoted, and nothing in it that a client has sent."""

import pytest
from django.http import HttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.errors import InsufficientScope, InvalidToken, KeysUnavailable, MissingClaims, MissingToken
from django_oauth_jwt.permissions import HasScope


def view(request):
    return HttpResponse()


async def async_view(request):
    return HttpResponse()


@api_view()
@authentication_classes([BearerJwtAuthentication])
@permission_classes([HasScope("read")])
def drf_view(request):
    return HttpResponse()


class Handler(View):
    """One handler has a realm, another has none."""

    @method_decorator(secure(scope="read", realm="books"))
    def get(self, request):
        return HttpResponse()

    @method_decorator(secure(scope="read"))
    def post(self, request):
        return HttpResponse()


class DrfHandler(APIView):
    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (HasScope("read"),)
    get = Handler.get


class Twice(DrfHandler):
    """To be decorated as a whole."""


@method_decorator([secure(scope="read", realm="books"), secure(scope="read", realm="inner")], name="dispatch")
class InList(View):
    get = Handler.post


class Stock(ViewSet):
    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (HasScope("read"),)
    list = Handler.get


def raising(request):
    raise InvalidToken("wrong_tenant", "Another tenant")


class Dispatch(View):
    get = Handler.post


books, plain = secure(scope="read", realm="books"), secure(scope="read")
urlpatterns = [
    path("books/def/", books(view)),
    path("books/async/", books(async_view)),
    path("books/handler/", Handler.as_view()),
    path("books/dispatch/", method_decorator(books, name="dispatch")(Dispatch).as_view()),
    path("books/drf/", books(drf_view)),
    path("books/drf-handler/", DrfHandler.as_view()),
    path("books/view-set/", Stock.as_view({"get": "list"})),
    path("books/below/", plain(books(view))),
    path("books/above/", books(secure(scope="read", realm="inner")(view))),
    path("books/twice/", method_decorator(plain, name="dispatch")(Twice).as_view()),
    path("books/in-list/", InList.as_view()),
    path("books/raising/", books(raising)),
    path("decorator/", secure(scope="read")(view)),
    path("own-realm/", secure(scope="read", realm='the "view"')(view)),
    path("own-realm/async/", secure(scope="read", realm='the "view"')(async_view)),
    path("empty-realm/", secure(scope="read", realm="")(view)),
    path("drf/", drf_view),
    path("middleware/", view),
]
pytestmark = pytest.mark.urls(__name__)
ERRORS = [
    *map(MissingToken, MissingToken.DESCRIPTIONS),
    *map(InvalidToken, InvalidToken.DESCRIPTIONS),
    InsufficientScope(["read"]),
    MissingClaims(),
    KeysUnavailable(),
]


@pytest.fixture(params=["decorator", "drf", "middleware"])
def url(request, settings):
    """A view of each entrance that requires the scope read."""
    if request.param == "middleware":
        settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    return f"/{request.param}/"


def challenge_of(response):
    return response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("realm", "quoted"),
    [
        ("my-realm", "my-realm"),
        ("my realm, too", "my realm, too"),
        ('say "hi"', r"say \"hi\""),
        ("C:\\api", r"C:\\api"),
        ('\\"', r"\\\""),
    ],
)
def test_the_realm_of_the_settings_comes_first_and_is_quoted(send, rsa_issuer, url, realm, quoted):
    """RFC 9110 section 5.6.4: quotes and backslashes are escaped, all else stands for itself."""
    with rsa_issuer.installed(REALM=realm, SCOPE="read"):
        assert challenge_of(send("get", url)) == f'Bearer realm="{quoted}", scope="read"'
        assert challenge_of(send("get", url, headers=rsa_issuer.headers())) == (
            f'Bearer realm="{quoted}", error="insufficient_scope", '
            'error_description="Token is missing some required scope values", scope="read"'
        )


@pytest.mark.parametrize(
    ("url", "challenge"),
    [
        ("/own-realm/", r'Bearer realm="the \"view\"", scope="read"'),
        ("/own-realm/async/", r'Bearer realm="the \"view\"", scope="read"'),
        ("/empty-realm/", 'Bearer scope="read"'),
        ("/decorator/", 'Bearer realm="all", scope="read"'),
    ],
)
def test_a_views_own_realm_wins_over_the_setting(send, rsa_issuer, url, challenge):
    """The realm can be set for a view, and can be taken away from it."""
    with rsa_issuer.installed(REALM="all"):
        assert challenge_of(send("get", url)) == challenge


BOOKS = [str(pattern.pattern) for pattern in urlpatterns if str(pattern.pattern).startswith("books/")]


@pytest.mark.parametrize("middleware", [[], ["django_oauth_jwt.middleware.JwtBearerMiddleware"]])
@pytest.mark.parametrize("token", [{}, {"expired": True}, {"scope": "x"}, {"scope": "read"}])
@pytest.mark.parametrize("path", BOOKS)
def test_a_view_has_one_realm_whoever_refuses_the_request(send, rsa_issuer, settings, middleware, token, path):
    """The middleware, DRF and the decorator, of several decorators the outermost that has one: a client sees one."""
    settings.MIDDLEWARE = middleware
    with rsa_issuer.installed(REALM="all"):
        response = send("get", f"/{path}", headers=rsa_issuer.headers(**token) if token else {})
    if token != {"scope": "read"} or path == "books/raising/":
        assert challenge_of(response).startswith('Bearer realm="books"')
    else:
        assert response.status_code == 200


@pytest.mark.parametrize("middleware", [[], ["django_oauth_jwt.middleware.JwtBearerMiddleware"]])
@pytest.mark.parametrize(
    ("method", "url", "realm"),
    [
        ("get", "/empty-realm/", ""),
        ("post", "/books/handler/", 'realm="all", '),
        ("head", "/books/handler/", 'realm="books", '),
    ],
)
def test_the_realm_is_that_of_the_handler(send, rsa_issuer, settings, middleware, method, url, realm):
    """None of a neighbour's, and an empty one takes that of the settings away."""
    settings.MIDDLEWARE = middleware
    with rsa_issuer.installed(REALM="all"):
        assert challenge_of(send(method, url)) == f'Bearer {realm}scope="read"'


def test_the_scope_parameter_names_all_that_the_view_requires(send, issuer, settings):
    """Not only what is missing: a client asks for a new token with all of it."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "SCOPE": ["a:x", "b/y", "read"]}
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    response = send("get", "/middleware/", headers=issuer.headers("read b/y"))
    assert challenge_of(response).endswith(', scope="a:x b/y read"')


@pytest.mark.parametrize(
    "sent",
    [
        {"header": {"kid": '", realm="evil', "x": "\r\nSet-Cookie: a=b"}},
        {"header": {"typ": '"\\'}},
        {"iss": 'https://evil"\r\n'},
        {"scope": '"\\\r\n', "note": "\x00"},
    ],
)
def test_nothing_that_a_client_sent_is_in_the_challenge(send, issuer, url, settings, sent):
    """No header injection, and no reflection: whatever is in the token, the line is one of a few known ones."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "SCOPE": "read"}
    challenge = challenge_of(send("get", url, headers=issuer.headers(**sent)))
    lacking = "Token is missing some required scope values"
    known = {f'Bearer error="insufficient_scope", error_description="{lacking}", scope="read"'}
    for text in InvalidToken.DESCRIPTIONS.values():
        known.add(f'Bearer error="invalid_token", error_description="{text}", scope="read"')
    assert challenge in known


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.reason)
def test_descriptions_keep_to_the_characters_of_the_rfc(error):
    """RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E."""
    allowed = {chr(code) for code in range(0x20, 0x7F)} - {'"', "\\"}
    assert set(error.description) <= allowed
