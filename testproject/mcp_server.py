"""A small Model Context Protocol server in a Django view: two tools, each with a scope of its own.

The package `mcp` speaks the protocol. Who may call what is decided before it, by `secure`: a refusal has to be an HTTP
answer with a challenge, which tells the client what to ask the authorization server for.
"""

import json
from typing import Any, Final

import httpx2
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST
from mcp.server.mcpserver import MCPServer

from django_oauth_jwt.decorators import secure

BOOKS: Final = ["The Left Hand of Darkness"]

#: The scope that each tool needs. One that is missing here, because somebody forgot it, needs `UNKNOWN_TOOL_SCOPE`.
TOOL_SCOPES: Final = {"list_books": "books.read", "add_book": "books.write"}
UNKNOWN_TOOL_SCOPE: Final = "books.write"

server = MCPServer("books", log_level="WARNING")


@server.tool()
def list_books() -> list[str]:
    """List the titles of all books."""
    return BOOKS


@server.tool()
def add_book(title: str) -> str:
    """Add a book."""
    BOOKS.append(title)
    return f"Added {title!r}."


def resource_metadata(origin: str) -> dict[str, Any]:
    """Return the setting RESOURCE_METADATA of this server (RFC 9728 section 2), on an origin like https://example.com."""
    return {"resource": f"{origin}/mcp", "scopes_supported": sorted(TOOL_SCOPES.values())}


@secure(scope="books.read")
@require_POST  # a GET would wait for messages, which a server without sessions never sends
async def mcp(request: HttpRequest) -> HttpResponse:
    """Answer one message, once the token has the scope of the tool that it calls."""
    try:
        message = json.loads(request.body)
        content = json.dumps(message)
    except (ValueError, RecursionError):
        raise BadRequest("A message is JSON") from None
    # This second `secure` names the scopes of both in its challenge, so that a client asks once.
    needed = secure(scope=_scope_of(message))
    return await needed(_answer)(request, content)


def _scope_of(message: Any) -> str:
    """Return the scope of the tool that a message calls, "" where it calls none."""
    match message:
        case {"method": "tools/call", "params": {"name": str(name)}}:
            return TOOL_SCOPES.get(name, UNKNOWN_TOOL_SCOPE)
    return ""


async def _answer(request: HttpRequest, content: str) -> HttpResponse:
    """Have `mcp` answer a message, in an ASGI application that lives as long as that takes: there are no sessions."""
    app = server.streamable_http_app(stateless_http=True, json_response=True)
    wanted = ("Content-Type", "Mcp-")  # and not the token, which was meant for this view
    headers = {name: value for name, value in request.headers.items() if name.startswith(wanted)}
    headers["Accept"] = "application/json"  # no stream: this view would wait for its end
    # What was looked at is what is sent on, so that no other parser finds another tool in it. `mcp` thinks that it runs
    # on loopback: hosts are Django's affair (ALLOWED_HOSTS).
    sent = httpx2.Request("POST", "http://localhost:8000/mcp", headers=headers, content=content)
    async with app.router.lifespan_context(app):
        answer = await httpx2.ASGITransport(app).handle_async_request(sent)
        body = await answer.aread()
    return HttpResponse(body, status=answer.status_code, content_type=answer.headers.get("Content-Type"))
