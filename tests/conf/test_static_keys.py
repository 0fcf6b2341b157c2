"""The setting JWKS: what it takes, and what is said of what it does not take."""

import pytest

from django_oauth_jwt.conf import get_settings, read
from django_oauth_jwt.jws import KeySet

from .samples import ISSUER, PRIVATE_JWK, PUBLIC_JWK, SECRET_JWK, Unprintable


@pytest.fixture
def problem_with():
    """Return the text of the one problem with a value of JWKS."""

    def problem_with(value):
        _, (problem,) = read({"ISSUER": ISSUER, "JWKS": value})
        return f"{problem.message} {problem.remedy}"

    return problem_with


def test_a_jwks_becomes_its_usable_keys(settings, caplog):
    """What is of no use beside a good key costs nothing, as in a JWKS that is fetched; the log says where it is."""
    settings.OAUTH_JWT = {"ISSUER": ISSUER, "JWKS": {"keys": [{"kty": "RSA"}, {**PUBLIC_JWK, "kid": "a"}]}}
    held = get_settings().issuers[ISSUER].jwks
    assert isinstance(held, KeySet)
    assert [key.kid for key in held] == ["a"]
    assert caplog.messages == ["JWKS key number 1 is skipped: key cannot be parsed (the setting JWKS)"]


@pytest.mark.parametrize("spell", [str, lambda path: path], ids=["str", "Path"])
def test_a_path_stays_one(settings, tmp_path, spell):
    """The file is read once to see that it has keys, and again by whoever uses them."""
    path = tmp_path / "keys.json"
    path.write_text('{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}')
    settings.OAUTH_JWT = {"ISSUER": ISSUER, "JWKS": spell(path)}
    assert get_settings().issuers[ISSUER].jwks == path


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("/no/such/file.json", "the file /no/such/file.json is not there, or is no regular file"),
        ("/dev/zero", "the file /dev/zero is not there, or is no regular file"),
        (__file__, "neither PEM nor the JSON of a JWKS"),
        (1, "int is neither"),
        (Unprintable(), "Unprintable is neither"),
        ("a\nb", "a text that is no path"),
        ({"keys": [SECRET_JWK]}, "private or secret keys, which have no place at a resource server"),
        ({"keys": [PUBLIC_JWK, PRIVATE_JWK]}, "private or secret keys, which have no place at a resource server"),
        ({"keys": []}, "no usable key."),
        ({"keys": [{"kty": "RSA", "kid": "a"}]}, "no usable key: 'a' key cannot be parsed."),
        ({"key": []}, "a JWKS is an object with a list 'keys'"),
    ],
)
def test_the_problem_is_named(problem_with, value, words):
    """The message says what is wrong with the keys, and what the setting takes."""
    message = problem_with(value)
    assert message.startswith("OAUTH_JWT['JWKS'] must be a JWKS (a dict), or the path of a file")
    assert words in message


@pytest.mark.parametrize("value", [{"keys": [PRIVATE_JWK]}, '{"keys": [{"d": "hunter2"}]}', {"hunter2": 1}])
def test_no_problem_shows_a_secret(problem_with, value):
    """A private key that was put here by mistake stays out of logs and consoles."""
    assert "hunter2" not in problem_with(value)
