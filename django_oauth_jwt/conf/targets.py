"""Settings that refer to something else: a cache, or an object by its dotted path. They work as `values` do."""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, Final

import requests
from django.conf import settings as django_settings
from django.utils.functional import LazyObject
from django.utils.module_loading import import_string

#: The methods of a key service: see `jwks.KeyService`.
KEY_SERVICE_METHODS: Final = ("current", "key_set_for", "akey_set_for")


def cache_alias(value: Any) -> str:
    """An alias in CACHES."""
    if not isinstance(value, str) or value not in django_settings.CACHES:
        raise ValueError(f"must be an alias in CACHES ({', '.join(django_settings.CACHES)})")
    return value


def imported(value: Any) -> Any:
    """The object that a dotted path names. A value that is no string is returned as it is."""
    if not isinstance(value, str):
        return value
    if not all(map(str.isidentifier, value.split("."))):
        raise ValueError("must be a dotted path, with dots only" if ":" in value else "must be a dotted path")
    try:
        return import_string(value)
    except Exception as error:  # the project's module may raise anything
        problem = f"{type(error).__name__}: {error}"
        raise ValueError(f"must be a dotted path that can be imported, which ended in {problem}") from error


def imported_callable(value: Any) -> Callable[..., Any]:
    """A callable, or the dotted path of one."""
    return _callable(imported(value), "must be a callable, or the dotted path of one")


def session(value: Any) -> requests.Session | Callable[..., Any]:
    """A `requests.Session`, a callable that returns one, or the dotted path of either."""
    target = imported(value)
    if isinstance(target, requests.Session):
        return target
    return _callable(
        target, "must be a requests.Session, a callable that returns a requests.Session, or the dotted path of either"
    )


def _callable(target: Any, problem: str) -> Callable[..., Any]:
    if not callable(target):
        raise ValueError(problem)
    # Its result is not awaited, and a coroutine is true: it would pass as a user, or each token as revoked.
    if iscoroutinefunction(target) or iscoroutinefunction(type(target).__call__):
        raise ValueError("must not be async (it may wait: under ASGI it runs in a thread)")
    return target  # type: ignore[no-any-return]  # callable() narrows Any to a Callable of Any


def key_service(value: Any) -> Any:
    """A key service, a callable or class that returns one, or the dotted path of either."""
    target = imported(value)
    makes_one = callable(target) and not isinstance(target, type) and not hasattr(target, "current")
    problem = f"must be an object with the methods {', '.join(KEY_SERVICE_METHODS)}, or make one"
    if makes_one:
        return _callable(target, problem)
    if not is_key_service(target):
        raise ValueError(problem)
    return target


def is_key_service(target: object) -> bool:
    """Tell whether an object has the methods of a key service."""
    return all(callable(getattr(target, method, None)) for method in KEY_SERVICE_METHODS)


def require_key_service(given: object) -> None:
    """Raise TypeError for what code gives as ``jwks_service`` and is none; a class may make one, and is none itself."""
    if issubclass(type(given), LazyObject):  # made when it is first used, which tells
        return
    try:
        is_class = isinstance(given, type)
        is_one = not is_class and is_key_service(given)
    except Exception:  # noqa: BLE001  # one of another kind of proxy may raise anything: use tells
        return
    if not is_one:
        kind = "class" if is_class else type(given).__name__
        methods = ", ".join(KEY_SERVICE_METHODS)
        raise TypeError(f"jwks_service must be an object with the methods {methods}, not a {kind}")
