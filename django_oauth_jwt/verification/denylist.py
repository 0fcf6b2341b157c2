"""The tokens that a project revoked, remembered in Django's cache for as long as they could be used.

What cannot be known counts as revoked, or is answered with 503: the denylist says "good" only where the cache did.
"""

import hashlib
import json
import logging
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeGuard, TypeVar

from django.core.cache import BaseCache
from django.core.cache.backends.dummy import DummyCache

from ..conf import Settings
from ..errors import InvalidToken, RevocationCheckUnavailable
from ..issuers import issuer_of_verified
from ..jws import encode_segment, read_compact
from ..tokens import AccessToken
from ..upstream import ProjectCache, Steps, unix_time

logger = logging.getLogger("django_oauth_jwt")

T = TypeVar("T")

#: So many entries does a process remember where the cache is a LocMemCache.
ENTRIES_IN_MEMORY: Final = 100_000
#: In seconds. An entry that is needed for longer has no end: some caches take a large number for a time in the past.
LONGEST_TIMEOUT: Final = 366 * 24 * 3600
#: An entry that is always there, so that its absence tells a cache that is down from one without other entries.
PROBE_KEY: Final = "oauth_jwt:revoked:probe"
_WARNING: Final = (
    "The cache that remembers revoked tokens fails (%s); requests with tokens are answered with 503 for %g seconds"
)


class Denylist:
    """The revoked tokens, in the cache that the setting CACHE names (see `upstream.ProjectCache`)."""

    def __init__(self, settings: Settings) -> None:
        self._cache = ProjectCache(settings.cache, "revocation", entries=ENTRIES_IN_MEMORY, warning=_WARNING)
        self._settings = settings
        self._leeway = max(trusted.leeway for trusted in (*settings.issuers.values(), settings.unlisted_issuer))
        self._can_remember = not issubclass(self._cache.kind, DummyCache)
        if not self._can_remember:
            logger.error(
                "CACHE is a %s, which cannot remember that a token was revoked: the answer to each is 503",
                self._cache.kind.__name__,
            )

    def revoke_steps(self, token: AccessToken) -> Steps[None]:
        """Remember a token for as long as it could be used."""
        _require_access_token(token)
        # What an authorization server says of an opaque token may have a later end at each question.
        exp = None if _signing_input(token) is None else token.claims.get("exp")
        timeout = _timeout(exp, max(self._leeway, issuer_of_verified(token, self._settings).leeway))
        if timeout != 0:
            for key in _token_keys(token):
                yield from self._call_steps(partial(_keep, key=key, timeout=timeout))

    def revoke_subject_steps(self, issuer: str | None, subject: str) -> Steps[None]:
        """Remember this moment for a subject."""
        if not isinstance(issuer, str | None) or not isinstance(subject, str):
            raise TypeError("issuer and subject must be strings, as in iss and sub of the tokens")
        yield from self._call_steps(partial(_move_on, key=_key("sub", issuer, subject), moment=unix_time()))

    def is_revoked_steps(self, token: AccessToken) -> Steps[bool]:
        """Tell whether a token was revoked."""
        _require_access_token(token)
        token_keys, subject_key = _token_keys(token), _key("sub", token.issuer, token.subject)
        found = yield from self._call_steps(partial(_read, keys=[*token_keys, subject_key, PROBE_KEY]))
        is_subject_revoked = subject_key in found and _is_up_to(found[subject_key], token.claims.get("iat"))
        return not found.keys().isdisjoint(token_keys) or is_subject_revoked

    def _call_steps(self, operation: Callable[[BaseCache], T]) -> Steps[T]:
        found: T | None = None
        if self._can_remember:
            found = yield from self._cache.call_steps(operation, None)
        if found is None:
            raise RevocationCheckUnavailable
        return found


class NotKept(RevocationCheckUnavailable):
    """The cache reported no error, and did not keep what it was given: some backends hide that their server is down."""


def _require_access_token(token: object) -> None:
    if not isinstance(token, AccessToken):
        kind = type(token).__name__
        raise TypeError(f"a token to revoke must be an AccessToken, as in request.access_token, and not a {kind}")


def _keep(cache: BaseCache, key: str, timeout: int | None) -> bool:
    cache.set(key, 1, timeout)
    if cache.get(key) is None:
        raise NotKept
    return True


def _move_on(cache: BaseCache, key: str, moment: float) -> bool:
    """Write a moment, unless there is a later one; again where another process has written an earlier one just then."""
    for _ in range(3):
        known = cache.get(key)
        if _is_number(known) and known >= moment:
            return True
        cache.set(key, moment, None)
    raise NotKept


def _read(cache: BaseCache, keys: list[str]) -> Mapping[str, Any]:
    found = cache.get_many(keys)
    if PROBE_KEY not in found:  # as on the first call ever
        cache.set(PROBE_KEY, 1, None)
        found = cache.get_many(keys)
        if PROBE_KEY not in found:
            raise NotKept
    return found


def _timeout(exp: object, leeway: float) -> int | None:
    """Return for how many seconds a token could be used, 0 for none; None is without end."""
    if not _is_number(exp):
        return None
    try:
        # Twice: the clock of another server may be behind this one.
        seconds = exp + 2 * leeway - unix_time()
    except OverflowError:  # an int beyond a float
        return None
    if not seconds <= LONGEST_TIMEOUT:
        return None
    return math.ceil(seconds) + 1 if seconds > 0 else 0  # a cache that counts whole seconds may be one early


def _is_up_to(moment: object, iat: object) -> bool:
    """Tell whether a token was issued up to a moment; in doubt it was."""
    return not (_is_number(moment) and _is_number(iat) and iat > moment)


def _is_number(value: object) -> TypeGuard[float]:
    return type(value) in (int, float)


def _token_keys(token: AccessToken) -> list[str]:
    """Return the keys of a token's entries: by ``jti``, and by its text where it has none or is no JWS.

    What an authorization server says of an opaque token may have another ``jti`` at each question.
    """
    jti, lasting = token.claims.get("jti"), _signing_input(token)
    by_jti = [_key("jti", token.issuer, jti)] if isinstance(jti, str) and jti else []
    if by_jti and lasting is not None:
        return by_jti
    text = token.encoded.encode() if lasting is None else lasting
    return [*by_jti, _key("text", hashlib.sha256(text).hexdigest())]


def _signing_input(token: AccessToken) -> bytes | None:
    """Return what nobody can change of a JWS: all but the signature; None where the token is no JWS.

    From one good signature of ES256 anybody can compute a second one.
    """
    try:
        return read_compact(token.encoded.encode())[2]
    except InvalidToken:
        return None


def _key(*parts: str | None) -> str:
    """Return the key of an entry: of bounded length, of characters that every cache takes, and never that of another.

    It is not made with SECRET_KEY, so that tokens stay revoked when that changes.
    """
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return f"oauth_jwt:revoked:{encode_segment(digest)}"
