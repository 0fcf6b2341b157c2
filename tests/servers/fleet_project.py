"""A Django project for gunicorn and uvicorn, whose settings come from the environment variable FLEET_SETTINGS."""

import json
import os
import sys
import time
from pathlib import Path

import django
import redis  # noqa: F401  # the first request to the cache has a second, and else it takes that for the import
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.utils.decorators import sync_and_async_middleware

_own = json.loads(os.environ["FLEET_SETTINGS"])
_cache_uri, _warm_up = _own.pop("cache_uri", None), _own.pop("warm_up", False)
_database, _clock = _own.pop("database", None), _own.pop("clock", None)

if _clock:
    # A test moves the clock of all workers: the file says by how many seconds.
    _real_time = time.time
    time.time = lambda: _real_time() + float(Path(_clock).read_text() or 0)


@sync_and_async_middleware
def say_who_answers(get_response):
    """Put the worker's process id into each answer, refusals included."""

    def mark(response):
        response["X-Pid"] = os.getpid()
        return response

    if not iscoroutinefunction(get_response):
        return lambda request: mark(get_response(request))

    async def middleware(request):
        return mark(await get_response(request))

    return middleware


settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    SECRET_KEY="signs nothing",
    ROOT_URLCONF="tests.servers.fleet_urls",
    MIDDLEWARE=[f"{__name__}.say_who_answers", "django_oauth_jwt.middleware.JwtBearerMiddleware"],
    CACHES={
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _cache_uri}
        if _cache_uri
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    },
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": _database}} if _database else {},
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"own": {"format": "%(process)d %(levelname)s %(message)s"}},
        "handlers": {"own": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "own"}},
        "loggers": {
            "django_oauth_jwt": {"handlers": ["own"], "level": "WARNING"},
            "django": {"handlers": ["own"], "level": "ERROR", "propagate": False},
        },
    },
    OAUTH_JWT=_own,
)
django.setup()
wsgi, asgi = WSGIHandler(), ASGIHandler()

if _warm_up:
    from django_oauth_jwt.jwks import get_jwks_service

    # What a project that preloads might do: fetch the keys before the fork, and have a refresh under way at it.
    get_jwks_service().key_set_for(None, "ES256")
    time.sleep(_own["JWKS_FRESH_SECONDS"])
    get_jwks_service().current()
