"""The names that people import, with the arguments that they pass: what changes here breaks their code."""

import inspect
from importlib import import_module

import pytest
from django.dispatch import Signal

from django_oauth_jwt import errors, signals

#: By module and name: the parameters, without their annotations.
SIGNATURES = {
    "middleware.JwtBearerMiddleware": "(get_response)",
    "decorators.secure": "(*, scope=(), claims=(), realm=None, jwks_service=None)",
    "decorators.token_not_required": "(view)",
    "authentication.BearerJwtAuthentication": "()",
    "permissions.HasScope": "(*scopes)",
    "permissions.HasClaim": "(name=None, value=Ellipsis)",
    "jwks.JwksService": (
        "(jwks_uri=None, *, issuer=None, cache=None, session=None, timeout=5, fresh_seconds=300, stale_seconds=14400, "
        "cooldown_seconds=30, allow_insecure_http=False, clock=None)"
    ),
    "jwks.get_jwks_service": "(issuer=None)",
    "verification.verify_token": "(encoded_token, *, jwks_service=None)",
    "verification.averify_token": "(encoded_token, *, jwks_service=None)",
    "jws.verify_compact": "(encoded, key_set, algorithms)",
    "jws.KeySet.from_jwks": "(jwks)",
    "errors.BearerError": "(reason, description)",
    "errors.MissingToken": "(reason='no_authorization')",
    "errors.InvalidToken": "(reason)",
    "errors.InsufficientScope": "(required=())",
    "errors.MissingClaims": "()",
    "errors.KeysUnavailable": "(retry_after=1)",
    "testing.TokenIssuer": "(issuer='https://issuer.test', *, alg=None, key=None)",
    "testing.TokenIssuer.token": (
        "(self, scope=None, *, expired=False, forged=False, rotated=False, header=None, **claims)"
    ),
    "testing.TokenIssuer.headers": "(self, scope=None, **kwargs)",
    "testing.TokenIssuer.rotate": "(self, *, keep_old=True)",
    "testing.TokenIssuer.installed": "(self, **settings)",
    "testing.SigningKey.generate": "(alg='RS256', kid='key-1')",
    "tokens.AccessToken.new_claims": "(self)",
}


def _resolve(name):
    module, _, path = name.partition(".")
    found = import_module(f"django_oauth_jwt.{module}")
    for part in path.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize(("name", "signature"), SIGNATURES.items(), ids=SIGNATURES)
def test_a_public_name_takes_what_it_took(name, signature):
    """Parameter by parameter: order, name, kind and default."""
    found = inspect.signature(_resolve(name))
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in found.parameters.values()]
    assert str(inspect.Signature(bare)) == signature


@pytest.mark.parametrize(
    "kind", ["MissingToken", "InvalidToken", "InsufficientScope", "MissingClaims", "KeysUnavailable"]
)
def test_every_refusal_can_be_caught_as_one(kind):
    """`except BearerError` is enough, and each has what an answer is made of."""
    refusal = getattr(errors, kind)
    assert issubclass(refusal, errors.BearerError)
    assert all(hasattr(refusal, name) for name in ("status", "error"))


@pytest.mark.parametrize("name", ["token_accepted", "token_rejected", "jwks_refreshed", "jwks_refresh_failed"])
def test_every_signal_is_there(name):
    """For metrics and audit."""
    assert isinstance(getattr(signals, name), Signal)


def test_the_twins_take_the_same():
    """The async one has an a in front, and nothing else differs."""
    twins = [_resolve(f"verification.{name}") for name in ("verify_token", "averify_token")]
    assert inspect.signature(twins[0]) == inspect.signature(twins[1])
    assert [inspect.iscoroutinefunction(twin) for twin in twins] == [False, True]
