"""The DRF authentication class, and the one place where the responses of a DRF view are decorated."""

from collections.abc import Callable, Iterable
from copy import copy
from functools import partial, reduce
from itertools import chain
from typing import Any, Final

from asgiref.sync import iscoroutinefunction
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, NotAuthenticated, PermissionDenied
from rest_framework.permissions import AND, NOT, OR, AllowAny
from rest_framework.request import Request

from .conf import get_settings
from .errors import BearerError, InsufficientScope, KeysUnavailable, MissingToken
from .http import (
    ABOUT_SCOPES,
    NONCE_HEADER,
    accepted_token,
    authenticate,
    passes_foreign_token,
    refusal_headers,
    reject,
    scopes_of_decorators,
    set_token,
    state_of,
    status_of,
)
from .tokens import AccessToken, Alternative, all_of, best_of, is_uncertain, scopes_to_ask_for, short_of_scopes
from .users import TokenUser

__all__ = ["BearerJwtAuthentication"]

#: What DRF makes of ``&``, ``|`` and ``~``.
_COMPOSITIONS: Final = (AND, OR, NOT)

_Run = tuple[bool, BearerError | None, int]  #: whether permissions grant, else why not, and how many results it took


class BearerRefusal(APIException):
    """A refusal as DRF's exception handlers take it: status, detail, code, and the challenge.

    No child of AuthenticationFailed, whose status and challenge a view takes from its first authenticator.
    """

    def __init__(
        self, error: BearerError, detail: Any = None, *, is_reported: bool = False, has_all_scopes: bool = False
    ) -> None:
        super().__init__(detail or error.description, error.error or error.reason)
        self.status_code = status_of(error)
        self.set_headers(refusal_headers(error, get_settings()))
        self.wait = error.retry_after if isinstance(error, KeysUnavailable) else None
        self.bearer_error = error
        self.is_reported = is_reported
        self.has_all_scopes = has_all_scopes  # of the permissions, so that no others are to be named

    def set_headers(self, headers: dict[str, str]) -> None:
        """Set the headers of the answer, also where DRF's own handlers look for the challenge."""
        self.headers = headers
        self.auth_header = headers.get("WWW-Authenticate")


