"""The introspection endpoint of a stand-in for an authorization server, without a network (RFC 7662)."""

import io
import json
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import HTTPAdapter

from ..conf import is_loopback

_JWT: Final = "application/jwt"
_JSON: Final = "application/json"


class Introspected(Protocol):
    """What the endpoint asks: a `TokenIssuer`."""

    issuer: str

    def knows(self, encoded_token: str) -> bool:
        """Tell whether this issuer has made a token."""
        ...

    def introspect(self, encoded_token: str) -> dict[str, Any]:
        """Return what is said of a token."""
        ...

    def phantom_of(self, members: dict[str, Any]) -> str:
        """Return the JWT that stands for an active token."""
        ...


def session_of(issuer: Introspected) -> requests.Session:
    """Return a session whose requests reach the issuer in this process, whatever their URL.

    What is for another server on this machine, and no token of the issuer, is sent there.
    """
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Endpoint(issuer))
    return session


class _Endpoint(HTTPAdapter):
    def __init__(self, issuer: Introspected) -> None:
        super().__init__()
        self._issuer = issuer

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Answer a request for metadata or about a token."""
        url = str(request.url)
        form = parse_qs(str(request.body or ""))
        encoded_token = form.get("token", [""])[0]
        if not self._issuer.knows(encoded_token) and is_loopback(str(urlsplit(url).hostname)):
            return super().send(request, *args, **kwargs)
        if request.method == "GET":
            return _response(request, _JSON, json.dumps(self._metadata()))
        return self._answer(request, self._issuer.introspect(encoded_token))

    def _metadata(self) -> dict[str, Any]:
        return {"issuer": self._issuer.issuer, "introspection_endpoint": f"{self._issuer.issuer}/introspect"}

    def _answer(self, request: requests.PreparedRequest, members: dict[str, Any]) -> requests.Response:
        if _JWT not in request.headers["Accept"]:
            return _response(request, _JSON, json.dumps(members))
        if not members["active"]:
            return _response(request, _JWT, "", HTTPStatus.NO_CONTENT)
        return _response(request, _JWT, self._issuer.phantom_of(members))


def _response(
    request: requests.PreparedRequest, media_type: str, body: str, status: HTTPStatus = HTTPStatus.OK
) -> requests.Response:
    response = requests.Response()
    response.request, response.url = request, str(request.url)
    response.status_code = status
    response.headers["Content-Type"] = media_type
    response.raw = io.BytesIO(body.encode())
    return response
