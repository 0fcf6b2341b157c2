"""How the cost of a verification grows: with keys, issuers, token size, threads and remembered tokens."""

import gc
import hashlib
import json
import time
import timeit
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from jose.utils import base64url_decode

from django_oauth_jwt.testing import SigningKey
from django_oauth_jwt.verification import verify_token

from .issuer import AUDIENCE, TOKENS, Issuer, each, floor
from .rounds import Case, measure
from .verification import ANEW, REMEMBERED, own_case, own_cases, peer_case, trusting

KEYS = ISSUERS = (1, 3, 10, 30, 100)
SIZES = (512, 1024, 2048, 4096, 8192)
THREADS = (1, 2, 4, 8)
REMEMBERED_TOKENS = (1, 16, 128, 1024)


def with_keys(server, plan, counts=KEYS, peers=None):
    """Return the results by number of keys in the JWKS; the token's is the last."""
    key = SigningKey.generate("RS256")
    cases = {}
    for count in counts:
        issuer = Issuer(server, name=f"keys-{count}", key=key, key_count=count)
        tokens = issuer.tokens()
        bare = floor(issuer, tokens)
        cases[count] = own_cases(issuer, tokens, bare, prefix=f"{count} ")
        for name, verify in (peers(issuer) if peers else {}).items():
            if "JWK" in name:  # the ones that look for the key by themselves
                cases[count].append(peer_case(f"{count} {name}", verify, tokens, bare))
    return _by_count(cases, plan)


def with_issuers(server, plan, counts=ISSUERS):
    """Return the results by number of trusted issuers, each with a JWKS of its own; up to 16 of them send tokens."""
    key = SigningKey.generate("RS256")
    issuers = [Issuer(server, name=f"issuer-{number}", key=key) for number in range(max(counts))]
    cases = {}
    for count in counts:
        senders = issuers[:count][:: -(-count // TOKENS)]
        tokens = [senders[number % len(senders)].token() for number in range(TOKENS)]
        listed = {issuer.url: {"JWKS_URI": issuer.jwks_uri} for issuer in issuers[:count]}
        settings = {"ISSUERS": listed, "AUDIENCE": AUDIENCE, "ALGORITHMS": ["RS256"]}
        bare = floor(issuers[0], tokens)
        cases[count] = [
            own_case(f"{count} {ANEW}", tokens, {**settings, "TOKEN_CACHE_SIZE": 0}, bare),
            own_case(f"{count} {REMEMBERED}", tokens, settings, bare),
        ]
    return _by_count(cases, plan)


def with_size(server, plan, sizes=SIZES):
    """Return the results by length of the token; the floor hashes as many bytes."""
    issuer = Issuer(server, name="sizes")
    cases = {}
    for size in sizes:
        tokens = issuer.tokens(size=size)
        cases[size] = own_cases(issuer, tokens, floor(issuer, tokens), prefix=f"{size} ")
    return _by_count(cases, plan)


def with_remembered(server, plan, counts=REMEMBERED_TOKENS):
    """Return the results by number of remembered tokens, all of them in use."""
    issuer = Issuer(server, name="remembered")
    tokens = issuer.tokens(max(counts))
    bare = floor(issuer, tokens[:TOKENS])
    cases = {count: [own_case(f"{count} {REMEMBERED}", tokens[:count], issuer.settings(), bare)] for count in counts}
    return _by_count(cases, plan)


def with_threads(server, plan, counts=THREADS):
    """Return the results by number of threads, in wall time, beside as many threads that share nothing.

    What these do is alike: a hash and JSON, as often as it takes as long in Python, and a bare check on top for
    a token verified anew. `cryptography` lets other threads run meanwhile, so the longer it takes in Python, the
    more the threads wait for the interpreter, whoever's code it is. The ratios stay the same from one thread to
    many unless ours get in each other's way beyond that.
    """
    issuer = Issuer(server, name="threads")
    tokens = issuer.tokens()
    payloads = {token: base64url_decode(token.split(".")[1].encode()) for token in tokens}
    checks = {token: issuer.bare_check(token) for token in tokens}
    off, on = issuer.settings(TOKEN_CACHE_SIZE=0), issuer.settings()

    def bare_check(token):
        verify, arguments = checks[token]
        verify(*arguments)

    def unshared_memory(token):
        hashlib.sha256(token.encode()).digest()
        json.loads(payloads[token])

    def unshared_check(token):
        for _ in range(as_often):
            unshared_memory(token)
        bare_check(token)

    in_python = _seconds_of(verify_token, tokens, off) - _seconds_of(bare_check, tokens, off)
    as_often = max(1, round(in_python / _seconds_of(unshared_memory, tokens, off)))
    # A slice has to be long beside the interpreter's switch interval of 5 ms.
    plan = replace(plan, clock=time.perf_counter, slices=-(-plan.slices // 2), slice_seconds=plan.slice_seconds * 32)
    with ThreadPoolExecutor(max(counts)) as pool:
        cases = {
            count: [
                _threaded_case(f"{count} {ANEW}", pool, count, tokens, off, unshared_check),
                _threaded_case(f"{count} {REMEMBERED}", pool, count, tokens, on, unshared_memory),
            ]
            for count in counts
        }
        return _by_count(cases, plan)


def memory_per_token(server, sizes=(1024, 8192), count=1024):
    """Return the bytes that one remembered token takes, by the token's length."""
    issuer = Issuer(server, name="memory")
    return {size: _bytes_per_token(issuer, issuer.tokens(count, size=size)) for size in sizes}


def _bytes_per_token(issuer, tokens):
    first, rest = tokens[0], tokens[1:]
    with trusting(issuer.settings(TOKEN_CACHE_SIZE=len(tokens))):
        verify_token(first)
        gc.collect()
        tracemalloc.start()
        try:
            for token in rest:
                verify_token(token)
            gc.collect()
            return round(tracemalloc.get_traced_memory()[0] / len(rest))
        finally:
            tracemalloc.stop()


def _threaded_case(name, pool, count, tokens, settings, unshared):
    floor, repeat = (_in_threads(pool, count, function, tokens) for function in (unshared, verify_token))
    return Case(name, floor, lambda: trusting(settings, repeat), warm_up=count * len(tokens))


def _seconds_of(function, tokens, settings):
    """Return how long a call takes at the least."""
    with trusting(settings, each(function, tokens)) as (repeat,):
        return min(timeit.repeat(partial(repeat, len(tokens)), number=1, repeat=50)) / len(tokens)


def _in_threads(pool, count, function, arguments):
    """Return what shares out its calls among threads."""
    repeats = [each(function, arguments) for _ in range(count)]

    def repeat_in_threads(times):
        share = -(-times // count)
        for done in [pool.submit(repeat, share) for repeat in repeats]:
            done.result()

    return repeat_in_threads


def _by_count(cases, plan):
    """Measure all counts' cases in the same rounds; return the results by count and name."""
    results = measure([case for of_count in cases.values() for case in of_count], plan)
    return {
        count: {case.name.partition(" ")[2]: results[case.name] for case in of_count}
        for count, of_count in cases.items()
    }
