"""The fixture `token_issuer`, in a run of ours and as a user's own run meets it, in a folder of its own."""

import os
import re
import subprocess
import sys
from collections import Counter

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


TEST_SETTINGS = """
from django.conf import settings as project

def test_settings_first(settings, token_issuer, client):
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "REALM": "shop"}
    assert client.get("/books/")["WWW-Authenticate"] == 'Bearer realm="shop", scope="read"'
    assert client.get("/books/", headers=token_issuer.headers("read")).status_code == 200

def test_nothing_is_left_behind():
    assert project.OAUTH_JWT == {"ISSUER": "https://as.example.com", "AUDIENCE": "https://api.example.com"}

def test_settings_last(token_issuer, settings, client):
    test_settings_first(settings, token_issuer, client)

def test_nothing_is_left_behind_again():
    test_nothing_is_left_behind()
"""

#: A project may call anything `settings`.
TEST_OWN_SETTINGS = """
import pytest

@pytest.fixture
def settings():
    return {}
""" + TEST_SHOP.replace("token_issuer,", "settings, token_issuer,")


#: For runs in which other plugins, which import what they like, would only take their time.
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def own_run(folder, modules, *arguments, settings="", **environment):
    """Run pytest in a folder outside of any project, in a process of its own, where a warning fails a test."""
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "pytest.ini").write_text(f"[pytest]\n{settings}\npythonpath = .\nfilterwarnings = error\n")
    own = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "PYTEST", "COV"))}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rA",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        *arguments,
    ]
    return subprocess.run(command, cwd=folder, env=own | environment, capture_output=True, text=True, check=False)


def outcomes(run, module=""):
    """Count what became of the tests, or of a module's."""
    return Counter(re.findall(rf"^([A-Z]+) {module}\S*::", run.stdout, re.MULTILINE))


def keys_made(folder):
    """Return how many keys each process made."""
    return [int(made.read_text()) for made in folder.glob("made-*")]


SHOP_SETTINGS = "DJANGO_SETTINGS_MODULE = shop_settings"
SHOP_MODULES = {"shop_settings": SETTINGS, "shop": SHOP, "test_shop": TEST_SHOP, "conftest": COUNTING}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A user's project with one secured view, and its tests' one run, in the order of their modules."""
    folder = tmp_path_factory.mktemp("shop")
    modules = {**SHOP_MODULES, "test_shop_settings": TEST_SETTINGS, "test_shop_own_settings": TEST_OWN_SETTINGS}
    coverage = ("--cov=shop", "--cov-report=term-missing", "--cov-fail-under=100")
    return folder, own_run(folder, modules, *coverage, settings=SHOP_SETTINGS)


def test_a_user_writes_three_lines_and_nothing_else(shop):
    """Installing the package is all: the fixture is there, and all tests make one key."""
    folder, run = shop
    assert outcomes(run, "test_shop.py") == {"PASSED": 8}
    assert keys_made(folder) == [1]


def test_settings_that_a_test_changes_are_undone_whatever_the_order(shop):
    """The fixture stands beside pytest-django's `settings`, before or after it in a test's arguments."""
    assert outcomes(shop[1], "test_shop_settings.py") == {"PASSED": 4}


def test_a_projects_own_settings_fixture_is_left_alone(shop):
    """A fixture that is called `settings` may be anything."""
    assert outcomes(shop[1], "test_shop_own_settings.py") == {"PASSED": 8}


def test_the_projects_own_code_is_measured_whole(shop):
    """The plugin imports nothing of the project before its coverage is measured."""
    _, run = shop
    assert re.search(r"^shop\.py +\d+ +0 +100%", run.stdout, re.MULTILINE)
    assert run.returncode == 0


def test_many_processes_make_a_key_each(tmp_path):
    """Under pytest-xdist each worker has a key of its own, and all tests pass."""
    plugins = ("-p", "xdist", "-p", "django", "-p", "django_oauth_jwt")
    run = own_run(tmp_path, SHOP_MODULES, *plugins, "-n", "2", "--dist", "each", settings=SHOP_SETTINGS, **ALONE)
    assert "16 passed" in run.stdout
    assert keys_made(tmp_path) == [1, 1]


def test_a_run_without_django_does_not_notice_the_plugin(tmp_path):
    """Where nothing asks for the fixture, neither Django nor a library is imported and no settings are sought."""
    run = own_run(tmp_path, {"test_it": TEST_WITHOUT_DJANGO}, "-p", "django_oauth_jwt", **ALONE)
    assert outcomes(run) == {"PASSED": 1}


def test_a_run_without_settings_says_so(tmp_path):
    """The fixture in a project without settings fails with Django's own words."""
    modules = {"test_it": "def test_it(token_issuer): pass"}
    run = own_run(tmp_path, modules, "-p", "django", "-p", "django_oauth_jwt", **ALONE)
    assert outcomes(run) == {"ERROR": 1}
    assert re.search("ImproperlyConfigured.*settings are not configured", run.stdout)


def test_the_fixture_says_what_it_is(tmp_path):
    """`pytest --fixtures` explains the fixture to whoever looks for it."""
    run = own_run(tmp_path, {}, "--fixtures", "-p", "django_oauth_jwt", **ALONE)
    assert re.search(r"^token_issuer.*\n.*issuer of access tokens that the project trusts", run.stdout, re.MULTILINE)
