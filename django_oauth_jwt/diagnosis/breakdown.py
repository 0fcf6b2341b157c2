"""The reading of a token, which verification does in one step, part by part: so that each fault is named."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ..conf import Runtime
from ..jws import EncodedToken, UnverifiedHeader, check_critical, decode_segment, header_of, loads_object
from ..tokens import freeze
from ..upstream import run_blocking
from ..verification import UnverifiedToken, issuer_of, read_token, resolution_steps
from .outcomes import Explanation

SEGMENTS: Final = 3
JWE_SEGMENTS: Final = 5
#: Stands for a header that cannot be read; no rule that needs the header is asked then.
_NO_HEADER: Final = UnverifiedHeader("", None, None, freeze({}), {})


@dataclass(frozen=True)
class Parts:
    """What could be read of a token: ``missing`` says why a part (see ``needs`` of `Rule`) is not there."""

    token: UnverifiedToken
    parameters: Mapping[str, Any]
    missing: Mapping[str, str]


def read_in_parts(explanation: Explanation, encoded: EncodedToken, runtime: Runtime) -> Parts:
    """Note what is right and wrong with the text of a token, and return what can be read of it."""
    maximum = runtime.settings.max_token_length
    facts = f"{len(encoded.text)} characters, at most {maximum}"
    explanation.ask("text", partial(encoded.octets, maximum), facts)
    segments = encoded.text.encode("ascii", "replace").split(b".")
    explanation.ask("segments", lambda: _require_three(segments), "header.payload.signature")
    parameters = explanation.ask("header", lambda: _json_of(segments, 0), "a JSON object in base64url")
    header = _header(explanation, parameters)
    claims = explanation.ask("payload", lambda: _json_of(segments, 1), "a JSON object in base64url")
    if explanation.is_accepted:
        explanation.ask_whole("reading", partial(read_token, encoded, runtime, None))
    signature = segments[2] if len(segments) == SEGMENTS else b""
    signing_input = b".".join(segments[:2])
    issuer = issuer_of(claims or {}, runtime, None)
    token = UnverifiedToken(header or _NO_HEADER, claims or {}, signing_input, signature, runtime, None, *issuer)
    missing = _missing(header, claims, segments)
    if not _ask_resolver(explanation, token):
        missing["trust"] = "ISSUER_RESOLVER cannot say"
        token.trusted = runtime.settings.unlisted_issuer  # what holds for another issuer has nothing to do with it
    if token.trusted is runtime.settings.unlisted_issuer:
        missing["source"] = "the issuer is not known, and so not where its keys are"
    return Parts(token, parameters or {}, missing)


def _ask_resolver(explanation: Explanation, token: UnverifiedToken) -> bool:
    """Have ISSUER_RESOLVER asked where verification asks it; return False where it fails."""
    has_resolver = token.runtime.settings.issuer_resolver is not None
    if not has_resolver or token.is_trusted or not isinstance(token.claims.get("iss"), str):
        return True
    question = partial(run_blocking, resolution_steps(token))
    explanation.ask("resolver", question, "ISSUER_RESOLVER was asked")
    return explanation.results[-1].passed is True


def _header(explanation: Explanation, parameters: Mapping[str, Any] | None) -> UnverifiedHeader | None:
    if parameters is None:
        explanation.skip("the header cannot be read", "parameters", "extensions")
        return None
    header = explanation.ask("parameters", lambda: header_of(parameters), "alg, kid and typ are strings")
    explanation.ask("extensions", lambda: check_critical(parameters), "crit and b64 must not be there")
    return header


def _missing(header: object, claims: object, segments: list[bytes]) -> dict[str, str]:
    return {
        **({} if header is not None else {"header": "the header cannot be read"}),
        **({} if claims is not None else {"payload": "the payload cannot be read"}),
        **({} if len(segments) == SEGMENTS else {"segments": "there is no key, or no signature"}),
    }


def _require_three(segments: list[bytes]) -> None:
    if len(segments) != SEGMENTS:
        kind = "an encrypted token (JWE)" if len(segments) == JWE_SEGMENTS else "no signed token (JWS)"
        raise ValueError(f"{len(segments)} segment{'s' if len(segments) > 1 else ''}: {kind}")


def _json_of(segments: list[bytes], position: int) -> dict[str, Any]:
    """Return the JSON object in a segment; ValueError says in plain words why there is none."""
    if position >= len(segments):
        raise ValueError("there is none")
    if not segments[position]:
        raise ValueError("empty")
    try:
        octets = decode_segment(segments[position])
    except ValueError as error:
        raise ValueError("not base64url") from error
    try:
        return loads_object(octets)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError("not JSON in UTF-8") from error
