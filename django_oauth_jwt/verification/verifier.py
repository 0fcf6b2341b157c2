"""Token in, `AccessToken` out: remembered, or read and held to each rule in turn (RFC 7515, RFC 9068 section 4)."""

import time
from collections.abc import Hashable

from ..conf import Runtime, get_runtime, require_key_source
from ..errors import BearerError, InvalidToken
from ..issuers import issuer_of_verified
from ..jwks import KeyService
from ..jws import KeySet
from ..tokens import AccessToken, VerifiedToken
from .needs import Keys, unavailable
from .reading import EncodedToken, UnverifiedToken, read_token
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
    caller has checked the proof or the certificate itself. Raises InvalidToken or KeysUnavailable. May wait for a
    fetch of the keys: code on an event loop uses `averify_token`.
    """
    encoded = EncodedToken(encoded_token)
    del encoded_token  # a report of whatever is raised from here on would show it
    runtime = get_runtime()
    if jwks_service is None:
        require_key_source(runtime.settings)
    try:
        found = remembered_or_pending(encoded, runtime, jwks_service)
        token = found if isinstance(found, AccessToken) else found.complete(found.keys.get())
        return _with_binding(token, runtime, jwks_service, is_checked=binding_checked)
    except InvalidToken as error:
        raise _to_caller(error, runtime) from None


async def averify_token(
    encoded_token: str, *, jwks_service: KeyService | None = None, binding_checked: bool = False
) -> AccessToken:
    """Do as `verify_token` does, without blocking the event loop."""
    encoded = EncodedToken(encoded_token)
    del encoded_token  # as above
    runtime = get_runtime()
    if jwks_service is None:
        require_key_source(runtime.settings)
    try:
        found = remembered_or_pending(encoded, runtime, jwks_service)
        token = found if isinstance(found, AccessToken) else found.complete(await found.keys.aget())
        return _with_binding(token, runtime, jwks_service, is_checked=binding_checked)
    except InvalidToken as error:
        raise _to_caller(error, runtime) from None


def _with_binding(
    token: AccessToken, runtime: Runtime, jwks_service: KeyService | None, *, is_checked: bool
) -> AccessToken:
    """Return a token that is bound to nobody and need not be, or whose binding is checked; else raise InvalidToken."""
    settings = runtime.settings
    if token.is_bound:
        if not is_checked:
            raise InvalidToken("unproven", detail="bound to its sender, and nobody has checked the proof")
    elif settings.requires_bound_tokens and issuer_of_verified(token, settings, jwks_service).require_bound_tokens:
        raise InvalidToken("unproven", detail="bound to nobody, and REQUIRE_BOUND_TOKENS is set")
    return token


def _to_caller(error: InvalidToken, runtime: Runtime) -> InvalidToken:
    """Return a refusal with the status of the settings, and without the frames and causes that hold the token."""
    error.status = runtime.settings.status_of(error)
    error.__context__ = None
    return error.with_traceback(None)


class Pending:
    """A token that is read and passed the rules before the keys: what is missing are ``keys``."""

    __slots__ = ("_cache_key", "_encoded", "_token", "keys")

    def __init__(self, encoded: EncodedToken, token: UnverifiedToken, key: Hashable | None) -> None:
        self._encoded = encoded
        self._token = token
        self._cache_key = key
        self.keys = Keys(token.service(), token.header.kid, token.header.alg)

    def complete(self, key_set: KeySet) -> AccessToken:
        """Hold the token to the rest of the rules with these keys, remember it, and return it."""
        token, now = self._token, time.time()
        for check in AFTER_KEYS:
            check(token, key_set, now)
        verified = VerifiedToken(token.claims, token.header.parameters)
        if self._cache_key is not None:
            remembered = RememberedToken(verified, token.trusted.leeway, self.keys.service, key_set)
            token.runtime.part(TokenCache).add(self._cache_key, remembered)
        return AccessToken(self._encoded.text, verified)


def remembered_or_pending(
    encoded: EncodedToken, runtime: Runtime, jwks_service: KeyService | None
) -> AccessToken | Pending:
    """Return the token if it is remembered and its times still hold, else what `Pending.complete` verifies."""
    cache, key = runtime.part(TokenCache), None
    if cache.size:
        key = cache_key(encoded.octets(runtime.settings.max_token_length), jwks_service)
        try:
            remembered = cache.get(key)
        except BearerError:
            raise
        except Exception as error:  # a service of the project's own may raise anything when it is asked for its keys
            raise unavailable(error) from error
        if remembered is not None:
            for check in AT_EACH_USE:
                check(remembered.verified.claims, time.time(), remembered.leeway)
            return AccessToken(encoded.text, remembered.verified)
    token = read_token(encoded, runtime, jwks_service)
    for check_rule in BEFORE_KEYS:
        check_rule(token, NO_KEYS, 0.0)
    return Pending(encoded, token, key)
