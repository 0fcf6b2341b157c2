"""From the text of a token to its parts, and to whose rules hold for it; nothing of what they say is verified."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..conf import Runtime, TrustedIssuer
from ..errors import InvalidToken
from ..issuers import issuer_of_service, trusted_issuer
from ..jwks import KeyService, KeyServices
from ..jws import EncodedToken, UnverifiedHeader, loads_object, read_compact


@dataclass(slots=True, eq=False, repr=False)  # not frozen: that would take longer than all else that is done here
class UnverifiedToken:
    """A token as read: header and claims, signing input and signature segment as sent, and whose rules hold for it.

    ``trusted`` is the first issuer of the settings where the token's own is not trusted, so that each rule can be
    asked all the same. ``jwks_service`` is the one that the caller gave, None where the settings name it.
    """

    header: UnverifiedHeader
    claims: dict[str, Any]
    signing_input: bytes
    signature_segment: bytes
    runtime: Runtime
    jwks_service: KeyService | None
    trusted: TrustedIssuer
    is_trusted: bool

    def service(self) -> KeyService:
        """Return the service that has the issuer's keys; it is built where the settings describe it."""
        if self.jwks_service is not None:
            return self.jwks_service
        return self.runtime.part(KeyServices).service_of(self.trusted)


def read_token(encoded: EncodedToken, runtime: Runtime, jwks_service: KeyService | None) -> UnverifiedToken:
    """Return a token as read; raise InvalidToken for what is no signed JWT (RFC 7519 section 7.2)."""
    fixed_issuer = issuer_of_service(jwks_service)  # may be a property of the project's, so before there are parts
    header, payload, signing_input, signature_segment = read_compact(encoded.octets(runtime.settings.max_token_length))
    try:
        claims = loads_object(payload)
    except ValueError as error:
        raise InvalidToken("malformed") from error
    trusted, is_trusted = issuer_of(claims, runtime, fixed_issuer)
    return UnverifiedToken(header, claims, signing_input, signature_segment, runtime, jwks_service, trusted, is_trusted)


def issuer_of(claims: Mapping[str, Any], runtime: Runtime, fixed_issuer: str | None) -> tuple[TrustedIssuer, bool]:
    """Return the issuer whose rules hold for a token of these claims, and whether it is the token's own."""
    settings, iss = runtime.settings, claims.get("iss")
    found = trusted_issuer(iss, settings, fixed_issuer)
    return (next(iter(settings.issuers.values())), False) if found is None else (found, True)
