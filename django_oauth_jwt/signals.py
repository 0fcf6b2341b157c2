"""Signals for metrics and audit logs. An error in a receiver is logged and does not change the response.

``token_accepted``      sender: the request's class, ``request``, ``access_token``
``token_rejected``      sender: the request's class, ``request``, ``error`` (BearerError; its ``detail`` names, for
                        instance, the claim that is missing), ``reason`` (``error.reason``)
``jwks_refreshed``      sender: JwksService, ``service``, ``key_set``, ``seconds`` that the fetch took
``jwks_refresh_failed`` sender: JwksService, ``service``, ``reason`` (str), ``uri`` (what was asked, without user name
                        and query), ``error_type``, ``seconds``, ``retry_at`` (Unix time in seconds)
``introspected``        sender: Introspector, ``issuer`` (str or None), ``active`` (bool), ``seconds`` that it took
``introspection_failed``sender: Introspector, ``issuer``, ``reason`` (str), ``error_type``, ``seconds``

``error_type`` is one of few words, for figures: the status of the response ("503"), "timeout", the name of the error
that HTTP_SESSION raised ("ConnectionError"), or "unusable".

The signals about keys and introspection are sent in the thread that asks, after the waiting requests were served. Those
about keys tell of this process's own fetches: keys from the shared cache were fetched, and told of, somewhere else.
"""

from typing import Final

from django.dispatch import Signal

#: The attribute of a receiver of the first two that does no I/O. Where it is true for all receivers, they are called on
#: the event loop itself under ASGI: to call them in a thread, as Django does, takes longer than to verify a token.
NEVER_WAITS: Final = "oauth_jwt_never_waits"

token_accepted = Signal()
token_rejected = Signal()
jwks_refreshed = Signal()
jwks_refresh_failed = Signal()
introspected = Signal()
introspection_failed = Signal()
