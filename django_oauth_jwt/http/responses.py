"""The refusals of the middleware and the decorator, and the headers that all entry points share."""

from collections.abc import Iterable
from typing import Final, TypeVar

from django.db import connections
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from ..conf import Settings, get_settings
from ..errors import BearerError, KeysUnavailable, NonceRequired
from .challenge import challenge
from .operation import realm_of_operation
from .resource_metadata import metadata_uri_for
from .schemes import offered_schemes
from .state import RequestState, known_state

#: RFC 9449 section 8.2.
NONCE_HEADER: Final = "DPoP-Nonce"

Response = TypeVar("Response", bound=HttpResponseBase)


def refuse(error: BearerError, realm: str | None = None) -> JsonResponse:
    """Return the JSON response of a refusal; ``realm`` None is the setting REALM.

    It does not know the request. So its challenge names no scopes but an `InsufficientScope`'s own, none of several
    resources (RESOURCE_METADATA), and DPoP only where the settings or the error ask for it; it renews no DPoP nonce,
    and neither log nor signals are told. Where that matters a view raises the error instead. Raises TypeError for what
    is no BearerError.
    """
    if not isinstance(error, BearerError):
        what = f"the class {error.__name__}" if isinstance(error, type) else f"a {type(error).__name__}"
        raise TypeError(f"refuse() takes a BearerError, such as the one that a view caught, not {what}")
    return refusal_of(error, get_settings(), realm)


def refusal_of(
    error: BearerError,
    settings: Settings,
    realm: str | None,
    *,
    request: HttpRequest | None = None,
    scopes: Iterable[str] = (),
) -> JsonResponse:
    """Do as `refuse` does for a request under its settings, where ``scopes`` are known to be required."""
    body = {"error": error.error, "error_description": error.description}
    headers = refusal_headers(error, settings, realm, request=request, scopes=scopes)
    return mark_secured(JsonResponse(body, status=settings.status_of(error), headers=headers))


def status_of(error: BearerError) -> int:
    """Return the HTTP status of a refusal; that of a token which fails validation is a setting."""
    return get_settings().status_of(error)


def undo_changes() -> None:
    """Roll back what a view has written that ended in a refusal, where each request is one transaction.

    Django does so for what a view raises (ATOMIC_REQUESTS), and does not see what has become an answer.
    """
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)


def mark_secured(response: Response, state: RequestState | None = None) -> Response:
    """Let caches tell the responses to different tokens apart (RFC 9110 section 12.5.5), and pass on a nonce."""
    if state is not None and state.dpop_nonce:
        response.headers[NONCE_HEADER] = state.dpop_nonce
    if "Vary" in response.headers:
        patch_vary_headers(response, ["Authorization"])
    else:  # what patch_vary_headers would do, in half the time
        response.headers["Vary"] = "Authorization"
    return response


def refusal_headers(
    error: BearerError,
    settings: Settings,
    realm: str | None = None,
    *,
    request: HttpRequest | None = None,
    scopes: Iterable[str] = (),
) -> dict[str, str]:
    """Return the headers of a refusal: its challenge or Retry-After, and that no cache may keep it.

    ``realm`` None is that of the view that the request is for, else the setting's.
    """
    headers = {"Cache-Control": "no-store"}
    nonce = _nonce_of(error, request)
    if nonce:
        headers[NONCE_HEADER] = nonce
    if realm is None and request is not None:
        realm = realm_of_operation(request)
    challenge_line = challenge(
        error,
        offered_schemes(error, settings, request),
        realm=settings.realm if realm is None else realm,
        scopes=scopes,
        resource_metadata=metadata_uri_for(request, settings.resource_metadata),
    )
    if challenge_line is not None:
        headers["WWW-Authenticate"] = challenge_line
    if isinstance(error, KeysUnavailable):
        headers["Retry-After"] = str(error.retry_after)
    return headers


def _nonce_of(error: BearerError, request: HttpRequest | None) -> str:
    if isinstance(error, NonceRequired):
        return error.nonce
    state = None if request is None else known_state(request)
    return "" if state is None else state.dpop_nonce
