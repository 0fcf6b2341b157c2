"""The fixture `token_issuer`, in a run of ours and as a user's own run meets it, in a folder of its own."""

import pytest
from asgiref.sync import async_to_sync
from django.http import JsonResponse
from django.test import AsyncClient, Client
from django.urls import path
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.permissions import HasScope
from django_oauth_jwt.verification import verify_token

pytest_plugins = ["pytester"]


@secure(scope="read")
def books(request):
    return JsonResponse({"sub": request.access_token.subject})


@secure(scope="read")
async def async_books(request):
    return JsonResponse({"sub": request.access_token.subject})


class Books(APIView):
    authentication_classes = (BearerJwtAuthentication,)
    permission_classes = (HasScope("read"),)

    def get(self, request):
        return Response({"sub": request.auth.subject})


urlpatterns = [path("books/", books), path("async/", async_books), path("api/", Books.as_view())]

ENTRANCES = {
    "plain view": lambda headers: Client().get("/books/", headers=headers),
    "async view": lambda headers: async_to_sync(AsyncClient().get)("/async/", headers=headers),
    "async view, sync client": lambda headers: Client().get("/async/", headers=headers),
    "DRF view": lambda headers: APIClient().get("/api/", headers=headers),
}


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
class TestEachKindOfToken:
    """One argument makes each kind of token, whatever kind of view is tested."""

    def test_a_good_one_is_let_in(self, token_issuer, entrance):
        """The fixture's tokens are accepted with no other preparation."""
        response = entrance(token_issuer.headers("read", sub="ann"))
        assert (response.status_code, response.json()) == (200, {"sub": "ann"})

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            ({"expired": True}, "Token has expired"),
            ({"forged": True}, "signature verification failed"),
            ({"rotated": True}, "Token is signed with an unknown key"),
            ({"aud": "https://other.example.com"}, "Token audience is not accepted"),
            ({"iss": "https://other.example.com"}, "Token issuer is not accepted"),
            ({"scope": "write"}, "Token is missing some required scope values"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_a_bad_one_is_refused_for_its_one_fault(self, token_issuer, entrance, arguments, why):
        """Each fault is the reason of the refusal, and nothing else is wrong with the token."""
        with token_issuer.installed(AUDIENCE="https://api.example.com"):
            good = entrance(token_issuer.headers("read"))
            bad = entrance(token_issuer.headers(**{"scope": "read", **arguments}))
        assert good.status_code == 200
        assert bad.status_code == 403
        assert f'error_description="{why}"' in bad["WWW-Authenticate"]

    def test_no_token_is_refused(self, token_issuer, entrance):
        """A test without headers meets the challenge."""
        assert entrance({}).status_code == 401

    def test_a_rotation_is_followed(self, token_issuer, entrance):
        """A new key signs from then on; the tokens of a key that was dropped are refused."""
        before = token_issuer.headers("read")
        token_issuer.rotate()
        assert entrance(before).status_code == entrance(token_issuer.headers("read")).status_code == 200
        token_issuer.rotate(keep_old=False)
        assert entrance(before).status_code == 403
        assert entrance(token_issuer.headers("read")).status_code == 200


def test_a_misspelt_name_is_an_import_error():
    """The kit is imported when it is used, and still has no name that it does not have."""
    with pytest.raises(ImportError, match="TokenIsuer"):
        from django_oauth_jwt.testing import TokenIsuer  # noqa: F401, PLC0415


def test_scopes_are_a_string_or_a_list(token_issuer):
    """Scopes may be given as the token carries them, or one by one."""
    assert verify_token(token_issuer.token(["read", "write"])).scopes == {"read", "write"}
    assert verify_token(token_issuer.token("read write")).scopes == {"read", "write"}


def test_one_test_does_not_rotate_the_keys_of_the_next(token_issuer):
    """However the tests before it used the fixture, each test begins with one key."""
    assert [key.kid for key in token_issuer.keys] == ["key-1"]


def test_the_projects_algorithms_are_kept_to(settings, request):
    """A project that accepts one algorithm only gets tokens of it."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "ALGORITHMS": ["ES384"]}
    assert request.getfixturevalue("token_issuer").keys[0].alg == "ES384"


SETTINGS = """
SECRET_KEY = "-"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "shop"
OAUTH_JWT = {"ISSUER": "https://as.example.com", "AUDIENCE": "https://api.example.com"}
"""

SHOP = """
from django.http import HttpResponse
from django.urls import path
from django_oauth_jwt.decorators import secure

@secure(scope="read")
def books(request):
    return HttpResponse(request.access_token.subject)

urlpatterns = [path("books/", books)]
"""

TEST_SHOP = """
import pytest

@pytest.mark.parametrize("number", range(8))
def test_books(token_issuer, client, number):
    response = client.get("/books/", headers=token_issuer.headers("read"))
    assert response.status_code == 200
"""

#: Counts, in each process, how many keys are made.
COUNTING = """
import os
from pathlib import Path
import pytest

@pytest.fixture(scope="session", autouse=True)
def keys_made():
    from django_oauth_jwt.testing import SigningKey
    generate, made = SigningKey.generate.__func__, []

    def counted(cls, *args):
        made.append(args)
        return generate(cls, *args)

    SigningKey.generate = classmethod(counted)
    yield
    Path(f"made-{os.getpid()}").write_text(str(len(made)))
"""

TEST_WITHOUT_DJANGO = """
import os
import sys

def test_nothing_was_imported():
    assert "django_oauth_jwt.testing.pytest_plugin" in sys.modules
    assert not {"django", "cryptography", "jose", "requests", "rest_framework"} & sys.modules.keys()
    assert "DJANGO_SETTINGS_MODULE" not in os.environ
"""


@pytest.fixture
def own_run(pytester, monkeypatch):
    """A folder outside of any project; a warning fails its tests."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    pytester.makeini("[pytest]\npythonpath = .\nfilterwarnings = error")
    return pytester


@pytest.fixture
def shop(own_run):
    """A user's project with one secured view, and eight tests of three lines for it."""
    own_run.makeini("[pytest]\nDJANGO_SETTINGS_MODULE = shop_settings\npythonpath = .\nfilterwarnings = error")
    own_run.makepyfile(shop_settings=SETTINGS, shop=SHOP, test_shop=TEST_SHOP, conftest=COUNTING)
    return own_run


def keys_made(folder):
    """Return how many keys each process made."""
    return [int(made.read_text()) for made in folder.path.glob("made-*")]


def test_a_user_writes_three_lines_and_nothing_else(shop):
    """Installing the package is all: the fixture is there, and eight tests make one key."""
    shop.runpytest_subprocess().assert_outcomes(passed=8)
    assert keys_made(shop) == [1]


TEST_SETTINGS = """
from django.conf import settings as project

def test_settings_first(settings, token_issuer, client):
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "REALM": "shop"}
    assert client.get("/books/")["WWW-Authenticate"] == 'Bearer realm="shop"'
    assert client.get("/books/", headers=token_issuer.headers("read")).status_code == 200

def test_nothing_is_left_behind():
    assert project.OAUTH_JWT == {"ISSUER": "https://as.example.com", "AUDIENCE": "https://api.example.com"}

def test_settings_last(token_issuer, settings, client):
    test_settings_first(settings, token_issuer, client)

def test_nothing_is_left_behind_again():
    test_nothing_is_left_behind()
"""


def test_settings_that_a_test_changes_are_undone_whatever_the_order(shop):
    """The fixture stands beside pytest-django's `settings`, before or after it in a test's arguments."""
    shop.makepyfile(test_shop=TEST_SETTINGS)
    shop.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=4)


