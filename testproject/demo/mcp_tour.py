"""The end of the tour: how a Model Context Protocol client finds its way, from the URL of the server alone."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from testproject.authorization_server import AuthorizationServer

from .tour import OK, Answer, Stop

IS_INSTALLED = find_spec("mcp") is not None
HEADING = "Model Context Protocol: the challenges say where to get a token, and for which scopes"
LEFT_OUT = "Model Context Protocol: left out, since the package mcp is not installed (pip install -e '.[example]')"


def mcp_stops(server: AuthorizationServer, origin: str) -> Iterator[Stop | str]:
    """Yield what a client sends that begins with one scope and, when it is told so, asks for the other."""
    resource, well_known = f"{origin}/mcp", "/.well-known/oauth-protected-resource/mcp"
    challenge = f'scope="{{}}", resource_metadata="{origin}{well_known}"'
    no_token = Answer(401, f"Bearer {challenge.format('books.read')}")
    lacking = 'Bearer error="insufficient_scope", error_description="Token is missing some required scope values", '
    no_scope = Answer(403, lacking + challenge.format("books.read books.write"))
    narrow = server.token("books.read", aud=resource)
    yield HEADING
    yield Stop("no token", "/mcp", no_token, message=_call("list_books"))
    yield Stop("the resource metadata that it points to", well_known, OK)
    yield Stop("token for this resource and scope", "/mcp", OK, narrow, _call("list_books"))
    yield Stop("the same, for a tool of another scope", "/mcp", no_scope, narrow, _call("add_book", title="Emma"))
    both = server.token("books.read books.write", aud=resource)
    yield Stop("token for both scopes", "/mcp", OK, both, _call("add_book", title="Emma"))


def _call(tool: str, **arguments: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
