"""The handshake of a WebSocket connection: the HTTP request that it is, and where its token stands."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from django.core.handlers.asgi import ASGIRequest

from ...errors import BearerError
from ...http import anonymous_user
from ...proofs import BEARER, DPOP

#: The subprotocol after which a token stands: ``Sec-WebSocket-Protocol: bearer, <token>``.
_BEARER_PROTOCOL: Final = "bearer"
#: Where the scope has the request, for another middleware of ours inside the app.
_REQUEST: Final = "django_oauth_jwt.request"

_AUTHORIZATION: Final = b"authorization"
_PROTOCOLS: Final = b"sec-websocket-protocol"
_URL_SCHEMES: Final = {"ws": "http", "wss": "https"}
_TOKEN_SCHEMES: Final = {BEARER.encode(), DPOP.encode()}
#: An origin as browsers send it (RFC 6454 section 6.2), which is ASCII.
_ORIGIN: Final = re.compile(r"(?!(?:http://.*:80|https://.*:443)$)[a-z][a-z0-9+.-]*://[^/?#\s*A-Z]+")


class InvalidHandshake(BearerError):
    """The handshake is no request that a token could be accepted for (RFC 6750 section 3.1, ``invalid_request``)."""

    status = 400
    error = "invalid_request"


@dataclass(frozen=True)
class Handshake:
    """``request`` is the GET request with the token, ``scope`` what the app may see of the connection: no token.

    ``protocol`` is the subprotocol that stands for the token, None where the client offers none. ``has_two_tokens``
    tells whether there is more than one place with a token.
    """

    request: ASGIRequest
    scope: dict[str, Any]
    protocol: str | None = None
    has_two_tokens: bool = False


def read_handshake(scope: Mapping[str, Any]) -> Handshake:
    """Return the handshake of a connection; what its token is worth was not checked."""
    if _REQUEST in scope:  # another middleware of ours stands around this one, and has taken the token
        return Handshake(scope[_REQUEST], dict(scope))
    headers = [(name.lower(), value) for name, value in scope.get("headers", ())]
    authorizations = [value for name, value in headers if name == _AUTHORIZATION]
    protocols, offered_token = _without_token(scope.get("subprotocols") or ())
    shown = [(name, value) for name, value in headers if name not in (_AUTHORIZATION, _PROTOCOLS)]
    shown += [(_PROTOCOLS, ", ".join(protocols).encode("latin-1", "replace"))] if protocols else []
    app_scope = {**scope, "headers": shown, "subprotocols": protocols}
    request = app_scope[_REQUEST] = _request_of(app_scope)
    if offered_token is None:
        request.META["HTTP_AUTHORIZATION"] = b",".join(authorizations).decode("latin-1")
        return Handshake(request, app_scope)
    request.META["HTTP_AUTHORIZATION"] = f"Bearer {offered_token}"
    # A browser may send the user's password for the site (Basic) by itself: that is no token.
    has_other = any(value.partition(b" ")[0].lower() in _TOKEN_SCHEMES for value in authorizations)
    # The same text again would be shown to the app.
    has_two_tokens = has_other or offered_token in protocols or protocols.count(_BEARER_PROTOCOL) > 1
    return Handshake(request, app_scope, _BEARER_PROTOCOL, has_two_tokens)


def parse_origins(origins: Iterable[str]) -> frozenset[str]:
    """Return the origins in a list; ValueError for what browsers never send as one, such as a URL with a path."""
    if not isinstance(origins, list | tuple | set | frozenset):
        raise ValueError(f"origins is a list, not {origins!r}")  # noqa: TRY004  # as for scope and claims
    for origin in origins:
        if not isinstance(origin, str) or not origin.isascii() or not _ORIGIN.fullmatch(origin):
            how = "in small ASCII letters, without its scheme's own port"
            raise ValueError(f"{origin!r} is not an origin such as https://app.example.com, {how}")
    return frozenset(origins)


def _without_token(offered: Iterable[str]) -> tuple[list[str], str | None]:
    """Return the subprotocols without the token among them, and the token; None without one."""
    protocols = list(offered)
    if _BEARER_PROTOCOL not in protocols:
        return protocols, None
    at = protocols.index(_BEARER_PROTOCOL) + 1
    return protocols[:at] + protocols[at + 1 :], "".join(protocols[at : at + 1])


def _request_of(scope: dict[str, Any]) -> ASGIRequest:
    of_http = {
        "method": "GET",
        "scheme": _URL_SCHEMES.get(scope.get("scheme", "ws")),
        # Django refuses a query that is not UTF-8 by an error of its own; there is no token in it.
        "query_string": scope.get("query_string", b"").decode(errors="replace"),
    }
    request = ASGIRequest({**scope, **of_http}, BytesIO())
    request.user = scope["user"] if "user" in scope else anonymous_user()
    return request
