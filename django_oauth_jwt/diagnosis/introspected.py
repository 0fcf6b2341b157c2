"""What an authorization server says of a token, and what the rules say of that (RFC 7662, RFC 9701)."""

import time
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from ..conf import Runtime, TrustedIssuer
from ..errors import IntrospectionUnavailable, InvalidToken
from ..introspection import ActiveClaims, Answer, Introspectors, JwtAnswer
from ..jws import EncodedToken
from ..upstream import FetchFailed, shown_url
from ..verification import FOR_ANSWERS, NO_KEYS, UnverifiedToken, judge, token_of_answer
from .console import shown
from .outcomes import Explanation
from .wording import facts_in_words

T = TypeVar("T")

_RULE: Final = "introspection"


def ask_issuers(explanation: Explanation, encoded: EncodedToken, runtime: Runtime) -> UnverifiedToken | None:
    """Ask the issuers in turn about an opaque token, and note what they and the rules say; nothing is remembered.

    Returns the token that the answer describes, None where there is none.
    """
    for trusted in runtime.settings.introspecting:
        is_last = trusted is runtime.settings.introspecting[-1]
        answer = _ask(explanation, encoded, trusted, runtime, may_be_of_another=not is_last)
        if isinstance(answer, ActiveClaims):
            token = token_of_answer(answer.claims, trusted, runtime)
            _ask_rules(explanation, token)
            return token
        if isinstance(answer, JwtAnswer):
            question = partial(_answered, partial(judge, answer, trusted, runtime))
            verified = explanation.ask("answer", question, "a JWT by the authorization server")
            return None if verified is None else token_of_answer(verified.claims, trusted, runtime)
    return None


def ask_activity(explanation: Explanation, encoded: EncodedToken, token: UnverifiedToken) -> None:
    """Ask a JWT's issuer whether it is still active, where the settings have it asked."""
    introspection = token.trusted.introspection
    if introspection is not None and introspection.asks_about_jwts:
        _ask(explanation, encoded, token.trusted, token.runtime)


def _ask(
    explanation: Explanation,
    encoded: EncodedToken,
    trusted: TrustedIssuer,
    runtime: Runtime,
    *,
    may_be_of_another: bool = False,
) -> Answer | None:
    introspector = runtime.part(Introspectors).introspector_of(trusted)
    whose = f"at {shown(trusted.issuer)}" if trusted.issuer else "at the authorization server"

    def question() -> Answer:
        answer = _answered(partial(introspector.answer, encoded))
        if not isinstance(answer, ActiveClaims | JwtAnswer):
            raise InvalidToken("inactive")
        return answer

    answer = explanation.ask(_RULE, question, whose)
    if answer is None and may_be_of_another and explanation.reasons[-1:] == ["inactive"]:
        explanation.results.pop()
        explanation.skip(f"not active {whose}, so the next one is asked", _RULE)
    return answer


def _answered(question: Callable[[], T]) -> T:
    """Return what a question returns; where there is no answer, the error is one that an explanation can note."""
    try:
        return question()
    except FetchFailed as failure:
        raise _Unavailable(f"{failure} ({shown_url(failure.uri)})" if failure.uri else str(failure)) from None


class _Unavailable(IntrospectionUnavailable):
    def __init__(self, detail: str) -> None:
        super().__init__()
        self.detail = detail


def _ask_rules(explanation: Explanation, token: UnverifiedToken) -> None:
    now = time.time()
    for rule in FOR_ANSWERS:
        for part in rule.parts or (rule,):
            facts = facts_in_words(part.name, part.facts(token, NO_KEYS, now))
            explanation.ask(part.name, partial(part.check, token, NO_KEYS, now), facts)
