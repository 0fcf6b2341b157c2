"""Verification alone: a token in, verified claims out."""

from contextlib import contextmanager, nullcontext

from bench_issuer import ALGORITHMS, Issuer, each, floor
from bench_rounds import Case, measure, summary
from django.test import override_settings

from django_oauth_jwt.verification import verify_token

FLOOR = "bare signature check (cryptography)"
COLD = "django-oauth-jwt"
REMEMBERED = "django-oauth-jwt, remembered token"


@contextmanager
def trusting(settings, repeat):
    """Give what repeats while the project has these settings."""
    with override_settings(OAUTH_JWT=settings):
        yield repeat


def own_cases(issuer, tokens):
    """Return the floor and our own ways: each token verified anew, and found in the memory."""
    verify = each(verify_token, tokens)
    off, on = issuer.settings(TOKEN_CACHE_SIZE=0), issuer.settings()
    return [
        Case(FLOOR, lambda: nullcontext(floor(issuer, tokens))),
        Case(COLD, lambda: trusting(off, verify), warm_up=len(tokens)),
        Case(REMEMBERED, lambda: trusting(on, verify), warm_up=2 * len(tokens)),
    ]


def peer_cases(issuer, tokens, peers):
    """Return the cases of other libraries: ``peers`` gives each one's function for an issuer."""
    return [
        Case(name, lambda verify=verify: nullcontext(each(verify, tokens)), warm_up=len(tokens))
        for name, verify in peers(issuer).items()
    ]


def run(server, plan, peers=None, algorithms=ALGORITHMS):
    """Return the results by algorithm and case."""
    results = {}
    for alg in algorithms:
        issuer = Issuer(server, alg)
        tokens = issuer.tokens()
        cases = own_cases(issuer, tokens)
        if peers is not None:
            cases += peer_cases(issuer, tokens, peers)
        samples = measure(cases, plan)
        results[alg] = {name: summary(samples, name, FLOOR) for name in samples}
    return results
