"""The test kit: an authorization server's keys and tokens, without an authorization server.

>>> issuer = TokenIssuer()
>>> with issuer.installed():
...     client.get("/books/", headers=issuer.headers(scope="read"))
"""

from .issuer import TokenIssuer
from .signing import SigningKey

__all__ = ["SigningKey", "TokenIssuer"]
