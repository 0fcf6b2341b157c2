"""The test kit: keys and tokens of an authorization server, without a server.

>>> issuer = TokenIssuer()
>>> with issuer.installed():
...     client.get("/books/", headers=issuer.headers(scope="read"))

In pytest the fixture ``token_issuer`` is an issuer that is already installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .issuer import TokenIssuer
    from .proofs import ProofKey
    from .signing import SigningKey

__all__ = [
    "ProofKey",
    "SigningKey",
    "TokenIssuer",
]


def __getattr__(name: str) -> Any:
    # Imported at first use: every run of pytest loads the plugin in this package, even in projects without Django.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".issuer", __name__), name)
