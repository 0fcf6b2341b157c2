"""Tokens that only their authorization server can say something of, and JWTs about which it is asked as well."""

import math
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from ..conf import Runtime, TrustedIssuer
from ..errors import IntrospectionUnavailable, InvalidToken, KeysUnavailable
from ..introspection import UNAVAILABLE, Introspectors, Verdict
from ..jws import EncodedToken
from ..tokens import VerifiedToken, freeze
from ..upstream import Steps
from .introspection_response import judge
from .token_cache import RememberedToken

#: Reasons that leave the token to the next issuer: this one does not know it as its own.
OF_ANOTHER: Final = frozenset({"inactive", "wrong_issuer"})


def opaque_steps(encoded: EncodedToken, runtime: Runtime) -> Steps[RememberedToken]:
    """Ask the issuers in turn about an opaque token, which does not say whose it is; return what is to be remembered.

    Raises InvalidToken where it is not good, KeysUnavailable where an issuer that may know it does not say.
    """
    unavailable: KeysUnavailable | None = None
    refusal = InvalidToken("inactive")
    for trusted in runtime.settings.introspecting:
        try:
            verdict = yield from _verdict_steps(encoded, trusted, runtime)
        except IntrospectionUnavailable as error:
            unavailable = error.with_traceback(None)  # which would hold this frame, and that the error
            continue
        if verdict.reason is None:
            verified = VerifiedToken(dict(verdict.claims), freeze(verdict.header), trusted)
            return RememberedToken(verified, trusted.leeway, since=time.time(), until=verdict.until)
        if verdict.reason not in OF_ANOTHER:
            raise verdict.refusal()
        refusal = verdict.refusal() if refusal.reason == "inactive" else refusal
    raise unavailable or refusal


def activity_steps(
    encoded: EncodedToken, claims: dict[str, Any], trusted: TrustedIssuer, runtime: Runtime
) -> Steps[float]:
    """Ask a JWT's issuer whether it is still active, and return until when that is remembered (Unix time in seconds).

    Where the issuer says how the token is bound to its sender, and the JWT does not, that is added to the claims.
    Raises InvalidToken where it is not active, and KeysUnavailable.
    """
    verdict = yield from _verdict_steps(encoded, trusted, runtime)
    if verdict.reason is not None:
        raise verdict.refusal()
    add_confirmation(claims, verdict.claims)
    return verdict.until


def add_confirmation(claims: dict[str, Any], described: Mapping[str, Any]) -> None:
    """Bind a JWT as its issuer says, where it does; raise InvalidToken where the JWT says something else."""
    if "cnf" in described and claims.setdefault("cnf", described["cnf"]) != described["cnf"]:
        raise InvalidToken("malformed_claim", detail="cnf, which is another one at the authorization server")


def _verdict_steps(encoded: EncodedToken, trusted: TrustedIssuer, runtime: Runtime) -> Steps[Verdict]:
    introspector = runtime.part(Introspectors).introspector_of(trusted)
    verdict = yield from introspector.verdict_steps(encoded, partial(judge, trusted=trusted, runtime=runtime))
    if verdict.reason == UNAVAILABLE:
        raise IntrospectionUnavailable(math.ceil(verdict.until - time.time()))
    return verdict
