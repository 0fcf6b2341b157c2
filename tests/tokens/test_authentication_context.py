"""The authentication context as data: what it is parsed from, and what meets it (RFC 9470)."""

import pytest

from django_oauth_jwt.errors import InsufficientAuthentication
from django_oauth_jwt.tokens import parse_authentication_context
from django_oauth_jwt.tokens.authentication_context import AuthenticationContext


def test_at_once_is_an_age_too():
    """max_age 0, which asks for a new authentication each time, is not the same as none."""
    assert parse_authentication_context(max_age=0) == AuthenticationContext((), 0)


@pytest.mark.parametrize("auth_time", [True, False])
def test_true_is_no_time(auth_time):
    """In Python true is 1, but in JSON it is no number, even where second 1 would be recent enough."""
    with pytest.raises(InsufficientAuthentication):
        parse_authentication_context(max_age=300).check({"auth_time": auth_time}, 100, 0)
