"""Which schemes a challenge offers, and to which of them it speaks (RFC 9449 section 7.2)."""

from dataclasses import dataclass

from django.http import HttpRequest

from ..conf import Settings
from ..errors import BearerError, InvalidProof, InvalidToken, NonceRequired
from ..proofs import DPOP
from .credentials import scheme_of


@dataclass(frozen=True)
class OfferedSchemes:
    """``dpop_algs`` are the algorithms for proofs, space-separated, "" where only bearer tokens are spoken of.

    ``dpop_first`` tells which challenge comes first, ``about_dpop`` which of them has the parameters of the refusal.
    """

    dpop_algs: str = ""
    dpop_first: bool = False
    about_dpop: bool = False


BEARER_ALONE = OfferedSchemes()


def offered_schemes(error: BearerError, settings: Settings, request: HttpRequest | None) -> OfferedSchemes:
    """Return what a refusal offers: DPoP where the settings do so, the client used it, or the token is ``unproven``."""
    header = None if request is None else request.META.get("HTTP_AUTHORIZATION")
    is_dpop = scheme_of(header) == DPOP or isinstance(error, InvalidProof | NonceRequired)
    if not (settings.offers_dpop or is_dpop or _is_unproven(error)):
        return BEARER_ALONE
    prefers_dpop = settings.requires_bound_tokens and (settings.offers_dpop or is_dpop)
    return OfferedSchemes(
        " ".join(settings.dpop.algorithms),
        # Some clients read the first challenge alone, and have to find there that they need a nonce.
        dpop_first=prefers_dpop or isinstance(error, NonceRequired),
        # A client that has sent nothing yet learns of the scheme that it needs.
        about_dpop=is_dpop or (prefers_dpop and not header),
    )


def _is_unproven(error: BearerError) -> bool:
    return isinstance(error, InvalidToken) and error.reason == "unproven"
