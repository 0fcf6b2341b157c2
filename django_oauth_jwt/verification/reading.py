"""From the text of a token to its parts, and to whose rules hold for it; nothing of what they say is verified."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from ..conf import Runtime, TrustedIssuer
from ..errors import InvalidToken
from ..issuers import Resolution, ResolvedIssuers, issuer_of_service, trusted_issuer
from ..jwks import KeyService, KeyServices
from ..jws import EncodedToken, UnverifiedHeader, loads_object, read_compact
from ..upstream import Steps
from .needs import unavailable


@dataclass(slots=True, eq=False, repr=False)  # not frozen: that would take longer than all else that is done here
class UnverifiedToken:
    """A token as read: header and claims, signing input and signature segment as sent, and whose rules hold for it.

    ``trusted`` is the first issuer of the settings where the token's own is not trusted, so that each rule can be
    asked all the same; where they list none, the one that nothing is known of. ``jwks_service`` is the one that the
    caller gave, None where the settings name it.
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
        """Return the service that has the issuer's keys; it is built where the settings describe it.

        Raises ImproperlyConfigured where it cannot be, KeysUnavailable where that is an entry of ISSUER_RESOLVER.
        """
        if self.jwks_service is not None:
            return self.jwks_service
        try:
            return self.runtime.part(KeyServices).service_of(self.trusted)
        except ImproperlyConfigured as error:
            if self.runtime.settings.issuers.get(self.trusted.issuer) is self.trusted:
                raise
            raise unavailable(error) from None


def read_token(
    encoded: EncodedToken, runtime: Runtime, jwks_service: KeyService | None, asked: TrustedIssuer | None = None
) -> UnverifiedToken:
    """Return a token as read; raise InvalidToken for what is no signed JWT (RFC 7519 section 7.2).

    ``asked`` is the one issuer whose token it may be, None where that is for the token to say.
    """
    fixed_issuer = issuer_of_service(jwks_service)  # may be a property of the project's, so before there are parts
    header, payload, signing_input, signature_segment = read_compact(encoded.octets(runtime.settings.max_token_length))
    try:
        claims = loads_object(payload)
    except ValueError as error:
        raise InvalidToken("malformed") from error
    trusted, is_trusted = (
        issuer_of(claims, runtime, fixed_issuer) if asked is None else (asked, is_issuer_of(asked, claims))
    )
    return UnverifiedToken(header, claims, signing_input, signature_segment, runtime, jwks_service, trusted, is_trusted)


def issuer_of(claims: Mapping[str, Any], runtime: Runtime, fixed_issuer: str | None) -> tuple[TrustedIssuer, bool]:
    """Return the issuer whose rules hold for a token of these claims, and whether it is the token's own."""
    settings, iss = runtime.settings, claims.get("iss")
    found = trusted_issuer(iss, settings, fixed_issuer)
    if found is None:
        return next(iter(settings.issuers.values()), settings.unlisted_issuer), False
    return found, True


def is_issuer_of(trusted: TrustedIssuer, claims: Mapping[str, Any]) -> bool:
    """Tell whether a token of these claims is the issuer's own."""
    return trusted.issuer is None or claims.get("iss") == trusted.issuer


def resolution_steps(token: UnverifiedToken) -> Steps[Resolution | None]:
    """Ask ISSUER_RESOLVER about the issuer of a token that is not listed; if it is trusted, its rules hold.

    A token of a key service's own issuer is trusted without that, but what the resolver says of the issuer holds for
    it, too. Returns what was found, None where there was nobody to ask. Raises IssuerUnavailable.
    """
    iss, fixed_issuer = token.claims.get("iss"), issuer_of_service(token.jwks_service)
    if not isinstance(iss, str) or fixed_issuer not in (None, iss):
        return None
    resolved = token.runtime.part(ResolvedIssuers)
    resolution = resolved.recall(iss) or (yield from resolved.resolution_steps(iss))
    if resolution.trusted is not None:
        token.trusted, token.is_trusted = resolution.trusted, True
    return resolution
