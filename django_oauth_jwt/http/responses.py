"""The refusals of the middleware and the decorator, and the headers that all entrances share."""

from typing import TypeVar

from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from ..conf import get_settings
from ..errors import BearerError, InvalidToken, KeysUnavailable
from .challenge import challenge

Response = TypeVar("Response", bound=HttpResponseBase)


def refuse(error: BearerError, realm: str | None = None) -> JsonResponse:
    """Return the JSON response of a refusal; ``realm`` None is the setting REALM."""
    body = {"error": error.error, "error_description": error.description}
    return mark_secured(JsonResponse(body, status=status_of(error), headers=refusal_headers(error, realm)))


def status_of(error: BearerError) -> int:
    """Return the HTTP status of a refusal; that of a token which fails validation is a setting."""
    return get_settings().invalid_token_status if isinstance(error, InvalidToken) else error.status


def refusal_headers(error: BearerError, realm: str | None = None) -> dict[str, str]:
    """Return the headers of a refusal: its challenge or Retry-After, and that no cache may keep it."""
    headers = {"Cache-Control": "no-store"}
    settings = get_settings()
    challenge_line = challenge(
        error,
        realm=settings.realm if realm is None else realm,
        resource_metadata=settings.resource_metadata_uri,
    )
    if challenge_line is not None:
        headers["WWW-Authenticate"] = challenge_line
    if isinstance(error, KeysUnavailable):
        headers["Retry-After"] = str(error.retry_after)
    return headers


def mark_secured(response: Response) -> Response:
    """Let caches tell the answers to different tokens apart (RFC 9110 section 12.5.5)."""
    if "Vary" in response.headers:
        patch_vary_headers(response, ["Authorization"])
    else:  # what patch_vary_headers would do, in half the time
        response.headers["Vary"] = "Authorization"
    return response
