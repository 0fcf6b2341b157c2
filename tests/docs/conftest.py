"""A throw-away project, put together from the manual's snippets."""

import sys
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import pytest
from django.apps import apps
from django.urls import path
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from django_oauth_jwt.testing import TokenIssuer

from ..fixtures.projects import table_of
from .manual_text import SNIPPETS, run_snippet


class Project:
    """Settings and URLs of a project, for one test."""

    def __init__(self, settings, monkeypatch):
        self._settings = settings
        self._monkeypatch = monkeypatch
        snippets = ("django_oauth_jwt", "django_oauth_jwt.contrib.accounts", "rest_framework")
        others = [app for app in settings.INSTALLED_APPS if app not in snippets]
        self._namespace = {"INSTALLED_APPS": others, "MIDDLEWARE": [], "CACHES": {**settings.CACHES}, "urlpatterns": []}
        self.urls = ModuleType("manual_urls")
        self.urls.urlpatterns = []
        settings.ROOT_URLCONF = self.urls

    def configure(self, *names):
        """Run settings snippets one after the other, as in one settings file, and put what they set in force."""
        for name in names:
            run_snippet(name, self._namespace)
        for key, value in self._namespace.items():
            if key.isupper():
                setattr(self._settings, key, value)
        # DRF reads these two when it is imported.
        for attribute in ("authentication_classes", "permission_classes"):
            self._monkeypatch.setattr(APIView, attribute, getattr(api_settings, f"DEFAULT_{attribute}".upper()))

    def defined(self, name):
        """Return what the settings snippets have made of a name."""
        return self._namespace[name]

    def module(self, dotted_path, snippet):
        """Make an importable module of a snippet, and return what it defines."""
        package, _, name = dotted_path.rpartition(".")
        for made in filter(None, (package, dotted_path)):
            self._monkeypatch.setitem(sys.modules, made, ModuleType(made))
        module = sys.modules[dotted_path]
        if package:
            setattr(sys.modules[package], name, module)
        return SimpleNamespace(**run_snippet(snippet, vars(module)))

    @contextmanager
    def model(self, app, name, snippet):
        """Make a snippet's model with its table; its app is not installed here, so the model says of which it is."""
        label = f'\n    class Meta:\n        app_label = "{app}"\n'
        self._monkeypatch.setitem(SNIPPETS, snippet, SNIPPETS[snippet] + label)
        model = getattr(self.module(f"{app}.models", snippet), name)
        with table_of(model):
            yield model
        del apps.all_models[app]
        apps.clear_cache()

    def route(self, **views):
        """Put each view at the path of its name."""
        self.urls.urlpatterns += [path(f"{name}/", view) for name, view in views.items()]


@pytest.fixture
def project(settings, monkeypatch):
    """A project with no views and no settings of ours yet."""
    return Project(settings, monkeypatch)


@pytest.fixture(scope="session")
def _manual_issuer():
    return TokenIssuer("https://as.example.com", alg="ES256")


@pytest.fixture
def as_issuer(_manual_issuer):
    """The issuer of the manual's settings."""
    return _manual_issuer


@pytest.fixture
def call(client, as_issuer):
    """Send a request with a token of these scopes and claims, or one without for ``scope=None``; return the answer."""

    def send(path, scope="", method="get", **claims):
        claims = {"aud": "https://books.example.com", **claims}
        headers = None if scope is None else as_issuer.headers(scope, **claims)
        return getattr(client, method)(path, headers=headers)

    return send
