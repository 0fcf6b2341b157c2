"""The same views by Django REST Framework, secured by an authentication class and permission classes."""

from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.permissions import HasClaim, HasScope
from django_oauth_jwt.tokens import AccessToken

from .speaker import speaker


class ApiRequest(Request):
    """A request with an accepted token, for type checkers: what `BearerJwtAuthentication` adds to a request."""

    auth: AccessToken


class SecuredView(APIView):
    """A view that takes bearer tokens; its children say what the token must be good for."""

    authentication_classes = (BearerJwtAuthentication,)
    renderer_classes = (JSONRenderer,)


class AnyToken(SecuredView):
    """Answers whoever brings a valid token."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: ApiRequest) -> Response:
        """Tell whose token it is."""
        return Response(speaker(request.auth))


class WithScope(SecuredView):
    """Answers those who were granted the scope ``read``."""

    permission_classes = (HasScope("read"),)

    def get(self, request: ApiRequest) -> Response:
        """Tell whose token it is and what it is good for."""
        return Response({**speaker(request.auth), "scopes": sorted(request.auth.scopes)})


class WithClaim(SecuredView):
    """Answers those whose token says that their role is ``admin``."""

    permission_classes = (HasClaim("role", "admin"),)

    def get(self, request: ApiRequest) -> Response:
        """Tell whose token it is and in which role."""
        return Response({**speaker(request.auth), "role": request.auth.claims["role"]})
