"""django-ninja: `BearerJwt` as ``auth=`` of an API, a router or an operation. It responds as `secure` does.

ninja gives an authenticator no way to answer by itself, to set a header of an answer, or to name scopes in the schema.
`operations` has four methods of ninja's do so from the import of this package on.
"""

from . import operations  # noqa: F401  # as it says
from .authenticator import BearerJwt

__all__ = ["BearerJwt"]
