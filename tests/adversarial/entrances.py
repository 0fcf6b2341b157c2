"""Every way into the project: over HTTP, sync and async, and straight to the functions."""

from django.test import AsyncClient, Client
from rest_framework.test import APIClient

from django_oauth_jwt.errors import BearerError, InvalidToken
from django_oauth_jwt.verification import averify_token, verify_token

from .corpus import authorization

REALM = "the API"
#: The memory of verified tokens on and off, and both statuses that a project may choose for invalid tokens.
WORLDS = {
    "remembering": {"TOKEN_CACHE_SIZE": 1024, "INVALID_TOKEN_STATUS": 403},
    "forgetful": {"TOKEN_CACHE_SIZE": 0, "INVALID_TOKEN_STATUS": 401},
}

_VIEWS = ("/middleware", "/decorator")
_API_VIEWS = ("/drf-open", "/drf-closed")
_ASYNC_VIEWS = ("/middleware-async", "/decorator-async")
_HEADER_CASES = frozenset(case.name for case in authorization.CASES)


def as_received(authorization):
    """Return the header's text as a server hands it on: UTF-8 on the wire, read as Latin-1 (PEP 3333)."""
    return authorization.encode("utf-8", "surrogateescape").decode("latin-1")


class Entrances:
    """All of them; ``run`` runs a coroutine."""

    def __init__(self, run):
        self._run = run
        # Kept, since each loads the middleware once; what the settings say is looked up at each request.
        self._clients = {Client(): _VIEWS, APIClient(): _API_VIEWS}
        self._async_client = AsyncClient()
        self.verifiers = {"verify_token": verify_token, "averify_token": lambda token: run(averify_token(token))}

    def answers(self, authorization):
        """Send the header to every entrance; yield each one's path and answer."""
        headers = {"Authorization": as_received(authorization)}
        for client, paths in self._clients.items():
            yield from ((path, client.get(path, headers=headers)) for path in paths)
        yield from self._run(self._async_answers(headers))

    def refusals(self, case, authorization):
        """Hand the token to the functions; yield each one's name and refusal, None where there was none."""
        if case.name in _HEADER_CASES:  # the attack is on what stands around the token
            return
        encoded_token = authorization.removeprefix("Bearer ")
        for name, verify in self.verifiers.items():
            try:
                verify(encoded_token)
            except BearerError as error:
                yield name, error
            else:
                yield name, None

    def accepts(self, encoded_token):
        """Tell whether both functions accept a token; raise whatever is not a refusal of the contract."""
        outcomes = []
        for verify in self.verifiers.values():
            try:
                verify(encoded_token)
            except InvalidToken as error:
                outcomes.append(error.reason)
            else:
                outcomes.append(None)
        assert outcomes[0] == outcomes[1]
        return outcomes[0] is None

    async def _async_answers(self, headers):
        return [(path, await self._async_client.get(path, headers=headers)) for path in _ASYNC_VIEWS]
