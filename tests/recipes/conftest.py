"""What the recipes share: a project with the settings of a page, and calls with a token."""

from types import ModuleType

import pytest
from django.urls import path

from .pages import run_snippet


@pytest.fixture
def urls(settings):
    """The URLs of a project without any: ``urls(graphql=view)`` puts each view at the path of its name."""
    module = ModuleType("recipe_urls")
    module.urlpatterns = []
    settings.ROOT_URLCONF = module

    def route(*patterns, **views):
        module.urlpatterns += [*patterns, *(path(f"{name}/", view) for name, view in views.items())]

    return route


@pytest.fixture
def configure(settings, urls):
    """Run a page's settings on top of those that are in force, and put what they set in force, URLs included."""

    def configure(page, name, **before):
        namespace = {"INSTALLED_APPS": [*settings.INSTALLED_APPS], "MIDDLEWARE": [], "urlpatterns": [], **before}
        known = {"OAUTH_JWT": {**settings.OAUTH_JWT}, "REST_FRAMEWORK": {**getattr(settings, "REST_FRAMEWORK", {})}}
        run_snippet(page, name, namespace := known | namespace)
        for key, value in namespace.items():
            if key.isupper():
                setattr(settings, key, value)
        urls(*namespace["urlpatterns"])
        return namespace

    return configure
