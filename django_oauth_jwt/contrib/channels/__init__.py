"""Django Channels: a bearer token for each WebSocket connection, and no connection that outlives its token.

`middleware` is what a project uses. `handshake` reads a connection's scope as the GET request that it is (RFC 6455
section 4.1), so that tokens, proofs and users are handled as those of any other request; `connection` is what passes
between the server and the app from then on.
"""

from .middleware import BearerJwtMiddleware

__all__ = ["BearerJwtMiddleware"]
