"""What an authorization server says of a token, held to the same rules as a token (RFC 7662 section 4, RFC 9701)."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..conf import Runtime, TrustedIssuer
from ..errors import BearerError, InvalidToken
from ..introspection import ActiveClaims, Answer, JwtAnswer, NotJudged, answer_of
from ..jws import EncodedToken, KeySet, UnverifiedHeader
from ..tokens import VerifiedToken, freeze
from ..upstream import NoAnswer, Steps, run_blocking
from .needs import Keys
from .reading import UnverifiedToken, is_issuer_of, read_token
from .rules import AFTER_KEYS, BEFORE_KEYS, FOR_INTROSPECTION, NO_KEYS, audiences_of
from .times import TIMES, check_times

#: The type of a signed answer (RFC 9701 section 5): no access token, so its ``exp`` and ``sub`` mean nothing here.
_ANSWER_TYPE: Final = "token-introspection+jwt"
#: Reasons why a JWT is not the authorization server's own: then there is no answer, and the token is not to blame.
_NOT_AUTHENTIC: Final = frozenset(
    {
        *("empty", "malformed", "too_long", "critical_header", "wrong_algorithm"),
        *("unknown_kid", "ambiguous_key", "bad_signature"),
    }
)
#: Stands for the header of a token that has none, because it is not known as a JWT.
_NO_HEADER: Final = UnverifiedHeader("", None, None, freeze({}), {})
_ISSUED: Final = tuple(each for each in TIMES if each.claim == "iat")


def judge(answer: Answer, trusted: TrustedIssuer, runtime: Runtime) -> VerifiedToken:
    """Return the token that an issuer's answer describes, blocking.

    Raises InvalidToken where the token is not good, NoAnswer where the answer is not the issuer's own or there are no
    keys to tell, and NotJudged where a key service of the project's own raises.
    """
    if isinstance(answer, JwtAnswer):
        try:
            return run_blocking(_jwt_steps(answer, trusted, runtime))
        except InvalidToken as error:
            if error.reason in _NOT_AUTHENTIC:
                raise NoAnswer(f"a JWT that is not the authorization server's own: {error.description}") from error
            raise
    if isinstance(answer, ActiveClaims):
        return _held_to_rules(token_of_answer(answer.claims, trusted, runtime))
    raise InvalidToken("inactive")


def token_of_answer(members: Mapping[str, Any], trusted: TrustedIssuer, runtime: Runtime) -> UnverifiedToken:
    """Return the token that an answer describes, for the rules: of the issuer that was asked, if it names no other."""
    claims = {**({} if trusted.issuer is None else {"iss": trusted.issuer}), **members}
    is_trusted = is_issuer_of(trusted, claims)
    # An answer need not say how long the token is good (RFC 7662 section 2.2): it is asked for again before long.
    required = tuple(name for name in trusted.required_claims if name != "exp")
    held_to = replace(trusted, required_claims=required)
    return UnverifiedToken(_NO_HEADER, claims, b"", b"", runtime, None, held_to, is_trusted)


def _held_to_rules(token: UnverifiedToken) -> VerifiedToken:
    now = time.time()
    for rule in FOR_INTROSPECTION:
        rule.check(token, NO_KEYS, now)
    return VerifiedToken(token.claims, token.header.parameters)


def _jwt_steps(answer: JwtAnswer, trusted: TrustedIssuer, runtime: Runtime) -> Steps[VerifiedToken]:
    token = read_token(EncodedToken(answer.encoded.decode("ascii", "replace")), runtime, None, trusted)
    for check in BEFORE_KEYS:
        check(token, NO_KEYS, 0.0)
    key_set = yield from _keys_steps(token)
    now = time.time()
    if token.header.typ == _ANSWER_TYPE:
        check_signature, *_ = AFTER_KEYS
        check_signature(token, key_set, now)
        return _described(token, now)
    if answer.is_declared:
        raise NoAnswer("a signed answer of another type")
    for check in AFTER_KEYS:
        check(token, key_set, now)
    return VerifiedToken(token.claims, token.header.parameters)


def _keys_steps(token: UnverifiedToken) -> Steps[KeySet]:
    try:
        key_set: KeySet = yield Keys(token.service(), token.header.kid, token.header.alg)
    except BearerError as error:
        # Of a signed answer it is not known whether the issuer knows the token: it signs also that it does not.
        if token.trusted.jwks_service is not None and token.header.typ != _ANSWER_TYPE:
            raise NotJudged(error) from None
        raise NoAnswer("the keys to check the JWT with are unavailable") from error
    return key_set


def _described(signed: UnverifiedToken, now: float) -> VerifiedToken:
    """Return the token that a signed answer describes (RFC 9701 section 5)."""
    introspection = signed.trusted.introspection
    assert introspection is not None  # noqa: S101  # others are not asked
    own_names = {introspection.client_id, *(signed.trusted.audience or ())}
    if own_names.isdisjoint(audiences_of(signed.claims.get("aud")) or ()):
        raise NoAnswer("an answer that is for somebody else")
    try:
        check_times({"iat": None, **signed.claims}, now, signed.trusted.leeway, _ISSUED)
    except InvalidToken as error:
        raise NoAnswer(f"a signed answer whose time is wrong: {error.description}") from error
    members = signed.claims.get("token_introspection")
    if not isinstance(members, dict):
        raise NoAnswer("a signed answer without token_introspection")
    return judge(answer_of(members), signed.trusted, signed.runtime)
