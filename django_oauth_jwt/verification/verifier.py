"""Token in, `AccessToken` out: remembered, or read and held to each rule in turn (RFC 7515, RFC 9068 section 4)."""

import logging
import time
from collections.abc import Hashable

from ..conf import Runtime, get_runtime, require_key_source
from ..errors import BearerError, InvalidToken, KeysUnavailable
from ..jwks import KeyService
from ..tokens import AccessToken, VerifiedToken
from ..upstream import Steps, run_awaiting, run_blocking
from .reading import encoded_bytes, read_token
from .rules import AT_EACH_USE, NO_KEYS, RULES
from .token_cache import RememberedToken, TokenCache, cache_key

logger = logging.getLogger("django_oauth_jwt")


def verify_token(encoded_token: str, *, jwks_service: KeyService | None = None) -> AccessToken:
    """Verify an access token and return it; no request is needed.

    ``jwks_service`` stands in for the one of the settings; where it has an ``issuer``, the token must be of that
    one. Raises InvalidToken or KeysUnavailable. May wait for a fetch of the keys: code on an event loop uses
    `averify_token`.
    """
    runtime = get_runtime()
    if jwks_service is None:
        require_key_source(runtime.settings)
    try:
        found = remembered_or_steps(encoded_token, runtime, jwks_service)
        return found if isinstance(found, AccessToken) else run_blocking(found)
    except InvalidToken as error:
        error.status = runtime.settings.status_of(error)
        raise


async def averify_token(encoded_token: str, *, jwks_service: KeyService | None = None) -> AccessToken:
    """Do as `verify_token` does, without blocking the event loop."""
    runtime = get_runtime()
    if jwks_service is None:
        require_key_source(runtime.settings)
    try:
        found = remembered_or_steps(encoded_token, runtime, jwks_service)
        return found if isinstance(found, AccessToken) else await run_awaiting(found)
    except InvalidToken as error:
        error.status = runtime.settings.status_of(error)
        raise


def remembered_or_steps(
    encoded_token: str, runtime: Runtime, jwks_service: KeyService | None
) -> AccessToken | Steps[AccessToken]:
    """Return the token if it is remembered and its times still hold, else the steps that verify it.

    What is remembered needs no steps, since most requests bring a token that was seen before.
    """
    encoded = encoded_bytes(encoded_token, runtime.settings.max_token_length)
    cache = runtime.part(TokenCache)
    if not cache.size:
        return _verification(encoded_token, encoded, runtime, jwks_service, None)
    key = cache_key(encoded, jwks_service)
    try:
        remembered = cache.get(key)
    except Exception as error:  # a service of the project's own may raise anything when it is asked for its keys
        raise _unavailable(error) from error
    if remembered is None:
        return _verification(encoded_token, encoded, runtime, jwks_service, key)
    for check in AT_EACH_USE:
        check(remembered.verified.claims, time.time(), remembered.leeway)
    return AccessToken(encoded_token, remembered.verified)


def _verification(
    encoded_token: str, encoded: bytes, runtime: Runtime, jwks_service: KeyService | None, key: Hashable | None
) -> Steps[AccessToken]:
    """Hold the token to each rule, remember it under ``key`` unless that is None, and return it."""
    token, key_set, now = read_token(encoded, runtime, jwks_service), NO_KEYS, 0.0
    for rule in RULES:
        keys = rule.check(token, key_set, now)
        if keys is not None:
            try:
                key_set, now = (yield keys), time.time()
            except BearerError:
                raise
            except Exception as error:  # as above
                raise _unavailable(error) from error
    verified = VerifiedToken(token.claims, token.header.parameters)
    if key is not None:
        remembered = RememberedToken(verified, token.trusted.leeway, token.service(), key_set)
        runtime.part(TokenCache).add(key, remembered)
    return AccessToken(encoded_token, verified)


def _unavailable(error: Exception) -> KeysUnavailable:
    """Log what went wrong in a key service, and return the refusal of the request that asked it."""
    # Without the frame of the caller, whose token has no place in a log or an error report.
    frames = error.__traceback__.tb_next if error.__traceback__ else None
    logger.error("The key service failed", exc_info=(type(error), error, frames))
    return KeysUnavailable()
