"""What is unwise in the project around us: its middleware, and Django REST framework's authenticators."""

from collections.abc import Iterable
from typing import Final

from django.conf import settings as django_settings

from .risks import Risk, names_of
from .validated import Settings

MIDDLEWARE: Final = "django_oauth_jwt.middleware.JwtBearerMiddleware"
AUTHENTICATION: Final = "django_oauth_jwt.authentication.BearerJwtAuthentication"


def middleware_risks(settings: Settings) -> Iterable[Risk]:
    """Yield what is unwise in MIDDLEWARE and in REST_FRAMEWORK."""
    middleware = [names_of(entry) for entry in django_settings.MIDDLEWARE]
    yield from _middleware_order(settings, middleware)
    yield from _without_middleware(settings, middleware)
    yield from _foreign_tokens(settings)


def _middleware_order(settings: Settings, middleware: list[list[str]]) -> Iterable[Risk]:
    ours = next((index for index, names in enumerate(middleware) if MIDDLEWARE in names), None)
    if ours is None:
        return
    for names in middleware[:ours]:
        for other in [name for name in names if name in _MAY_ANSWER][:1]:
            number, what = _MAY_ANSWER[other]
            yield Risk(
                number,
                f"{other} stands above JwtBearerMiddleware, so it {what} before the token is checked.",
                "Move JwtBearerMiddleware above it.",
            )
    if any(CORS in names for names in middleware[ours:]):
        yield Risk(
            "W009",
            f"{CORS} stands below JwtBearerMiddleware, which refuses preflights, since they bring no token.",
            "Move CorsMiddleware above JwtBearerMiddleware.",
        )
    login = next((index for index, names in enumerate(middleware) if AUTHENTICATED in names), ours)
    others = [names[0] for names in middleware[login + 1 :] if not names[0].startswith("django.")]
    if settings.resolves_users and login > ours and others:
        yield Risk(
            "W005",
            f"{AUTHENTICATED} stands below JwtBearerMiddleware and gives {', '.join(others)} the session's user, "
            "anonymous as a rule, in the place of USER_RESOLVER's.",
            "Move SessionMiddleware and AuthenticationMiddleware above JwtBearerMiddleware.",
        )
    anonymous = ", ".join(_without_user(settings))
    if anonymous and any(LOGIN in names for names in middleware):
        yield Risk(
            "W005",
            f"{LOGIN} sends requests with a good token to the login page: tokens of {anonymous} bring no user.",
            "Set USER_RESOLVER, or leave LoginRequiredMiddleware out.",
        )


def _without_user(settings: Settings) -> Iterable[str]:
    """Yield whose tokens bring no user."""
    for issuer, trusted in settings.issuers.items():
        if trusted.user_resolver is None:
            yield "any issuer" if issuer is None else repr(issuer)
    if settings.issuer_resolver is not None and settings.unlisted_issuer.user_resolver is None:
        yield "issuers that ISSUER_RESOLVER knows"


def _without_middleware(settings: Settings, middleware: list[list[str]]) -> Iterable[Risk]:
    values = {
        "SCOPE": settings.requirements.scopes,
        "CLAIMS": settings.requirements.claims,
        "PROTECTED_PATHS": settings.protected_paths,
        "EXEMPT_PATHS": settings.exempt_paths,
    }
    keys = ", ".join(key for key, value in values.items() if value)
    if keys and not any(MIDDLEWARE in names for names in middleware):
        yield Risk(
            "W008",
            f"{keys}: only JwtBearerMiddleware asks for that, and MIDDLEWARE does not list it.",
            f"Add {MIDDLEWARE!r} to MIDDLEWARE; or leave it out, and require it with `secure` or HasScope.",
        )


def _foreign_tokens(settings: Settings) -> Iterable[Risk]:
    if not settings.pass_foreign_tokens:
        return
    listed = (getattr(django_settings, "REST_FRAMEWORK", None) or {}).get("DEFAULT_AUTHENTICATION_CLASSES") or ()
    ours = [index for index, entry in enumerate(listed) if AUTHENTICATION in names_of(entry)]
    # Where all that are listed are others, ours is in lists of views.
    if not listed or ours == [len(listed) - 1]:
        yield Risk(
            "W012",
            "PASS_FOREIGN_TOKENS is on, and Django REST framework's default classes have no authenticator below ours: "
            "without one such tokens are refused all the same.",
            "Add the other one to REST_FRAMEWORK['DEFAULT_AUTHENTICATION_CLASSES'], below BearerJwtAuthentication. "
            "Silence this where views or django-ninja have lists of their own.",
        )


CORS: Final = "corsheaders.middleware.CorsMiddleware"
AUTHENTICATED: Final = "django.contrib.auth.middleware.AuthenticationMiddleware"
LOGIN: Final = "django.contrib.auth.middleware.LoginRequiredMiddleware"
_CACHE: Final = "django.middleware.cache."
#: Middleware that may answer a request itself, before ours has checked the token: the warning's id, and what it does.
_MAY_ANSWER: Final = {
    "django.middleware.csrf.CsrfViewMiddleware": ("W005", "refuses unsafe requests"),
    LOGIN: ("W005", "sends requests to the login page"),
    f"{_CACHE}FetchFromCacheMiddleware": ("W006", "serves cached pages"),
    f"{_CACHE}CacheMiddleware": ("W006", "serves cached pages"),
}