def test_a_projects_own_settings_fixture_is_left_alone(shop):
    """A fixture that is called `settings` may be anything."""
    own = "import pytest\n@pytest.fixture\ndef settings(): return {}\n"
    shop.makepyfile(test_shop=own + TEST_SHOP.replace("token_issuer,", "settings, token_issuer,"))
    shop.runpytest_subprocess().assert_outcomes(passed=8)


def test_many_processes_make_a_key_each(shop):
    """Under pytest-xdist each worker has a key of its own, and all tests pass."""
    shop.runpytest_subprocess("-n", "2", "--dist", "each").assert_outcomes(passed=16)
    assert keys_made(shop) == [1, 1]


def test_the_projects_own_code_is_measured_whole(shop):
    """The plugin imports nothing of the project before its coverage is measured."""
    result = shop.runpytest_subprocess("--cov=shop", "--cov-report=term-missing", "--cov-fail-under=100")
    result.assert_outcomes(passed=8)
    assert result.ret == 0


def test_a_run_without_django_does_not_notice_the_plugin(own_run, monkeypatch):
    """Where nothing asks for the fixture, neither Django nor a library is imported and no settings are sought."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # other plugins import what they like
    own_run.makepyfile(TEST_WITHOUT_DJANGO)
    own_run.runpytest_subprocess("-p", "django_oauth_jwt").assert_outcomes(passed=1)


def test_a_run_without_settings_says_so(own_run):
    """The fixture in a project without settings fails with Django's own words."""
    own_run.makepyfile("def test_it(token_issuer): pass")
    result = own_run.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ImproperlyConfigured*settings are not configured*"])


def test_the_fixture_says_what_it_is(shop):
    """`pytest --fixtures` explains the fixture to whoever looks for it."""
    result = shop.runpytest_subprocess("--fixtures")
    result.stdout.fnmatch_lines(["token_issuer*", "*issuer of access tokens that the project trusts during the test*"])
