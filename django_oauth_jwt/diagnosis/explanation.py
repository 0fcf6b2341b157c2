"""Why a token is accepted or refused: each rule of `verification` asked by itself, and all of them to the end."""

import json
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from ..conf import Settings, TrustedIssuer, get_runtime
from ..issuers import require_trusted, trusted_issuer
from ..jwks import KeyServices
from ..jws import (
    UnverifiedHeader,
    check_algorithm,
    check_critical,
    decode_segment,
    header_of,
    loads_object,
    verify_signature,
)
from ..tokens import AccessToken, ClaimRequirement, Requirements, VerifiedToken, freeze, scopes_of
from ..verification import TIMES, check_audience, check_names, check_presence, check_times, check_type, encoded_bytes
from .console import moment, shown
from .key_report import source_of
from .outcomes import Explanation

SEGMENTS: Final = 3
JWE_SEGMENTS: Final = 5


def explain(encoded_token: str, settings: Settings) -> Explanation:
    """Ask every rule about a token. May fetch keys, as the verification would."""
    explanation = Explanation()
    facts = f"{len(encoded_token)} characters, at most {settings.max_token_length}"
    explanation.ask("text", lambda: encoded_bytes(encoded_token, settings.max_token_length), facts)
    segments = encoded_token.encode("ascii", "replace").split(b".")
    explanation.ask("segments", lambda: _require_three(segments), "header.payload.signature")
    parameters = explanation.ask("header", lambda: _json_of(segments, 0), "a JSON object in base64url")
    header = _explain_header(explanation, parameters)
    claims = explanation.ask("payload", lambda: _json_of(segments, 1), "a JSON object in base64url")
    trusted = _explain_issuer(explanation, claims, settings)
    _explain_signature(explanation, segments, header, trusted, settings)
    _explain_type(explanation, header, trusted)
    _explain_claims(explanation, claims, trusted)
    _explain_requirements(explanation, claims, settings.requirements)
    explanation.token = dict(_summary(parameters or {}, claims or {}))
    resolver = ["whether USER_RESOLVER finds a user"] if trusted.user_resolver is not None else []
    explanation.not_checked = ["what views require", *resolver]
    return explanation


def _explain_header(explanation: Explanation, parameters: Mapping[str, Any] | None) -> UnverifiedHeader | None:
    if parameters is None:
        explanation.skip("the header cannot be read", "parameters", "extensions")
        return None
    header = explanation.ask("parameters", lambda: header_of(parameters), "alg, kid and typ are strings")
    explanation.ask("extensions", lambda: check_critical(parameters), "crit and b64 must not be there")
    return header


def _explain_issuer(explanation: Explanation, claims: Mapping[str, Any] | None, settings: Settings) -> TrustedIssuer:
    """Ask for the issuer, and return the one by whose rules the rest is measured: the first where it is none."""
    first = next(iter(settings.issuers.values()))
    if claims is None:
        explanation.skip("the payload cannot be read", "issuer")
        return first
    iss = claims.get("iss")
    trusted = trusted_issuer(iss, settings)
    facts = f"{shown(iss)}; trusted: {', '.join(map(shown, settings.named_issuers)) or 'any'}"
    if trusted is None:
        facts += f"; the rest is checked as if it were of {shown(first.issuer)}"
    explanation.ask("issuer", lambda: require_trusted(trusted), facts)
    return trusted or first


