"""The probe of readiness: whether this process could check a token now.

>>> path("ready", readiness)
"""

import logging
from contextlib import suppress
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from .conf import Runtime, get_runtime, require_key_source, without_password
from .decorators import token_not_required
from .errors import BearerError
from .jwks import NO_KEYS, KeyService, KeyServices, KeyStatus, services_in_use, status_of, warm_up

__all__ = ["readiness"]

logger = logging.getLogger("django_oauth_jwt")

#: In seconds. Kubernetes gives a probe one second, unless it is told otherwise.
_PATIENCE_SECONDS: Final = 0.5
_METHODS: Final = ("GET", "HEAD")


@token_not_required
@login_not_required
@non_atomic_requests  # a database that is down is another probe's affair
@csrf_exempt  # so that a wrong method is told so
def readiness(request: HttpRequest) -> HttpResponse:
    """Answer 200 where there are keys of a trusted issuer, else 503 with Retry-After, within half a second.

    The keys of the issuers in the settings are fetched where there are none, so a probe warms a process; what has just
    failed is left alone. Where ISSUER_RESOLVER alone says who is trusted there is nothing to fetch, and it is 200.

    The body is JSON: ``state`` is "ready", "no_keys" or "misconfigured" (the log says why); ``issuers`` has
    ``issuer``, ``state``, ``age`` (seconds, or null) and number of ``keys`` of each issuer in the settings (see
    `jwks.KeyStatus`). ``resolved`` is there with ISSUER_RESOLVER: how many of its issuers this process has asked for
    keys (``issuers``), and of how many it has some (``with_keys``). The view needs no token and no log-in.
    """
    response = _answer() if request.method in _METHODS else HttpResponseNotAllowed(_METHODS)
    response.headers["Cache-Control"] = "no-store"
    return response


def _answer() -> HttpResponse:
    try:
        body = _body(get_runtime())
    except ImproperlyConfigured as error:
        logger.error("Not ready: %s", error)  # noqa: TRY400  # ours, so no frames
        body = {"state": "misconfigured", "issuers": []}
    if body["state"] == "ready":
        return JsonResponse(body)
    return JsonResponse(body, status=503, headers={"Retry-After": "1"})


def _body(runtime: Runtime) -> dict[str, Any]:
    settings = runtime.settings
    require_key_source(settings)
    services: dict[str | None, KeyService] = {}
    for issuer, trusted in settings.issuers.items():
        with suppress(BearerError):  # a factory's own word for requests, and no failure
            services[issuer] = runtime.part(KeyServices).service_of(trusted)
    warm_up(list(services.values()), _PATIENCE_SECONDS)
    statuses = {each: status_of(services[each]) if each in services else NO_KEYS for each in settings.issuers}
    resolved = [
        status_of(service)
        for trusted, service in services_in_use(runtime)
        if settings.issuers.get(trusted.issuer) is not trusted
    ]
    has_keys = any(status.keys for status in (*statuses.values(), *resolved))
    # One tenant's authorization server that is down must not take the process away from the others.
    body: dict[str, Any] = {
        "state": "ready" if has_keys or not statuses else "no_keys",
        "issuers": [_entry(issuer, status) for issuer, status in statuses.items()],
    }
    if settings.issuer_resolver is None:
        return body
    return {**body, "resolved": {"issuers": len(resolved), "with_keys": sum(bool(each.keys) for each in resolved)}}


def _entry(issuer: str | None, status: KeyStatus) -> dict[str, Any]:
    age = None if status.age is None else int(status.age)
    # An identifier is a name that each token shows, but some are URLs that were meant to be asked.
    name = None if issuer is None else without_password(issuer).partition("?")[0]
    return {"issuer": name, "state": status.state, "age": age, "keys": status.keys}
