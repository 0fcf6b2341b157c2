"""The peers in front of a view: simplejwt, and the PyJWT class that many projects write by hand."""

import jwt
from asgiref.sync import iscoroutinefunction
from django.http import HttpResponse
from django.test import override_settings
from django.utils.decorators import sync_and_async_middleware
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from .issuer import AUDIENCE
from .request_costs import DRF, DRF_ASYNC, PLAIN, PLAIN_ASYNC, Project, aview, drf_view, view

HANDWRITTEN = "hand-written PyJWT"
SIMPLEJWT = "simplejwt, JWK_URL"

_verify = None


def projects(issuer):
    """Return the peers' projects by kind of view."""
    trust(issuer.jwks_uri, issuer.url)
    middleware = [f"{__name__}.handwritten_middleware"]
    drf = [
        Project(SIMPLEJWT, drf_view(_simplejwt(issuer))),
        Project(HANDWRITTEN, drf_view(HandwrittenAuthentication)),
    ]
    return {
        PLAIN: [Project(f"{HANDWRITTEN} middleware", view, middleware)],
        PLAIN_ASYNC: [Project(f"{HANDWRITTEN} middleware", aview, middleware)],
        DRF: drf,
        DRF_ASYNC: drf,
    }


def trust(jwks_uri, issuer):
    """Have the hand-written ones trust an issuer."""
    global _verify
    # As in PyJWT's usage page; made once, so that its cache of the JWKS is warm.
    client = jwt.PyJWKClient(jwks_uri)

    def _verify(token):
        key = client.get_signing_key_from_jwt(token)
        return jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=issuer)


@sync_and_async_middleware
def handwritten_middleware(get_response):
    if iscoroutinefunction(get_response):

        async def middleware(request):
            return _refusal(request) or await get_response(request)

    else:

        def middleware(request):
            return _refusal(request) or get_response(request)

    return middleware


def _refusal(request):
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return HttpResponse(status=401)
    try:
        request.claims = _verify(token)
    except jwt.PyJWTError:
        return HttpResponse(status=401)
    return None


class HandwrittenUser:
    is_authenticated = True

    def __init__(self, claims):
        self.claims = claims


class HandwrittenAuthentication(BaseAuthentication):
    def authenticate(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            claims = _verify(token)
        except jwt.PyJWTError as error:
            raise AuthenticationFailed from error
        return HandwrittenUser(claims), claims

    def authenticate_header(self, request):
        return "Bearer"


def _simplejwt(issuer):
    """Return simplejwt's authenticator for tokens of somebody else's, the one that asks no database.

    It keeps the settings that it finds when it is imported.
    """
    simple_jwt = {
        "ALGORITHM": issuer.alg,
        "JWK_URL": issuer.jwks_uri,
        "ISSUER": issuer.url,
        "AUDIENCE": AUDIENCE,
        "USER_ID_CLAIM": "sub",
        "TOKEN_TYPE_CLAIM": None,
    }
    with override_settings(SIMPLE_JWT=simple_jwt):
        from rest_framework_simplejwt import state  # noqa: F401, PLC0415
        from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication  # noqa: PLC0415
    return JWTStatelessUserAuthentication
