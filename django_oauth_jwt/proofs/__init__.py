"""What binds a token to its sender: DPoP proofs (RFC 9449) and client certificates (RFC 8705).

`binding` decides by the token's ``cnf`` what the sender has to show (RFC 7800), and whether the request shows it; what
a request shows are its `facts`. `dpop` has the rules for a proof, which `reading` takes apart; its URL is compared as
`target` spells it, `nonce` makes it a fresh one, and `replay` remembers the used ones. `certificate` finds the client's
certificate, also in the header of a proxy (`xfcc` is Envoy's). Only the cache of used proofs
is waited for, in steps (see `upstream.Steps`).
"""

from .binding import Methods, binding_steps, check_scheme, must_prove, required_methods
from .certificate import required_source
from .dpop import CLAIM_RULES, KEY_RULES, Expected, ProofRule
from .facts import BEARER, DPOP, RequestFacts, facts_of
from .nonce import check_nonce
from .reading import read_claims, read_proof
from .target import normalized

__all__ = [
    "BEARER",
    "CLAIM_RULES",
    "DPOP",
    "KEY_RULES",
    "Expected",
    "Methods",
    "ProofRule",
    "RequestFacts",
    "binding_steps",
    "check_nonce",
    "check_scheme",
    "facts_of",
    "must_prove",
    "normalized",
    "read_claims",
    "read_proof",
    "required_methods",
    "required_source",
]
