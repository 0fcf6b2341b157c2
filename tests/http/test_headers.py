"""The bearer protocol's two headers."""

import pytest

from django_oauth_jwt.errors import (
    BearerError,
    InsufficientAuthentication,
    InsufficientScope,
    InvalidToken,
    KeysUnavailable,
    MissingClaims,
    MissingToken,
)
from django_oauth_jwt.http import is_header_text
from django_oauth_jwt.http.challenge import challenge
from django_oauth_jwt.http.credentials import parse_authorization


@pytest.mark.parametrize("header", ["Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c", "bEaReR   a.b.c", "Bearer a.b.c  "])
def test_the_token_is_found_whatever_the_schemes_case(header):
    """RFC 9110 section 11.1: the scheme has no case, and blanks follow it."""
    assert parse_authorization(header) == ("bearer", "a.b.c")
    assert parse_authorization(f"dPoP{header[6:]}") == ("dpop", "a.b.c")


@pytest.mark.parametrize(
    ("header", "kind", "reason"),
    [
        (None, MissingToken, "no_authorization"),
        ("", MissingToken, "no_authorization"),
        ("Basic YTpi", MissingToken, "other_scheme"),
        ("Bearerx a.b.c", MissingToken, "other_scheme"),
        (" Bearer a.b.c", MissingToken, "other_scheme"),
        ("Bearer\ta.b.c", MissingToken, "other_scheme"),
        ("a.b.c", MissingToken, "other_scheme"),
        ("Bearer", MissingToken, "malformed_authorization"),
        ("Bearer a b", MissingToken, "malformed_authorization"),
        ("Bearer ", InvalidToken, "empty"),
        ("Bearer    ", InvalidToken, "empty"),
    ],
)
def test_what_is_no_bearer_token_has_its_reason(header, kind, reason):
    """Missing and empty are told apart, since their answers differ."""
    with pytest.raises(BearerError) as caught:
        parse_authorization(header)
    assert type(caught.value) is kind
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MissingToken(), 'Bearer realm="api"'),
        (
            InvalidToken("expired"),
            'Bearer realm="api", error="invalid_token", error_description="Token has expired"',
        ),
        (
            InsufficientScope(["read", "write"]),
            (
                'Bearer realm="api", error="insufficient_scope", '
                'error_description="Token is missing some required scope values", scope="read write"'
            ),
        ),
        (
            MissingClaims(),
            'Bearer realm="api", error="invalid_token", error_description="Token is missing some required claims"',
        ),
        (
            InsufficientAuthentication(["gold"], 0),
            (
                'Bearer realm="api", error="insufficient_user_authentication", '
                'error_description="A different or more recent authentication of the user is required", '
                'acr_values="gold", max_age="0"'
            ),
        ),
        (KeysUnavailable(), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_challenge_says_what_the_client_needs(error, line):
    """RFC 6750 section 3: one line, comma separated, in this order; none where a token would not help."""
    assert challenge(error, realm="api") == line


def test_a_challenge_without_anything_to_say_is_the_scheme_alone():
    """No realm, no error: just Bearer."""
    assert challenge(MissingToken()) == "Bearer"
    assert "scope=" not in challenge(InsufficientScope())


def test_the_resource_metadata_comes_last():
    """RFC 9728 section 5.1."""
    line = challenge(MissingToken(), realm="api", resource_metadata="https://api.example.com/x")
    assert line == 'Bearer realm="api", resource_metadata="https://api.example.com/x"'


@pytest.mark.parametrize(
    ("realm", "quoted"),
    [('a"b', r'"a\"b"'), ("a\\b", r'"a\\b"'), ('\\"', r'"\\\""'), ('x", error="y', r'"x\", error=\"y"')],
)
def test_nothing_breaks_out_of_a_quoted_string(realm, quoted):
    """RFC 9110 section 5.6.4: quotes and backslashes are escaped, the backslash first."""
    assert challenge(MissingToken(), realm=realm) == f"Bearer realm={quoted}"


@pytest.mark.parametrize(
    ("value", "fits"),
    [("", True), (' !"\\~', True), ("a\nb", False), ("a\tb", False), ("\x7f", False), ("\u00fc", False)],
)
def test_only_printable_ascii_can_stand_in_a_header(value, fits):
    """So that a realm cannot start a header of its own."""
    assert is_header_text(value) is fits
