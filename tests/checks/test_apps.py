"""What listing the app in INSTALLED_APPS does, and that it can be done beside drf-spectacular."""

import subprocess
import sys

import pytest
from django.apps import apps
from django.core.checks import registry
from drf_spectacular.extensions import OpenApiAuthenticationExtension

PROGRAM = """
import sys, django
from django.conf import settings
if not {has_spectacular}:
    sys.modules["drf_spectacular"] = None  # it cannot be imported
settings.configure(INSTALLED_APPS={installed})
django.setup()
print("django_oauth_jwt.contrib.spectacular" in sys.modules, "rest_framework" in sys.modules)
"""


@pytest.mark.parametrize(
    ("others", "has_spectacular", "loaded"),
    [
        ([], False, "False False"),
        (["rest_framework"], False, "False True"),
        ([], True, "True True"),
        (["rest_framework", "drf_spectacular"], True, "True True"),
    ],
)
def test_only_what_the_project_can_use_is_loaded(others, has_spectacular, loaded):
    """drf-spectacular makes schemas without being an app; without it, Django REST framework is not needed either."""
    installed = ["django.contrib.auth", "django.contrib.contenttypes", *others, "django_oauth_jwt"]
    program = PROGRAM.format(installed=installed, has_spectacular=has_spectacular)
    command = [sys.executable, "-W", "error", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == loaded


@pytest.mark.parametrize("spec", [object(), None], ids=["with drf-spectacular", "without"])
def test_nothing_is_registered_twice(monkeypatch, spec):
    """Django's tests get the apps ready anew for each change of INSTALLED_APPS."""
    monkeypatch.setattr("django_oauth_jwt.apps.find_spec", lambda name: spec)
    config = apps.get_app_config("django_oauth_jwt")
    assert config.verbose_name == "OAuth JWT"
    before = len(registry.registry.get_checks(True)), len(OpenApiAuthenticationExtension._registry)
    config.ready()
    assert (len(registry.registry.get_checks(True)), len(OpenApiAuthenticationExtension._registry)) == before