class BearerJwtAuthentication(BaseAuthentication):
    """Authenticate by a JWT bearer token: ``request.auth`` is the `AccessToken`.

    A request without a bearer token, or with a foreign one (PASS_FOREIGN_TOKENS), passes to the next authenticator;
    one with a bad token is refused, whatever the permissions.
    """

    def authenticate(self, request: Request) -> tuple[Any, AccessToken] | None:
        """Return the token's user and the token, None for a request that brings no bearer token."""
        hooks = hooks_of((request.parser_context or {}).get("view"), challenges=True)
        state = state_of(request._request)
        if passes_foreign_token(request._request, state) and [*(request.authenticators or ())][-1:] != [self]:
            if state.good_token is None:  # else `secure` has set that of a key service of its own
                set_token(request._request, None)
            return None  # it is not the last one to be asked
        try:
            accepted = authenticate(request._request, state)
        except BearerError as error:
            if isinstance(error, MissingToken) and error.reason in ("no_authorization", "other_scheme"):
                return None
            raise BearerRefusal(error, is_reported=True) from error
        if state.dpop_nonce and hooks is not None:
            hooks.add_header(NONCE_HEADER, state.dpop_nonce)
        token = accepted.verified()
        if accepted.user is None:
            accepted.user = TokenUser(token)
        return accepted.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a request that brings no token."""
        django_request = getattr(request, "_request", None)
        return refusal_headers(MissingToken(), get_settings(), request=django_request)["WWW-Authenticate"]


def hooks_of(view: Any, *, challenges: bool) -> "_ViewHooks | None":
    """Return the hooks of a view, put in place at the first call; None where no view is about to answer a request."""
    hooks: _ViewHooks | None = getattr(view, "_oauth_jwt", None)
    if hooks is None:
        if not hasattr(view, "headers"):
            return None
        view._oauth_jwt = hooks = _ViewHooks(view)
    hooks.challenges |= challenges
    return hooks


class _ViewHooks:
    """Replaces four methods of one view, since DRF gives authenticators and permissions no way to set the challenge.

    A view asks its first authenticator alone for a challenge, its denials have none, and its exception handler
    decides whether headers are sent. What is raised is not yet an answer, as views and renderers also try out
    what would be allowed; what is handled is. ``results`` is what our permissions said, in order: an error or None.
    """

    def __init__(self, view: Any) -> None:
        self._view = view
        self._get_authenticate_header = view.get_authenticate_header
        self._get_permissions = view.get_permissions
        self._permission_denied = view.permission_denied
        self._handle_exception = view.handle_exception
        self._asked: list[_ExplainedPermission] | None = None
        self._is_explained = False
        self.results: list[BearerError | None] = []
        self._own: list[BearerError | None] = []
        self.challenges = False  # whether a request that is not authenticated is asked for a token
        view.get_authenticate_header = self.get_authenticate_header
        view.get_permissions = self.get_permissions
        view.permission_denied = self.permission_denied
        view.handle_exception = self.handle_exception
        vary = view.headers.get("Vary")
        view.headers["Vary"] = f"{vary}, Authorization" if vary else "Authorization"

    def add_header(self, name: str, value: str) -> None:
        """Set a header of whatever answer the view gives."""
        self._view.headers[name] = value

    def note(self, refusal: BearerError | None, *, is_own: bool) -> None:
        """Note what one of our permissions said; ``is_own`` is whether it may have reasons that we do not know."""
        self.results.append(refusal)
        if is_own:
            self._own.append(refusal)

    def get_authenticate_header(self, request: Request) -> str | None:
        """Challenge for a token, and for what the first authenticator asks for."""
        first: str | None = self._get_authenticate_header(request)
        if not self.challenges:
            return first
        return _joined(self._headers(MissingToken())["WWW-Authenticate"], first)

    def get_permissions(self) -> list[Any]:
        """Return the view's permissions, which now remember why they deny."""
        self._asked = [_ExplainedPermission(one, self.results) for one in self._get_permissions()]
        self._is_explained = False
        return list(self._asked)

    def permission_denied(self, request: Request, message: Any = None, code: Any = None) -> None:
        """Deny as the view does; a plain denial gets the challenge of ours that is the reason, if one is."""
        error = self._take_reason()
        try:
            self._permission_denied(request, message=message, code=code)
        except (NotAuthenticated, PermissionDenied) as denial:
            if error is None:
                raise
            token, hierarchy = token_seen(request), get_settings().scope_implies
            short = [] if token is None else short_of_scopes(self._alternatives(token), token, hierarchy)
            if self._asked is None and error in self._own:  # more scopes may not help against it
                short = [one for one in short if one[0].needs_more is False]
            if self._asked is None and is_uncertain(short):  # no challenge is better than a wrong one
                raise
            error = best_of(short) or error
            raise BearerRefusal(error, message, has_all_scopes=bool(short)) from denial

    def handle_exception(self, exc: Exception) -> Any:
        """Set the headers of a refusal and report it once, then do what the view does."""
        if isinstance(exc, BearerError):
            exc = BearerRefusal(exc)
        if isinstance(exc, BearerRefusal):
            exc.set_headers(self._headers(exc.bearer_error, has_all_scopes=exc.has_all_scopes))
            self._view.headers.update(exc.headers)
            if not exc.is_reported:
                exc.is_reported = True
                reject(self._view.request._request, exc.bearer_error)
        elif isinstance(exc, NotAuthenticated) and self.challenges:
            headers = self._headers(MissingToken())
            first = self._get_authenticate_header(self._view.request)
            headers["WWW-Authenticate"] = _joined(headers["WWW-Authenticate"], first)
            self._view.headers.update(headers)
        return self._handle_exception(exc)

    def _take_reason(self) -> BearerError | None:
        """Return the error of ours that a denial is due to, None where it is not certain; a second time None."""
        if self._is_explained:
            return None
        self._is_explained = True
        if self._asked is not None:
            return next((permission._reason for permission in self._asked if permission._reason), None)
        # Without our authenticator the view had no hooks when this check began. A permission of others may have
        # said either, as it is not asked again: the error is certain if nothing else explains what ours said.
        runs = _runs(reduce(AND, [AllowAny(), *self._get_permissions()]), self.results)
        reasons = {reason for allowed, reason, used in runs if not allowed and used == len(self.results)}
        return reasons.pop() if len(reasons) == 1 else None

    def _headers(self, error: BearerError, *, has_all_scopes: bool = False) -> dict[str, str]:
        """Return the headers of a refusal; its challenge names all scopes of the operation."""
        request = self._view.request._request
        state = state_of(request)
        scopes: tuple[str, ...] = ()
        if isinstance(error, ABOUT_SCOPES):
            of_permissions = () if has_all_scopes else scopes_to_ask_for(self._alternatives(state.good_token))
            scopes = (*scopes_of_decorators(request, state), *of_permissions)
        return refusal_headers(error, state.runtime.settings, request=request, scopes=scopes)

    def _alternatives(self, token: AccessToken | None) -> list[Alternative]:
        def permissions() -> tuple[Any, Iterable[Any]]:
            return self._view, self._get_permissions() if self._asked is None else self._asked

        return alternatives_of_view(permissions, str(self._view.request.method), token)


