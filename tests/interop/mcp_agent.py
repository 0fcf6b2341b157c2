"""A Model Context Protocol client of the official package, with a user who approves at once, and a record of it all."""

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import httpx2
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

REDIRECT_URI = "http://127.0.0.1:9/callback"


@dataclass(frozen=True)
class Exchange:
    """A request on the wire and its answer: ``sent`` is its form or query, or the message in its body."""

    method: str
    url: httpx2.URL
    authorization: str | None
    sent: dict
    status: int
    challenge: str | None

    def __str__(self):
        """What a server's access log would say, with the name of the message."""
        message = self.sent.get("method", "")
        return f"{self.method} {self.url.path} {self.status} {message}".rstrip()


@dataclass
class Agent:
    """A client for one server. It is its own storage, so what it knows lives on from one connection to the next."""

    server_url: str
    tokens: OAuthToken | None = None
    client_info: OAuthClientInformationFull | None = None
    exchanges: list[Exchange] = field(default_factory=list)

    @asynccontextmanager
    async def connected(self, mode="auto"):
        """Connect as a program does that has just been started; ``mode`` is the protocol's, "auto" the newest."""
        async with (
            self._http(auth=self._provider()) as http,
            Client(streamable_http_client(self.server_url, http_client=http), mode=mode) as client,
        ):
            yield client

    def take(self):
        """Return the exchanges since the last call."""
        taken, self.exchanges = self.exchanges, []
        return taken

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client_info

    async def set_client_info(self, client_info):
        self.client_info = client_info

    def _provider(self):
        metadata = OAuthClientMetadata(
            client_name="agent", redirect_uris=[REDIRECT_URI], token_endpoint_auth_method="none"
        )
        return OAuthClientProvider(self.server_url, metadata, self, self._open_in_browser, self._wait_for_redirect)

    def _http(self, **options):
        # Loopback has no TLS, whose certificates take longer to load than the rest of a walk.
        return httpx2.AsyncClient(event_hooks={"response": [self._record]}, trust_env=False, verify=False, **options)

    async def _record(self, response):
        request = response.request
        body = (await request.aread()).decode()
        is_json = request.headers.get("Content-Type") == "application/json"
        sent = json.loads(body) if is_json else dict(parse_qsl(body or request.url.query.decode()))
        headers = request.headers.get("Authorization"), response.headers.get("WWW-Authenticate")
        exchange = Exchange(request.method, request.url, headers[0], sent, response.status_code, headers[1])
        self.exchanges.append(exchange)

    async def _open_in_browser(self, url):
        async with self._http() as http:
            answer = await http.get(url)
        self._redirect = dict(httpx2.URL(answer.headers["Location"]).params)

    async def _wait_for_redirect(self):
        return AuthorizationCodeResult(**self._redirect)
