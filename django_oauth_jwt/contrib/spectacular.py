"""drf-spectacular: the security scheme, and the scopes of each operation, with nothing to configure.

The scheme is ``bearerJwt``, an HTTP bearer token. Permissions that compose become alternatives (``|``) and
sums (``&``) of scopes; a broader scope that stands for another one (SCOPE_IMPLIES) is an alternative as well.
Where DPoP is offered, the HTTP scheme ``dpop`` (RFC 9449) is an alternative with the same scopes, and it stands
alone where nothing else is accepted. What OpenAPI has no words for is left out: claims, the authentication context,
``~``, client certificates, and permissions of others, which count as asking for no scope.

OpenAPI 3.1 lets an operation list the scopes of a bearer token. In 3.0 such a list must be empty, so there
another scheme, ``oauth2``, carries them; it stands beside ``bearerJwt`` or ``dpop`` in one requirement and means
the same token. It is the OpenID Connect scheme of the issuer, or, where there is not exactly one issuer, an
OAuth 2.0 scheme that names no flow.
"""

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ImproperlyConfigured
from drf_spectacular.drainage import warn
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.settings import spectacular_settings
from rest_framework.permissions import AND, OR, AllowAny

from ..authentication import alternatives_of, operands
from ..conf import get_settings
from ..tokens import Alternative, all_of
from ..upstream import metadata_uris
from .openapi import BEARER, definition_of, token_schemes, with_implied

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema

SCOPES: Final = "oauth2"


class BearerJwtScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """Describes `BearerJwtAuthentication` and its subclasses."""

    target_class = "django_oauth_jwt.authentication.BearerJwtAuthentication"
    match_subclasses = True
    name = BEARER

    def get_security_requirement(self, auto_schema: "AutoSchema") -> list[dict[str, list[Any]]]:
        """Return the alternatives of an operation; an empty one where no token is needed."""
        view: Any = auto_schema.view
        permissions = view.get_permissions()
        ways_in = all_of(_alternatives(permission, auto_schema.method, view) for permission in permissions)
        schemes = token_schemes()
        alternatives = with_implied(one.scopes for one in ways_in)
        names = [*schemes, SCOPES] if any(alternatives) and not _lists_scopes() else schemes
        # A subclass of the authentication class is the same scheme, and drf-spectacular would warn of a second one.
        self.name = [name for name in names if not _is_registered(name, auto_schema)]  # type: ignore[assignment]
        requirements = [_requirement(scheme, scopes) for scopes in alternatives or [()] for scheme in schemes]
        # drf-spectacular itself adds the empty one where AllowAny is in the list.
        is_open = all(map(_is_open, permissions)) and not any(type(entry) is AllowAny for entry in permissions)
        return [*requirements, {}] if is_open else requirements

    def get_security_definition(self, auto_schema: "AutoSchema") -> Any:
        """Return the scheme of each name that the schema lacks so far."""
        return [_definition(name) for name in self.name]


def _definition(name: str) -> dict[str, Any]:
    return _scopes_scheme() if name == SCOPES else definition_of(name)


def _is_registered(name: str, auto_schema: "AutoSchema") -> bool:
    try:
        component = auto_schema.registry[name, ResolvedComponent.SECURITY_SCHEMA]
    except KeyError:
        return False
    return bool(component.schema == _definition(name))


def _requirement(scheme: str, scopes: tuple[str, ...]) -> dict[str, list[Any]]:
    if _lists_scopes() or not scopes:
        return {scheme: list(scopes)}
    return {scheme: [], SCOPES: list(scopes)}


def _lists_scopes() -> bool:
    """Tell whether an HTTP scheme may list scopes."""
    return not str(spectacular_settings.OAS_VERSION).startswith("3.0")


def _scopes_scheme() -> dict[str, Any]:
    issuers = get_settings().named_issuers
    if len(issuers) != 1:
        return {"type": "oauth2", "flows": {}}
    openid_configuration = metadata_uris(issuers[0])[-1]
    return {"type": "openIdConnect", "openIdConnectUrl": openid_configuration}


def _alternatives(permission: Any, method: str, view: Any) -> list[Alternative]:
    try:
        return alternatives_of(permission, method, view, None)
    except ImproperlyConfigured as error:
        warn(str(error))
        return [Alternative()]


def _is_open(permission: Any) -> bool:
    if isinstance(permission, AND):
        return all(map(_is_open, operands(permission)))
    if isinstance(permission, OR):
        return any(map(_is_open, operands(permission)))
    return type(permission) is AllowAny
