"""Who is trusted: the settings' issuers, those that the project's resolver knows, that of a key service given by hand.

The issuer decides whose keys are asked for, so a token of one that is not trusted is refused before any fetch.
`listed` has those of the settings, `resolved` asks ISSUER_RESOLVER about others (`resolver` is one question, `memory`
what was said, `turns` how many are asked at a time). `fixed` is the issuer of a key service, `verified` that of a token
that was verified before.
"""

from .fixed import issuer_of_service
from .listed import trusted_issuer
from .memory import Resolution
from .resolved import ResolvedIssuers
from .verified import issuer_of_verified

__all__ = [
    "Resolution",
    "ResolvedIssuers",
    "issuer_of_service",
    "issuer_of_verified",
    "trusted_issuer",
]
