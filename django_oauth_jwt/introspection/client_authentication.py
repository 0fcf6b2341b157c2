"""How a resource server says who it is when it asks about a token (RFC 6749 section 2.3.1, RFC 7523 section 2.2)."""

import json
import logging
import uuid
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import quote_plus

from ..conf import WITH_KEY, WITH_SECRET, IntrospectionSettings
from ..jws import sign, sign_compact
from .answer import CredentialsRefused
from .endpoint import Endpoint

logger = logging.getLogger("django_oauth_jwt")

Form = dict[str, str]

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: For how long, in seconds, an assertion is good: it is used at once.
_ASSERTION_SECONDS: Final = 60
_BASIC, _POST = WITH_SECRET


def credentials(
    settings: IntrospectionSettings, endpoint: Endpoint, issuer: str | None, clock: Callable[[], float]
) -> tuple[Form, Form]:
    """Return what authenticates this side: fields of the form, and headers.

    Raises CredentialsRefused where a CLIENT_SECRET that is callable returns none.
    """
    client_id = settings.client_id
    if endpoint.auth == _BASIC:
        pair = f"{quote_plus(client_id)}:{quote_plus(_secret(settings))}"
        return {}, {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    if endpoint.auth == _POST:
        return {"client_id": client_id, "client_secret": _secret(settings)}, {}
    if endpoint.auth == WITH_KEY:
        assertion = _assertion(settings, client_id, issuer or endpoint.uri, int(clock()))
        return {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": assertion}, {}
    return {"client_id": client_id}, {}


def _assertion(settings: IntrospectionSettings, client_id: str, audience: str, now: int) -> str:
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + _ASSERTION_SECONDS,
    }
    header = {"alg": settings.alg, "typ": "JWT", **({"kid": settings.key_id} if settings.key_id else {})}
    return sign_compact(
        header, json.dumps(claims).encode(), partial(sign, private_key=settings.private_key, alg=settings.alg)
    )


def _secret(settings: IntrospectionSettings) -> str:
    assert settings.secret is not None  # noqa: S101  # the settings are checked
    try:
        secret = settings.secret()
    except Exception as error:  # the project's own, which may raise anything
        logger.exception("CLIENT_SECRET failed")  # no frame from here on holds the token
        raise CredentialsRefused(f"CLIENT_SECRET failed ({type(error).__name__})") from None
    if not isinstance(secret, str) or not secret:
        raise CredentialsRefused(f"CLIENT_SECRET returned no secret, but a {type(secret).__name__}")
    return secret
