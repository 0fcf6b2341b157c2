"""What only the authorization server can say of a token: asked, and remembered for a while (RFC 7662, RFC 9701).

`introspector` asks one authorization server: `endpoint` is where, `client_authentication` who we are, and `answer` what
came back. The outcome is a `verdict`, which `verdict_cache` shares among processes. `state` decides who asks, who waits
for somebody else's question, and who is sent away; `events` tell of each question. Whether an answer is good is decided
by `verification`.
"""

from .answer import ActiveClaims, Answer, JwtAnswer, answer_of
from .questions import NotJudged
from .registry import Introspectors
from .verdict import UNAVAILABLE, Verdict

__all__ = [
    "UNAVAILABLE",
    "ActiveClaims",
    "Answer",
    "Introspectors",
    "JwtAnswer",
    "NotJudged",
    "Verdict",
    "answer_of",
]