def _explain_signature(
    explanation: Explanation,
    segments: list[bytes],
    header: UnverifiedHeader | None,
    trusted: TrustedIssuer,
    settings: Settings,
) -> None:
    if header is None:
        explanation.skip("the header cannot be read", "algorithm", "keys", "key", "signature")
        return
    kid, alg = header.kid, header.alg
    accepted = ", ".join(sorted(trusted.algorithms))
    explanation.ask(
        "algorithm", lambda: check_algorithm(alg, trusted.algorithms), f"{shown(alg)}; accepted: {accepted}"
    )
    service = get_runtime().part(KeyServices).service_of(trusted)
    key_set = explanation.ask("keys", lambda: service.key_set_for(kid, alg), f"of {source_of(trusted)}")
    if key_set is None:
        explanation.skip("there are no keys", "key", "signature")
        return
    known = ", ".join(shown(key.kid) for key in key_set)
    key = explanation.ask("key", lambda: key_set.select(kid, alg), f"kid {shown(kid)}; in the JWKS: {known}")
    if key is None or len(segments) != SEGMENTS:
        explanation.skip("there is no key, or no signature", "signature")
        return
    signing_input = b".".join(segments[:2])
    check = partial(verify_signature, header, signing_input, segments[2], key_set)
    explanation.ask("signature", check, f"{alg} by that key")


def _explain_type(explanation: Explanation, header: UnverifiedHeader | None, trusted: TrustedIssuer) -> None:
    if header is None:
        explanation.skip("the header cannot be read", "type")
        return
    accepted = ", ".join(sorted("no typ" if typ is None else shown(typ) for typ in trusted.token_types))
    facts = f"{shown(header.typ)}; accepted: {accepted}"
    explanation.ask("type", lambda: check_type(header.typ, trusted.token_types), facts)


def _explain_claims(explanation: Explanation, claims: Mapping[str, Any] | None, trusted: TrustedIssuer) -> None:
    if claims is None:
        explanation.skip("the payload cannot be read", "required claims", "audience", "names", *TIMES)
        return
    required, audience = trusted.required_claims, trusted.audience
    missing = [name for name in required if claims.get(name) is None]
    facts = f"{shown(missing)} are missing" if missing else f"required: {shown(required)}"
    explanation.ask("required claims", lambda: check_presence(claims, required), facts)
    if audience is None:
        explanation.ask("audience", lambda: None, f"{shown(claims.get('aud'))}; accepted: any, as AUDIENCE is not set")
    else:
        facts = f"{shown(claims.get('aud'))}; accepted: {', '.join(map(shown, sorted(audience)))}"
        explanation.ask("audience", lambda: check_audience(claims.get("aud"), audience), facts)
    explanation.ask("names", lambda: check_names(claims), "iss and sub are strings")
    now = time.time()
    for name in TIMES:
        only_one = {name: claims[name]} if name in claims else {}
        facts = f"{moment(claims[name], now) if only_one else 'absent'}; leeway {trusted.leeway:g} s"
        explanation.ask(name, partial(check_times, only_one, now, trusted.leeway), facts)


def _explain_requirements(explanation: Explanation, claims: dict[str, Any] | None, requirements: Requirements) -> None:
    """Ask for what the middleware requires beyond a valid token: the settings SCOPE and CLAIMS."""
    if claims is None:
        explanation.skip("the payload cannot be read", "scope", "claims")
        return
    token = AccessToken("", VerifiedToken(claims, freeze({})))
    for rule, part, required in (
        ("scope", Requirements(scopes=requirements.scopes), map(shown, requirements.scopes)),
        ("claims", Requirements(claims=requirements.claims), map(_required, requirements.claims)),
    ):
        facts = f"the middleware requires: {', '.join(required) or 'none'}"
        explanation.ask(rule, partial(part.check, token), facts)


def _required(requirement: ClaimRequirement) -> str:
    name = " in ".join(map(shown, reversed(requirement.path)))
    return name if requirement.values is None else f"{name} = {' or '.join(map(shown, requirement.values))}"


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


def _summary(parameters: Mapping[str, Any], claims: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for source, names in ((parameters, ("alg", "kid", "typ")), (claims, ("iss", "sub", "aud", "client_id", "azp"))):
        yield from ((name, _plain(source[name])) for name in names if name in source)
    if claims:
        yield "scopes", sorted(scopes_of(claims))


def _plain(value: Any) -> Any:
    """Return a string, number or list of strings as it is, and a text for whatever may nest too deeply to print."""
    is_plain = all(
        isinstance(part, str | int | float | None) for part in (value if isinstance(value, list) else [value])
    )
    return value if is_plain else shown(value)
