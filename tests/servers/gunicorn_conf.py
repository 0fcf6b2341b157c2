"""gunicorn's settings: libraries are imported once, before the fork, so that a server of several workers starts sooner.

The project and the package are still loaded by each worker, as without ``--preload``.
"""

# ruff: noqa: F401  # imported for the workers
import django.core.cache.backends.redis
import django.core.handlers.asgi
import jose.jwk
import redis
import requests
