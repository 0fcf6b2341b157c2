"""What an authorization server says of a token, and what the rules say of that (RFC 7662, RFC 9701)."""

import time
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from ..conf import Runtime, TrustedIssuer
from ..errors import IntrospectionUnavailable, InvalidToken
from ..introspection import UNAVAILABLE, ActiveClaims, Introspectors, JwtAnswer, NotJudged
from ..jws import EncodedToken
from ..upstream import FetchFailed, shown_url
from ..verification import (
    FOR_INTROSPECTION,
    NO_KEYS,
    OF_ANOTHER,
    UnverifiedToken,
    add_confirmation,
    judge,
    token_of_answer,
)
from .console import shown
from .outcomes import Explanation, RuleResult
from .wording import facts_in_words

T = TypeVar("T")

_RULE: Final = "introspection"
#: Reasons with which verification asks the next issuer.
_ASKS_ON: Final = OF_ANOTHER | {UNAVAILABLE}


def ask_issuers(explanation: Explanation, encoded: EncodedToken, runtime: Runtime) -> UnverifiedToken | None:
    """Ask the issuers in turn about an opaque token, and note what they and the rules say; nothing is remembered.

    Returns the token that the answer describes, None where there is none.
    """
    *others, last = runtime.settings.introspecting
    without_answer: list[RuleResult] = []
    for trusted in others:
        found = Explanation()
        token = _ask_issuer(found, encoded, trusted, runtime)
        if not _ASKS_ON.intersection(found.reasons):
            explanation.results += found.results
            return token
        explanation.skip(f"{', '.join(found.reasons)} {_place(trusted)}, so the next one is asked", _RULE)
        without_answer += [result for result in found.results if result.reason == UNAVAILABLE]
    token = _ask_issuer(explanation, encoded, last, runtime)
    if not explanation.is_accepted:
        explanation.results += without_answer  # it may be a token of one that did not answer
    return token


def _ask_issuer(
    explanation: Explanation, encoded: EncodedToken, trusted: TrustedIssuer, runtime: Runtime
) -> UnverifiedToken | None:
    answer = _ask(explanation, encoded, trusted, runtime)
    if isinstance(answer, ActiveClaims):
        token = token_of_answer(answer.claims, trusted, runtime)
        _ask_rules(explanation, token)
        return token
    if answer is None:
        return None
    question = partial(_answered, partial(judge, answer, trusted, runtime))
    verified = explanation.ask("answer", question, "a JWT by the authorization server")
    return None if verified is None else token_of_answer(verified.claims, trusted, runtime)


def ask_activity(explanation: Explanation, encoded: EncodedToken, token: UnverifiedToken) -> None:
    """Ask a JWT's issuer whether it is still active, where the settings have it asked.

    The claims get the binding that the issuer knows of, as in verification.
    """
    introspection = token.trusted.introspection
    if introspection is None or not introspection.asks_about_jwts:
        return
    described = _ask_issuer(explanation, encoded, token.trusted, token.runtime)
    if described is not None and explanation.is_accepted:
        explanation.ask_whole("introspection", partial(add_confirmation, token.claims, described.claims))


def _ask(
    explanation: Explanation, encoded: EncodedToken, trusted: TrustedIssuer, runtime: Runtime
) -> ActiveClaims | JwtAnswer | None:
    introspector = runtime.part(Introspectors).introspector_of(trusted)

    def question() -> ActiveClaims | JwtAnswer:
        answer = _answered(partial(introspector.answer, encoded))
        if not isinstance(answer, ActiveClaims | JwtAnswer):
            raise InvalidToken("inactive")
        return answer

    return explanation.ask(_RULE, question, _place(trusted))


def _place(trusted: TrustedIssuer) -> str:
    return f"at {shown(trusted.issuer)}" if trusted.issuer else "at the authorization server"


def _answered(question: Callable[[], T]) -> T:
    """Return what a question returns; where there is no answer, the error is one that an explanation can note."""
    try:
        return question()
    except FetchFailed as failure:
        raise _Unavailable(f"{failure} ({shown_url(failure.uri)})" if failure.uri else str(failure)) from None
    except NotJudged as error:
        raise error.refusal from None


class _Unavailable(IntrospectionUnavailable):
    def __init__(self, detail: str) -> None:
        super().__init__()
        self.detail = detail


def _ask_rules(explanation: Explanation, token: UnverifiedToken) -> None:
    now = time.time()
    for rule in FOR_INTROSPECTION:
        for part in rule.parts or (rule,):
            facts = facts_in_words(part.name, part.facts(token, NO_KEYS, now))
            explanation.ask(part.name, partial(part.check, token, NO_KEYS, now), facts)
