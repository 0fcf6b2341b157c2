"""Verification alone: a token in, verified claims out."""

from contextlib import contextmanager, nullcontext

from django.test import override_settings

from django_oauth_jwt.verification import verify_token

from .issuer import ALGORITHMS, Issuer, each, floor
from .rounds import Case, measure

ANEW = "django-oauth-jwt"
REMEMBERED = "django-oauth-jwt, remembered token"


@contextmanager
def trusting(settings, *repeats):
    """Give what repeats while the project has these settings."""
    with override_settings(OAUTH_JWT=settings):
        yield repeats


def own_case(name, tokens, settings, floor):
    """Return the case of our own function, with these settings; memory or not, its first round is not counted."""
    return Case(name, floor, lambda: trusting(settings, each(verify_token, tokens)), warm_up=len(tokens))


def own_cases(issuer, tokens, floor, prefix=""):
    """Return our two ways: each token verified anew, and found in the memory."""
    return [
        own_case(prefix + ANEW, tokens, issuer.settings(TOKEN_CACHE_SIZE=0), floor),
        own_case(prefix + REMEMBERED, tokens, issuer.settings(), floor),
    ]


def peer_case(name, verify, tokens, floor):
    """Return the case of another library's function."""
    return Case(name, floor, lambda: nullcontext((each(verify, tokens),)), warm_up=len(tokens))


def run(server, plan, peers=None, algorithms=ALGORITHMS):
    """Return the results by algorithm and library; ``peers`` gives each peer's function for an issuer."""
    results = {}
    for alg in algorithms:
        issuer = Issuer(server, alg)
        tokens = issuer.tokens()
        bare = floor(issuer, tokens)
        cases = own_cases(issuer, tokens, bare)
        if peers is not None:
            cases += [peer_case(name, verify, tokens, bare) for name, verify in peers(issuer).items()]
        results[alg] = measure(cases, plan)
    return results
