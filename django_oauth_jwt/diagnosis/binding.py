"""Whose token it is: how it is bound to its sender, and what each rule says of a proof (RFC 9449, RFC 8705).

Nothing is remembered: a proof that was checked is as good as before.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any, Final, TypeVar

from ..conf import Settings, TrustedIssuer
from ..proofs import (
    CLAIM_RULES,
    DPOP,
    KEY_RULES,
    Expected,
    Methods,
    ProofRule,
    RequestFacts,
    check_nonce,
    check_scheme,
    read_claims,
    read_proof,
    required_methods,
    required_source,
)
from ..tokens import AccessToken
from .outcomes import Explanation
from .wording import facts_in_words

Part = TypeVar("Part")

_KEY: Final = "proof key"
_NO_KEY: Final = "the token is bound to no key"


def ask_binding(
    explanation: Explanation,
    token: AccessToken,
    trusted: TrustedIssuer,
    settings: Settings,
    sent: RequestFacts | None,
    now: float,
) -> None:
    """Note how a token is bound, and what the rules say of the scheme and the proof that were ``sent`` (`explain`)."""
    facts = {"has": token.claims["cnf"]} if token.is_bound else {}
    methods = explanation.ask("binding", partial(required_methods, token, trusted), facts_in_words("binding", facts))
    jkt = None if methods is None else methods.jkt
    if sent is not None:
        _ask_scheme(explanation, methods, sent)
    if sent is not None and sent.proof is not None:
        _ask_proof(explanation, Expected(sent, token, jkt or "", settings.dpop, trusted.leeway, now))
    elif jkt is not None:
        explanation.skip("none is given", "proof")
        explanation.not_checked.append("whether its sender has the key that it is bound to")
    if methods is not None and methods.certificate is not None:
        _ask_certificate(explanation, settings)


def _ask_scheme(explanation: Explanation, methods: Methods | None, sent: RequestFacts) -> None:
    if methods is None:
        explanation.skip("the binding cannot be read", "scheme")
        return
    name = "DPoP" if sent.scheme == DPOP else "Bearer"
    facts = f"{name} stands before the token" if sent.proof is None else "DPoP is assumed, as there is a proof"
    explanation.ask("scheme", partial(check_scheme, methods, sent.scheme), facts)


def _ask_certificate(explanation: Explanation, settings: Settings) -> None:
    if settings.client_certificate is None:
        explanation.ask("certificate", partial(required_source, None), "nothing says where it is")
        return
    explanation.skip("that takes the client's connection", "certificate")
    explanation.not_checked.append("whether its sender has the certificate that it is bound to")


def _ask_proof(explanation: Explanation, expected: Expected) -> None:
    """Ask each rule that can be asked, in the order in which a request's proof is checked."""
    words = "one JWS of the type dpop+jwt with its public key"
    proof = explanation.ask("proof", lambda: read_proof(expected.facts.proof), words)
    if proof is None:
        _skip(explanation, "the proof cannot be read", KEY_RULES, CLAIM_RULES)
        return
    _ask_rules(explanation, KEY_RULES, proof, expected)
    claims = explanation.ask("proof claims", lambda: read_claims(proof.payload), "jti, htm, htu, iat and ath are there")
    if claims is None:
        _skip(explanation, "the claims of the proof cannot be read", CLAIM_RULES)
        return
    _ask_rules(explanation, CLAIM_RULES, claims, expected)
    explanation.not_checked.append("whether the proof was used before")
    if expected.dpop.nonce:
        seconds = expected.dpop.proof_seconds
        fresh = partial(check_nonce, claims.get("nonce"), expected.now, seconds)
        explanation.ask("proof nonce", fresh, f"of this server, good for {seconds:g} s")


def _ask_rules(explanation: Explanation, rules: Iterable[ProofRule[Part]], part: Part, expected: Expected) -> None:
    for rule in rules:
        if rule.name == _KEY and not expected.jkt:
            explanation.skip(_NO_KEY, _KEY)
        else:
            facts = facts_in_words(rule.name, rule.shown(part, expected))
            explanation.ask(rule.name, partial(rule.check, part, expected), facts)


def _skip(explanation: Explanation, why: str, *lists: Iterable[ProofRule[Any]]) -> None:
    explanation.skip(why, *(rule.name for rules in lists for rule in rules))
