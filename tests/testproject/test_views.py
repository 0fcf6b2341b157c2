"""The example's views answer as the manual says, in plain Django, REST framework and ninja, under WSGI and ASGI."""

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command

from testproject.asgi import application as asgi_application

from ..channels.clients import PatientClient

ANY_TOKEN = ["/secured/token", "/secured/async", "/api/token", "/ninja/token"]
WITH_SCOPE = ["/secured/scope", "/api/scope", "/ninja/scope"]
WITH_CLAIM = ["/secured/claim", "/api/claim", "/ninja/claim"]

NO_SCOPE = (
    'Bearer error="insufficient_scope", error_description="Token is missing some required scope values", scope="read"'
)
NO_CLAIM = 'Bearer error="invalid_token", error_description="Token is missing some required claims"'


def test_the_open_view_answers_everybody(get):
    """A view without the decorator is as open as ever."""
    response = get("/open")
    assert (response.status_code, response.json()) == (200, {"message": "No token needed here."})


@pytest.mark.parametrize("path", [*ANY_TOKEN, *WITH_SCOPE, *WITH_CLAIM])
def test_a_secured_view_asks_for_a_token(get, issuer, path):
    """The challenge alone, with the scopes, is told to who brings no token."""
    response = get(path)
    challenge = 'Bearer scope="read"' if path in WITH_SCOPE else "Bearer"
    assert (response.status_code, response["WWW-Authenticate"]) == (401, challenge)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        *[(path, {}) for path in ANY_TOKEN],
        *[(path, {"scopes": ["read", "write"]}) for path in WITH_SCOPE],
        *[(path, {"role": "admin"}) for path in WITH_CLAIM],
    ],
)
def test_a_good_token_is_told_who_it_speaks_for(get, issuer, path, more):
    """The answer is made of the token's claims: one sees that they have arrived in the view."""
    response = get(path, headers=issuer.headers("write read", role="admin", exp=4102444800))
    assert response.status_code == 200
    assert response.json() == {
        "subject": "user-1",
        "client_id": "client-1",
        "issuer": issuer.issuer,
        "expires_at": "2100-01-01T00:00:00Z",
        **more,
    }


@pytest.mark.parametrize(
    ("path", "challenge"), [*[(path, NO_SCOPE) for path in WITH_SCOPE], *[(path, NO_CLAIM) for path in WITH_CLAIM]]
)
def test_a_token_without_the_scope_or_the_claim_is_not_enough(get, issuer, path, challenge):
    """Each of these views requires one thing more than a valid token."""
    response = get(path, headers=issuer.headers("write", role="guest"))
    assert (response.status_code, response["WWW-Authenticate"]) == (403, challenge)


@pytest.mark.parametrize("path", ["/api/token", "/api/scope"])
def test_a_browser_gets_json_as_well(get, issuer, path):
    """The example has no templates, so what a browser prefers must not lead to one."""
    response = get(path, headers={**issuer.headers("read"), "Accept": "text/html,*/*;q=0.8"})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


def test_the_system_checks_find_nothing():
    """An example that is copied must not begin with a warning."""
    call_command("check", fail_level="WARNING")


async def _asgi_status(path):
    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")], "query_string": b""}
    communicator = PatientClient(asgi_application, scope)
    await communicator.send_input({"type": "http.request"})
    start = await communicator.receive_output()
    await communicator.receive_output()
    await communicator.wait()
    return start["status"]


@pytest.mark.parametrize(("path", "status"), [("/open", 200), ("/secured/async", 401)])
def test_the_asgi_application_is_the_project(issuer, path, status):
    """Uvicorn and the like are given `testproject.asgi:application`."""
    assert async_to_sync(_asgi_status)(path) == status
