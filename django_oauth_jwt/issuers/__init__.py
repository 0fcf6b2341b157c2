"""Who is trusted: the issuers that the settings list, and the one issuer of a key service given by hand.

The issuer decides whose keys are asked, so a token of an issuer that is not trusted is refused before any fetch.
"""

from .fixed import issuer_of_service
from .listed import trusted_issuer
from .verified import issuer_of_verified

__all__ = [
    "issuer_of_service",
    "issuer_of_verified",
    "trusted_issuer",
]