def _joined(bearer: str, first: str | None) -> str:
    """Return our challenge, and beside it that of the view's first authenticator where it is another scheme's."""
    return bearer if not first or first.startswith(("Bearer", "DPoP")) else f"{bearer}, {first}"


class _ExplainedPermission:
    """A permission that remembers why it denied: ours say it themselves, a composition takes it from its operands.

    DRF asks it and decides as ever. Methods that are coroutines are passed through, as views recognize them by that.
    """

    def __init__(self, permission: Any, results: list[BearerError | None]) -> None:
        self._operands = [_ExplainedPermission(operand, results) for operand in operands(permission)]
        if self._operands:
            permission = copy(permission)
            vars(permission).update(zip(("op1", "op2"), self._operands, strict=False))
        self._permission, self._results = permission, results
        self._reason: BearerError | None = None
        self.has_denied: bool | None = None

    __class__ = property(lambda self: type(self._permission))  # for isinstance

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._permission, name)
        is_question = name in ("has_permission", "has_object_permission") and not iscoroutinefunction(value)
        return partial(self._ask, value) if is_question else value

    def _ask(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._results.clear()
        try:
            allowed = method(*args, **kwargs)
        except BearerError as error:  # a renderer that tries out permissions catches DRF's own alone
            raise BearerRefusal(error) from error
        is_ours = hasattr(self._permission, "refusal")  # a TokenPermission, which stands above this module
        reasons = self._results[-1:] if is_ours else [operand._reason for operand in self._operands]
        self._reason = None if allowed else next(filter(None, reasons), None)
        self.has_denied = not allowed
        return allowed


def token_seen(request: Request) -> AccessToken | None:
    """Return the token that was accepted for a request, by whichever of our entry points; None where none was."""
    auth = request.auth
    return auth if isinstance(auth, AccessToken) else accepted_token(request._request)


def operands(permission: Any) -> list[Any]:
    """Return what DRF's AND, OR or NOT is made of, in order; [] for any other permission."""
    if not isinstance(permission, _COMPOSITIONS):
        return []
    return [getattr(permission, name) for name in ("op1", "op2") if hasattr(permission, name)]


def alternatives_of_view(
    view_and_permissions: Callable[[], tuple[Any, Iterable[Any]]], method: str, token: AccessToken | None
) -> list[Alternative]:
    """Return the alternatives of a view for an HTTP method, for the challenge; [] where they cannot be told."""
    try:
        view, permissions = view_and_permissions()
        return all_of(alternatives_of(permission, method, view, token) for permission in permissions)
    except Exception:  # noqa: BLE001  # a project's own may want more than a refused request has; the refusal stands
        return []


def alternatives_of(permission: Any, method: str, view: Any, token: AccessToken | None) -> list[Alternative]:
    """Return the ways in which a permission lets a request in, in order; what is not ours counts as without scopes."""
    if isinstance(permission, AND | OR):
        each = [alternatives_of(operand, method, view, token) for operand in operands(permission)]
        return all_of(each) if isinstance(permission, AND) else [*chain.from_iterable(each)]
    is_ours = hasattr(permission, "oauth_jwt_alternatives")
    found: list[Alternative] | None = permission.oauth_jwt_alternatives(method, view, token) if is_ours else None
    is_explained = type(permission) is _ExplainedPermission
    denied = permission.has_denied if is_explained else None
    if found is None:
        return [Alternative(needs_more=denied)]
    if denied and isinstance(permission._reason, InsufficientScope):
        denied = None
    return [Alternative(one.scopes, denied if one.needs_more is None else one.needs_more) for one in found]


def _runs(permission: Any, results: list[BearerError | None], used: int = 0) -> set[_Run]:
    """Return every way in which a permission may have answered, where ``used`` results came before."""
    if hasattr(permission, "refusal"):  # as above
        return {(reason is None, reason, used + 1) for reason in results[used : used + 1]}
    if not operands(permission):
        return {(True, None, used), (False, None, used)}
    runs: set[_Run] = set()
    for allowed, reason, end in _runs(permission.op1, results, used):
        if isinstance(permission, NOT):
            runs.add((not allowed, None, end))
        elif allowed == isinstance(permission, OR):  # the second operand is not asked
            runs.add((allowed, reason, end))
        else:
            second = _runs(permission.op2, results, end)
            runs |= {(granted, None if granted else reason or other, last) for granted, other, last in second}
    return runs
