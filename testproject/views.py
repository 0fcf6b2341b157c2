"""Plain Django views, secured by the decorator."""

from django.http import HttpRequest, JsonResponse

from django_oauth_jwt.decorators import secure
from django_oauth_jwt.http import BearerRequest

from .speaker import speaker


def open_to_all(request: HttpRequest) -> JsonResponse:
    """Answer everybody."""
    return JsonResponse({"message": "No token needed here."})


@secure()
def any_token(request: BearerRequest) -> JsonResponse:
    """Answer whoever brings a valid token."""
    return JsonResponse(speaker(request.access_token))


@secure(scope="read")
def with_scope(request: BearerRequest) -> JsonResponse:
    """Answer those who were granted the scope ``read``."""
    return JsonResponse({**speaker(request.access_token), "scopes": sorted(request.access_token.scopes)})


@secure(claims=[{"name": "role", "value": "admin"}])
def with_claim(request: BearerRequest) -> JsonResponse:
    """Answer those whose token says that their role is ``admin``."""
    return JsonResponse({**speaker(request.access_token), "role": request.claims["role"]})


@secure()
async def any_token_async(request: BearerRequest) -> JsonResponse:
    """Do as `any_token` does, as a coroutine function."""
    return JsonResponse(speaker(request.access_token))
