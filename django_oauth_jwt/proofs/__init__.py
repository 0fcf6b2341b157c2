"""What binds a token to its sender: DPoP proofs (RFC 9449) and client certificates (RFC 8705).

`binding` decides by the token's ``cnf`` what the sender has to show (RFC 7800), and whether the request shows it; what
a request shows are its `facts`. `dpop` checks a proof, whose URL is compared as `target` spells it; `nonce` makes it a
fresh one, and `replay` remembers the used ones. `certificate` finds the client's certificate, also in the header of a
proxy (`xfcc` is Envoy's). All of it is steps (see `upstream.Steps`): only the cache of used proofs is waited for.
"""

from .binding import binding_steps, must_prove
from .dpop import check_proof
from .facts import BEARER, DPOP, RequestFacts, facts_of

__all__ = [
    "BEARER",
    "DPOP",
    "RequestFacts",
    "binding_steps",
    "check_proof",
    "facts_of",
    "must_prove",
]
