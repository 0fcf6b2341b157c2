"""What the tests of the settings share."""

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_oauth_jwt.jwks import get_jwks_service


@pytest.fixture
def problem_of():
    """The one problem of a value of OAUTH_JWT, as the system check tells of it; the first use refuses it as well."""

    def problem_of(raw):
        with override_settings(OAUTH_JWT=raw):
            (message,) = run_checks(tags=["oauth_jwt"])
            with pytest.raises(ImproperlyConfigured):
                get_jwks_service()
        return message

    return problem_of
