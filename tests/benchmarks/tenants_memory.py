"""What the keys of tenants take in one worker: real objects, by tracemalloc, and by the size of the process."""

import gc
import json
import os
import tracemalloc
from pathlib import Path

from django.test import override_settings

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.issuers import ResolvedIssuers
from django_oauth_jwt.jwks import KeyServices
from django_oauth_jwt.testing import SigningKey
from django_oauth_jwt.upstream import Fetched, run_blocking

from ..jwks.inside import inside, search_for

#: By the name of the case: keys in a JWKS, and whether all tenants have the same one.
CASES = {"2 RSA keys each": (2, False), "the same 10 RSA keys": (10, True)}
#: As long as one of Entra's, in characters.
CERTIFICATE = "MIIC" + 1_400 * "A"


def measured(tenants):
    """Return by case how many KB the tenants take for each: in Python, and in the process with OpenSSL's share."""
    jwk = SigningKey.generate("RS256", "key").public_jwk()
    return {name: _of_tenants(tenants, jwk, *case) for name, case in CASES.items()}


def _of_tenants(tenants, jwk, keys, is_common):
    text = json.dumps({"keys": [{**jwk, "kid": f"key-{number}", "x5c": [CERTIFICATE]} for number in range(keys)]})
    hosts = {number: "common" if is_common else number for number in range(tenants)}
    entries = {f"https://{each}.example.com": {"JWKS_URI": f"https://{host}/jwks"} for each, host in hosts.items()}
    with override_settings(OAUTH_JWT={"ISSUER_RESOLVER": entries.get}):
        resident = _resident()
        kept = _made(entries, text)
        resident = _resident() - resident
        del kept
        tracemalloc.start()
        try:
            kept = _made(entries, text)
            traced = tracemalloc.get_traced_memory()[0]
            del kept
        finally:
            tracemalloc.stop()
    return {"Python": round(traced / tenants / 1024, 1), "process": round(resident / tenants / 1024, 1)}


def _made(entries, text):
    """Return what a worker has when it has verified a token of each of these issuers."""
    settings = get_runtime().settings
    resolved, services, client = ResolvedIssuers(settings), KeyServices(settings), _Client(text)
    for issuer in entries:
        service = services.service_of(run_blocking(resolved.resolution_steps(issuer)).trusted)
        parts, jobs = inside(service), []
        parts.source._execute, parts.fetcher._client, parts.shared._cache = jobs.append, client, _NoCache
        for _ in search_for(service, "key-1", "RS256"):
            jobs.pop()()
        assert service.current() is not None
    gc.collect()
    return resolved, services


class _Client:
    """Serves one document, which is parsed at each fetch."""

    timeout = 5.0

    def __init__(self, text):
        self._text = text

    def fetch(self, uri, etag=None):
        return Fetched(json.loads(self._text), None, None)


class _NoCache:
    """Holds nothing."""

    @staticmethod
    def call(operation, otherwise):
        return otherwise


def _resident():
    """Return how many bytes of this process are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
