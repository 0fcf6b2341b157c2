"""Signals, for metrics and audit. Receivers that raise are logged and change no answer.

``token_accepted``      sender: the request's class, ``request``, ``access_token``
``token_rejected``      sender: the request's class, ``request``, ``error`` (BearerError), ``reason`` (its reason)
``jwks_refreshed``      sender: JwksService, ``service``, ``key_set``
``jwks_refresh_failed`` sender: JwksService, ``service``, ``reason`` (str), ``retry_at`` (Unix time in seconds)

The JWKS signals are sent from the thread that fetches, once the requests that wait have the keys.
"""

from django.dispatch import Signal

token_accepted = Signal()
token_rejected = Signal()
jwks_refreshed = Signal()
jwks_refresh_failed = Signal()
