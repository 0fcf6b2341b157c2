"""Whether a bearer token is ours to judge, or another scheme's that is called Bearer, too (PASS_FOREIGN_TOKENS)."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Final

from django.http import HttpRequest

from ..conf import Runtime
from ..errors import BearerError, KeysUnavailable
from ..issuers import ResolvedIssuers
from ..proofs import BEARER
from ..upstream import Steps, run_blocking
from .credentials import credentials_of, is_of_ours
from .state import RequestState

#: How a JSON object begins. Random bytes hardly ever do, and an opaque token may be just that.
_OBJECT: Final = re.compile(r'\s*\{\s*"[^"]*"\s*:')
#: An issuer in JSON that cannot be parsed, for example because the token was cut.
_ISSUER: Final = re.compile(r'"iss"\s*:[\s\[]*("(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")')
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/_-]")
_TO_BASE64: Final = str.maketrans("-_", "+/")


class _Members(list[tuple[str, Any]]):
    """A JSON object with all its members, also those that it has twice."""


def next_steps(request: HttpRequest, state: RequestState) -> Steps[bool]:
    """Tell whether a request is for the next authenticator: it brings no token of our schemes, or a foreign one."""
    if not is_of_ours(request.META.get("HTTP_AUTHORIZATION")):
        return True
    return state.runtime.settings.pass_foreign_tokens and (yield from _foreign_steps(request, state))


def passes_foreign_token(request: HttpRequest, state: RequestState) -> bool:
    """Tell whether the request's bearer token is for the next authenticator: no JWT of a trusted issuer. Blocking.

    Never without PASS_FOREIGN_TOKENS. A token that names a trusted issuer is ours, however broken it is. Where the
    settings trust any issuer, so is everything that looks like a JWT. With INTROSPECTION so is an opaque token, since
    only its authorization server can say whose it is. In doubt a token is ours, and so refused.
    """
    return state.runtime.settings.pass_foreign_tokens and run_blocking(_foreign_steps(request, state))


def _foreign_steps(request: HttpRequest, state: RequestState) -> Steps[bool]:
    settings = state.runtime.settings
    try:
        scheme, token = credentials_of(request)
    except BearerError:
        return False
    if scheme != BEARER or len(token.text) > settings.max_token_length:  # refused unread
        return False
    if settings.introspecting and token.seems_opaque(settings.max_token_length):
        return False
    texts = [_decoded(segment) for segment in token.text.split(".")]
    if None in settings.issuers:
        return not any(map(_OBJECT.match, texts))
    named = {iss for text in texts for iss in _issuers_in(text) if isinstance(iss, str)}
    return named.isdisjoint(settings.issuers) and not (yield from _resolvable_steps(named, state.runtime))


def _resolvable_steps(named: set[str], runtime: Runtime) -> Steps[bool]:
    """Tell whether ISSUER_RESOLVER knows the issuer that a token names; of one that names several nobody is asked."""
    if runtime.settings.issuer_resolver is None or not named:
        return False
    if len(named) > 1:
        return True
    try:
        resolution = yield from runtime.part(ResolvedIssuers).resolution_steps(*named)
    except KeysUnavailable:
        return True
    return resolution.trusted is not None


def _decoded(segment: str) -> str:
    """Return a segment as text, as far as it can be decoded; a token that is verified is read more strictly."""
    digits = _NOT_BASE64.sub("", segment).translate(_TO_BASE64)
    if len(digits) % 4 == 1:  # one digit alone is no byte
        digits = digits[:-1]
    return b64decode(digits + "=" * (-len(digits) % 4)).decode(errors="replace")


def _issuers_in(text: str) -> Iterator[Any]:
    try:
        members = json.loads(text, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        yield from (json.loads(match[1], strict=False) for match in _ISSUER.finditer(text))
        return
    for name, value in members if isinstance(members, _Members) else ():
        if name == "iss":
            yield from value if isinstance(value, list) else [value]
