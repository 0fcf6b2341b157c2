"""The names that people import, with the arguments that they pass: what changes here breaks their code."""

import ast
import inspect
import re
from pathlib import Path
from pkgutil import resolve_name

import pytest
from django.dispatch import Signal

from django_oauth_jwt import errors, signals

from .test_layers import FRONT, ORDER, ROOT, SOURCES, WINGS, imported

#: By module and name: the parameters, without their annotations.
SIGNATURES = {
    "middleware.JwtBearerMiddleware": "(get_response)",
    "decorators.secure": "(*, scope=(), claims=(), realm=None, jwks_service=None)",
    "decorators.token_not_required": "(view)",
    "authentication.BearerJwtAuthentication": "()",
    "permissions.HasScope": "(*scopes)",
    "permissions.HasClaim": "(name=None, value=Ellipsis)",
    "throttling.TokenRateThrottle": "()",
    "health.readiness": "(request)",
    "users.TokenUser": "(access_token)",
    "contrib.accounts.resolve_user": "(access_token, request)",
    "contrib.channels.BearerJwtMiddleware": "(app, *, scope=(), claims=(), origins=None)",
    "contrib.ninja.BearerJwt": "(*, scope=(), claims=())",
    "jwks.JwksService": (
        "(jwks_uri=None, *, issuer=None, cache=None, session=None, timeout=5, fresh_seconds=300, stale_seconds=14400, "
        "cooldown_seconds=30, allow_insecure_http=False, clock=None)"
    ),
    "jwks.get_jwks_service": "(issuer=None)",
    "verification.verify_token": "(encoded_token, *, jwks_service=None, binding_checked=False)",
    "verification.averify_token": "(encoded_token, *, jwks_service=None, binding_checked=False)",
    "jws.verify_compact": "(encoded, key_set, algorithms)",
    "jws.KeySet.from_jwks": "(jwks)",
    "errors.BearerError": "(reason, description, *, detail=None)",
    "errors.MissingToken": "(reason='no_authorization')",
    "errors.InvalidToken": "(reason, description=None, *, detail=None)",
    "errors.InvalidProof": "(reason, *, detail=None)",
    "errors.NonceRequired": "(nonce)",
    "errors.InsufficientScope": "(required=(), *, detail=None)",
    "errors.MissingClaims": "(missing=(), *, detail=None)",
    "errors.KeysUnavailable": "(retry_after=1)",
    "errors.ReplayCheckUnavailable": "(retry_after=1)",
    "errors.RevocationCheckUnavailable": "(retry_after=1)",
    "revocation.revoke": "(access_token)",
    "revocation.arevoke": "(access_token)",
    "revocation.revoke_subject": "(issuer, subject)",
    "revocation.arevoke_subject": "(issuer, subject)",
    "revocation.is_revoked": "(access_token)",
    "errors.IntrospectionUnavailable": "(retry_after=1)",
    "http.get_access_token": "(request)",
    "testing.TokenIssuer": "(issuer='https://issuer.test', *, alg=None, key=None)",
    "testing.TokenIssuer.token": (
        "(self, scope=None, *, expired=False, forged=False, rotated=False, bound_to=None, header=None, **claims)"
    ),
    "testing.TokenIssuer.opaque_token": "(self, scope=None, *, active=True, bound_to=None, **claims)",
    "testing.TokenIssuer.headers": "(self, scope=None, **kwargs)",
    "testing.TokenIssuer.rotate": "(self, *, keep_old=True)",
    "testing.TokenIssuer.installed": "(self, **settings)",
    "testing.SigningKey.generate": "(alg='RS256', kid='key-1')",
    "testing.ProofKey.generate": "(alg='ES256')",
    "testing.ProofKey.headers": "(self, token, method, url, **faults)",
    "tokens.AccessToken.new_claims": "(self)",
}


def _resolve(name):
    return resolve_name(f"django_oauth_jwt.{name}")


@pytest.mark.parametrize(("name", "signature"), SIGNATURES.items(), ids=SIGNATURES)
def test_a_public_name_takes_what_it_took(name, signature):
    """Parameter by parameter: order, name, kind and default."""
    found = inspect.signature(_resolve(name))
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in found.parameters.values()]
    assert str(inspect.Signature(bare)) == signature


@pytest.mark.parametrize(
    "kind",
    [
        *("MissingToken", "InvalidToken", "InvalidProof", "NonceRequired", "InsufficientScope", "MissingClaims"),
        *("KeysUnavailable", "ReplayCheckUnavailable", "RevocationCheckUnavailable", "IntrospectionUnavailable"),
        "IssuerUnavailable",
    ],
)
def test_every_refusal_can_be_caught_as_one(kind):
    """`except BearerError` is enough, and each has what an answer is made of."""
    refusal = getattr(errors, kind)
    assert issubclass(refusal, errors.BearerError)
    assert all(hasattr(refusal, name) for name in ("status", "error"))


