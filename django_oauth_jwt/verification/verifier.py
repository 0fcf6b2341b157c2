"""Token in, `AccessToken` out: the signature, then the claims (RFC 7515 section 5.2, RFC 9068 section 4)."""

import logging
import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..conf import Settings, TrustedIssuer, get_runtime, get_settings, require_key_source
from ..errors import BearerError, InvalidToken, KeysUnavailable
from ..issuers import issuer_of_service, require_trusted, trusted_issuer
from ..jwks import KeyService, KeyServices
from ..jws import KeySet, UnverifiedHeader, ascii_bytes, check_algorithm, loads_object, read_compact, verify_signature
from ..tokens import AccessToken, VerifiedToken
from .claims import check_claims, check_times
from .token_cache import RememberedToken, TokenMemory, digest

logger = logging.getLogger("django_oauth_jwt")


class _Memory(NamedTuple):
    settings: Settings
    tokens: TokenMemory | None


_memory: _Memory | None = None


def verify_token(encoded_token: str, *, jwks_service: KeyService | None = None) -> AccessToken:
    """Verify an access token and return it; no request is needed.

    ``jwks_service`` stands in for the one of the settings; where it has an ``issuer``, the token must be of that
    one. Raises InvalidToken or KeysUnavailable. May wait for a fetch of the keys: code on an event loop uses
    `averify_token`.
    """
    settings = get_settings()
    if jwks_service is None:
        require_key_source(settings)
    try:
        return verify(encoded_token, settings, jwks_service)
    except InvalidToken as error:
        error.status = settings.invalid_token_status
        raise


async def averify_token(encoded_token: str, *, jwks_service: KeyService | None = None) -> AccessToken:
    """Do as `verify_token` does, without blocking the event loop."""
    settings = get_settings()
    if jwks_service is None:
        require_key_source(settings)
    try:
        return await averify(encoded_token, settings, jwks_service)
    except InvalidToken as error:
        error.status = settings.invalid_token_status
        raise


def verify(encoded_token: str, settings: Settings, jwks_service: KeyService | None) -> AccessToken:
    """Do as `verify_token` does, for one who has the settings at hand, and knows that they name the keys."""
    verification = _Verification()
    remembered = verification.begin(encoded_token, settings, jwks_service)
    if remembered is not None:
        return remembered
    header = verification.header
    try:
        key_set = verification.service.key_set_for(header.kid, header.alg)
    except BearerError:
        raise
    except Exception as error:  # a service of the project's own may raise anything
        raise _unavailable(error) from error
    return verification.complete(key_set)


async def averify(encoded_token: str, settings: Settings, jwks_service: KeyService | None) -> AccessToken:
    """Do as `averify_token` does, for one who has the settings at hand, and knows that they name the keys."""
    verification = _Verification()
    remembered = verification.begin(encoded_token, settings, jwks_service)
    if remembered is not None:
        return remembered
    header = verification.header
    try:
        key_set = await verification.service.akey_set_for(header.kid, header.alg)
    except BearerError:
        raise
    except Exception as error:  # as above
        raise _unavailable(error) from error
    return verification.complete(key_set)


@dataclass(slots=True, init=False, repr=False, eq=False)
class _Verification:
    """The verification of one token: `begin`, then `complete` with the keys, which the twins get each in its way."""

    encoded_token: str
    header: UnverifiedHeader
    claims: dict[str, Any]
    signing_input: bytes
    signature_segment: bytes
    trusted: TrustedIssuer
    service: KeyService
    memory: TokenMemory | None
    memory_key: Hashable

    def begin(self, encoded_token: str, settings: Settings, jwks_service: KeyService | None) -> AccessToken | None:
        """Return a remembered token if its times still hold, else read the token."""
        encoded = encoded_bytes(encoded_token, settings.max_token_length)
        self.encoded_token = encoded_token
        self.memory = memory = _memory_of(settings)
        if memory is not None:
            # What is remembered holds its service, so nothing else has the service's id meanwhile.
            self.memory_key = key = digest(encoded) if jwks_service is None else (digest(encoded), id(jwks_service))
            try:
                remembered = memory.get(key)
            except Exception as error:  # the service is asked for its keys, see above
                raise _unavailable(error) from error
            if remembered is not None:
                check_times(remembered.verified.claims, time.time(), remembered.leeway)
                return AccessToken(encoded_token, remembered.verified)
        self._read(encoded, settings, jwks_service)
        return None

    def _read(self, encoded: bytes, settings: Settings, jwks_service: KeyService | None) -> None:
        header, payload, self.signing_input, self.signature_segment = read_compact(encoded)
        try:
            claims = loads_object(payload)
        except ValueError as error:
            raise InvalidToken("malformed") from error
        # The issuer decides whose keys are asked, so an unlisted one is refused before any fetch.
        iss = claims.get("iss")
        found = (
            trusted_issuer(iss, settings) if jwks_service is None else issuer_of_service(jwks_service, iss, settings)
        )
        trusted = require_trusted(found)
        check_algorithm(header.alg, trusted.algorithms)
        self.service = get_runtime().part(KeyServices).service_of(trusted) if jwks_service is None else jwks_service
        self.header, self.claims, self.trusted = header, claims, trusted

    def complete(self, key_set: KeySet) -> AccessToken:
        """Check signature and claims of the token, remember it, and return it."""
        header, claims, trusted, memory = self.header, self.claims, self.trusted, self.memory
        verify_signature(header, self.signing_input, self.signature_segment, key_set)
        check_claims(claims, header.typ, trusted, time.time())
        verified = VerifiedToken(claims, header.parameters)
        if memory is not None:
            memory.add(self.memory_key, RememberedToken(verified, trusted.leeway, self.service, key_set))
        return AccessToken(self.encoded_token, verified)


def _unavailable(error: Exception) -> KeysUnavailable:
    """Log what went wrong in a key service, and return the refusal of the request that asked it."""
    # Without the frame of the caller, whose token has no place in a log or an error report.
    frames = error.__traceback__.tb_next if error.__traceback__ else None
    logger.error("The key service failed", exc_info=(type(error), error, frames))
    return KeysUnavailable()


def encoded_bytes(encoded_token: str, maximum: int) -> bytes:
    """Return the bytes of a token that is worth reading; raise InvalidToken for an empty or too long one."""
    if not encoded_token:
        raise InvalidToken("empty")
    encoded = ascii_bytes(encoded_token)
    if len(encoded) > maximum:
        raise InvalidToken("too_long")
    return encoded


def _memory_of(settings: Settings) -> TokenMemory | None:
    global _memory
    memory = _memory
    if memory is None or memory.settings is not settings:
        size = settings.token_cache_size
        memory = _memory = _Memory(settings, TokenMemory(size) if size else None)
    return memory.tokens
