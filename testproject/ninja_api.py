"""The same views as operations of django-ninja, secured by `BearerJwt`; the last one is a coroutine function."""

from typing import Any

from ninja import NinjaAPI

from django_oauth_jwt.contrib.ninja import BearerJwt
from django_oauth_jwt.http import BearerRequest

from .speaker import speaker

api = NinjaAPI(title="The example's API", auth=BearerJwt())


@api.get("/token")
def any_token(request: BearerRequest) -> dict[str, Any]:
    """Answer everybody with a valid token."""
    return speaker(request.access_token)


@api.get("/scope", auth=BearerJwt(scope="read"))
def with_scope(request: BearerRequest) -> dict[str, Any]:
    """Answer those who were granted the scope ``read``."""
    return {**speaker(request.access_token), "scopes": sorted(request.access_token.scopes)}


@api.get("/claim", auth=BearerJwt(claims=[{"name": "role", "value": "admin"}]))
async def with_claim(request: BearerRequest) -> dict[str, Any]:
    """Answer those whose token says that their role is ``admin``."""
    return {**speaker(request.access_token), "role": request.claims["role"]}