@pytest.mark.parametrize(
    "name",
    [
        *("token_accepted", "token_rejected", "jwks_refreshed", "jwks_refresh_failed"),
        *("introspected", "introspection_failed"),
    ],
)
def test_every_signal_is_there(name):
    """For metrics and audit."""
    assert isinstance(getattr(signals, name), Signal)


@pytest.mark.parametrize(
    ("module", "name"), [("verification", "verify_token"), ("revocation", "revoke"), ("revocation", "revoke_subject")]
)
def test_the_twins_take_the_same(module, name):
    """The async one has an a in front, and nothing else differs."""
    twins = [_resolve(f"{module}.{twin}") for twin in (name, f"a{name}")]
    assert inspect.signature(twins[0]) == inspect.signature(twins[1])
    assert [inspect.iscoroutinefunction(twin) for twin in twins] == [False, True]


REPOSITORY = Path(__file__).parents[2]
REFERENCE = "\n".join((REPOSITORY / "docs" / "reference" / page).read_text() for page in ("api.md", "signals.md"))
TESTS = "\n".join(path.read_text() for path in REPOSITORY.glob("tests/**/*.py") if path.name != Path(__file__).name)
#: What projects import from a wing; whatever else its face has is for other wings.
FROM_WINGS = {
    "tokens": {"AccessToken"},
    "jws": {"KeySet", "verify_compact"},
    "jwks": {"JwksService", "get_jwks_service"},
    "verification": {"averify_token", "verify_token"},
    "http": {"BearerRequest", "get_access_token", "refuse"},
    "testing": {"ProofKey", "SigningKey", "TokenIssuer"},
}
#: What they import from a package of `contrib`.
FROM_CONTRIB = {
    *("accounts.resolve_user", "accounts.signals.identity_created", "accounts.signals.identity_linked"),
    *("channels.BearerJwtMiddleware", "ninja.BearerJwt"),
}
#: What the manual's tables are held to.
FOR_TABLES = {"conf": {"ISSUER_RULES", "RULES"}}


def _listed(room):
    """Return the names in the ``__all__`` of a face or of a module at the top; [] where it has none."""
    path = ROOT / room / "__init__.py" if (ROOT / room).is_dir() else ROOT / f"{room}.py"
    assigned = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
    return [name for node in assigned if node.targets[0].id == "__all__" for name in ast.literal_eval(node.value)]


def _public():
    at_the_top = {f"{room}.{name}" for room in FRONT for name in _listed(room)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    refusals = {f"errors.{kind.__name__}" for kind in kinds if issubclass(kind, errors.BearerError)}
    sent = {f"signals.{name}" for name, signal in vars(signals).items() if isinstance(signal, Signal)}
    from_wings = {f"{wing}.{name}" for wing in FROM_WINGS for name in FROM_WINGS[wing]}
    return sorted(at_the_top | refusals | sent | from_wings | {f"contrib.{name}" for name in FROM_CONTRIB})


def _is_documented(found):
    """Tell whether a name has a docstring of its own; a constant or a type cannot have one."""
    own = inspect.isfunction(found) or (inspect.isclass(found) and found.__module__.startswith("django_oauth_jwt"))
    return not own or len(inspect.getdoc(found) or "") > 20


@pytest.mark.parametrize("name", _public())
def test_a_public_name_has_a_docstring_a_test_and_a_place_in_the_reference(name):
    """A new one without any of them fails here: put it into the reference, try it, and say what it is."""
    word = re.compile(rf"\b{name.rpartition('.')[2]}\b")
    assert _is_documented(_resolve(name)), "no docstring"
    assert word.search(TESTS), "no test"
    assert word.search(REFERENCE), "no line in docs/reference/api.md or signals.md"


@pytest.mark.parametrize("wing", WINGS)
def test_a_face_has_what_others_use_and_nothing_else(wing):
    """Each name is public, or needed by another wing; and it says what it is."""
    outside = [path for path in SOURCES if path.parts[0] != wing]
    used = {name[1] for path in outside for name in imported(path, (ROOT / path).read_text()) if name[0] == wing}
    public = FROM_WINGS.get(wing, set()) | FOR_TABLES.get(wing, set())
    assert set(_listed(wing)) == used & set(_listed(wing)) | public
    assert used <= set(_listed(wing)) | {"pytest_plugin"}
    assert [name for name in _listed(wing) if not _is_documented(_resolve(f"{wing}.{name}"))] == []


def test_each_module_at_the_top_lists_what_it_is_for():
    """But for those that Django reads by itself."""
    assert [room for room in FRONT if not _listed(room)] == ["urls", "checks"]
    assert set(FROM_WINGS) <= set(ORDER)
