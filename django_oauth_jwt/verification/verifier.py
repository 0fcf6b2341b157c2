"""Token in, `AccessToken` out: remembered, or read and held to each rule in turn (RFC 7515, RFC 9068 section 4)."""

import math
import time
from collections.abc import Hashable

from ..conf import Runtime, get_runtime, require_key_service, require_key_source
from ..errors import BearerError, InvalidToken, without_frames
from ..issuers import issuer_of_verified
from ..jwks import KeyService
from ..jws import EncodedToken
from ..tokens import AccessToken, VerifiedToken
from ..upstream import Steps, run_awaiting, run_blocking
from .introspected import activity_steps, opaque_steps
from .needs import Keys, unavailable
from .reading import read_token, resolution_steps
from .revocation import IsRevoked, Revocation
from .rules import AFTER_KEYS, AT_EACH_USE, BEFORE_KEYS, NO_KEYS
from .token_cache import RememberedToken, TokenCache, cache_key


def verify_token(
    encoded_token: str, *, jwks_service: KeyService | None = None, binding_checked: bool = False
) -> AccessToken:
    """Verify an access token and return it; no request is needed.

    >>> access_token = verify_token(encoded_token)
    >>> access_token.subject, access_token.scopes
    ('anna', frozenset({'books.read'}))

    ``jwks_service`` replaces the one of the settings; where it has an ``issuer``, the token must be of that one.
    A token that is bound to its sender (RFC 7800) is refused as ``unproven``, unless ``binding_checked`` says that the
    caller has checked the proof or the certificate itself. Raises InvalidToken or KeysUnavailable, and TypeError for
    a ``jwks_service`` that is none. May wait for a fetch of the keys and for IS_REVOKED: code on an event loop uses
    `averify_token`.
    """
    encoded = EncodedToken(encoded_token)
    del encoded_token  # a report of whatever is raised from here on would show it
    runtime = get_runtime()
    try:
        found = _remembered_or_steps(encoded, runtime, jwks_service)
        token = found if isinstance(found, AccessToken) else run_blocking(found)
        return _with_binding(token, runtime, is_checked=binding_checked)
    except InvalidToken as error:
        raise _to_caller(error, runtime) from None


async def averify_token(
    encoded_token: str, *, jwks_service: KeyService | None = None, binding_checked: bool = False
) -> AccessToken:
    """Do as `verify_token` does, without blocking the event loop."""
    encoded = EncodedToken(encoded_token)
    del encoded_token  # as above
    runtime = get_runtime()
    try:
        found = _remembered_or_steps(encoded, runtime, jwks_service)
        token = found if isinstance(found, AccessToken) else await run_awaiting(found)
        return _with_binding(token, runtime, is_checked=binding_checked)
    except InvalidToken as error:
        raise _to_caller(error, runtime) from None


def _remembered_or_steps(
    encoded: EncodedToken, runtime: Runtime, jwks_service: KeyService | None
) -> AccessToken | Steps[AccessToken]:
    if jwks_service is None:
        require_key_source(runtime.settings)
    else:
        require_key_service(jwks_service)
    return remembered_or_steps(encoded, runtime, jwks_service)


def _with_binding(token: AccessToken, runtime: Runtime, *, is_checked: bool) -> AccessToken:
    """Return a token that is bound to nobody and need not be, or whose binding is checked; else raise InvalidToken."""
    settings = runtime.settings
    if token.is_bound:
        if not is_checked:
            raise InvalidToken("unproven", detail="bound to its sender, and nobody has checked the proof")
    elif settings.may_require_bound_tokens and issuer_of_verified(token, settings).require_bound_tokens:
        raise InvalidToken("unproven", detail="bound to nobody, and REQUIRE_BOUND_TOKENS is set")
    return token


def _to_caller(error: InvalidToken, runtime: Runtime) -> InvalidToken:
    """Return a refusal with the status of the settings, and without the frames and causes that hold the token."""
    error.status = runtime.settings.status_of(error)
    return without_frames(error)


def remembered_or_steps(
    encoded: EncodedToken, runtime: Runtime, jwks_service: KeyService | None
) -> AccessToken | Steps[AccessToken]:
    """Return the token if it is remembered and its times still hold, else the steps that verify it.

    Where IS_REVOKED is set there are always steps: it is asked at each use.
    """
    cache, settings, now = runtime.part(TokenCache), runtime.settings, time.time()
    key, remembered = None, None
    if cache.size:
        is_keyed = bool(settings.introspecting)
        key = cache_key(encoded.octets(settings.max_token_length), jwks_service, is_keyed=is_keyed)
        try:
            remembered = cache.get(key, now)
        except BearerError:
            raise
        except Exception as error:  # a service of the project's own may raise anything when it is asked for its keys
            raise unavailable(error) from error
    found: AccessToken | Steps[AccessToken]
    if remembered is None:
        # A key service that the caller gave has keys and nothing else: it knows no opaque tokens.
        may_be_opaque = settings.introspecting and jwks_service is None
        if may_be_opaque and encoded.is_opaque(settings.max_token_length):
            found = _opaque_steps(encoded, runtime, key)
        else:
            found = _jwt_steps(encoded, runtime, jwks_service, key)
    else:
        for check in AT_EACH_USE:
            check(remembered.verified.claims, now, remembered.leeway)
        found = AccessToken(encoded.text, remembered.verified)
    return found if settings.is_revoked is None else _revocation_steps(found, settings.is_revoked)


def _opaque_steps(encoded: EncodedToken, runtime: Runtime, key: Hashable | None) -> Steps[AccessToken]:
    """Ask about an opaque token, remember it under the key, if there is one, and return it."""
    token = yield from opaque_steps(encoded, runtime)
    if key is not None:
        runtime.part(TokenCache).add(key, token)
    return AccessToken(encoded.text, token.verified)


def _jwt_steps(
    encoded: EncodedToken, runtime: Runtime, jwks_service: KeyService | None, key: Hashable | None
) -> Steps[AccessToken]:
    """Hold a JWT to each rule in turn, remember it under the key, if there is one, and return it."""
    token, since, until = read_token(encoded, runtime, jwks_service), -math.inf, math.inf
    is_listed = token.is_trusted and token.trusted is not runtime.settings.unlisted_issuer
    if not is_listed and runtime.settings.issuer_resolver is not None:
        resolution = yield from resolution_steps(token)
        if resolution is not None:
            since, until = resolution.since, resolution.until
    for check in BEFORE_KEYS:
        check(token, NO_KEYS, 0.0)
    service = token.service()
    key_set = yield Keys(service, token.header.kid, token.header.alg)
    now = time.time()
    for check in AFTER_KEYS:
        check(token, key_set, now)
    introspection = token.trusted.introspection
    if introspection is not None and introspection.asks_about_jwts:
        active_until = yield from activity_steps(encoded, token.claims, token.trusted, runtime)
        since, until = max(since, now), min(until, active_until)
    verified = VerifiedToken(token.claims, token.header.parameters, token.trusted)
    if key is not None:
        remembered = RememberedToken(verified, token.trusted.leeway, service, key_set, since, until)
        runtime.part(TokenCache).add(key, remembered)
    return AccessToken(encoded.text, verified)


def _revocation_steps(found: AccessToken | Steps[AccessToken], is_revoked: IsRevoked) -> Steps[AccessToken]:
    token = found if isinstance(found, AccessToken) else (yield from found)
    yield Revocation(token, is_revoked)
    return token
