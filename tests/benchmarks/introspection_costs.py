"""What an opaque token costs that is remembered, in the process or outside it, beside a remembered JWT."""

from contextlib import contextmanager

from django.conf import settings
from django.test import override_settings

from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.verification import verify_token

from ..fixtures.recording_cache import RecordingCache
from .issuer import AUDIENCE, TOKENS, Issuer, each, floor
from .rounds import Case, measure
from .verification import own_case

JWT = "JWT, remembered"
OPAQUE = "opaque token, remembered in the process"
SHARED = "opaque token, remembered in a cache outside the process"


class CountingCache(RecordingCache):
    """A stand-in for a cache outside the process: it is asked in a thread, and counts how often."""

    operations = 0

    def record(self, name):
        CountingCache.operations += 1


OUTSIDE = {"default": {"BACKEND": f"{__name__}.{CountingCache.__name__}"}}


class OpaqueTokens:
    """Opaque tokens of an issuer, and the settings of a project that asks about them, without a network."""

    def __init__(self, issuer):
        kit = TokenIssuer(issuer.url, alg="ES256")
        where = {"ENDPOINT": f"{issuer.url}/introspect", "CLIENT_ID": "api", "CLIENT_SECRET": "secret"}
        with kit.installed(INTROSPECTION=where):
            self._asking = {name: settings.OAUTH_JWT[name] for name in ("INTROSPECTION", "HTTP_SESSION")}
        self._issuer = issuer
        self.tokens = [kit.opaque_token("openid profile read write", aud=AUDIENCE) for _ in range(TOKENS)]

    def settings(self, **more):
        return self._issuer.settings(**self._asking, **more)

    @contextmanager
    def remembered_outside(self):
        """Give what verifies the tokens, of which the process remembers nothing."""
        with override_settings(OAUTH_JWT=self.settings(TOKEN_CACHE_SIZE=0), CACHES=OUTSIDE):
            yield (each(verify_token, self.tokens),)


def run(server, plan):
    """Return the results by kind of token, in bare checks of the JWT's signature."""
    issuer = Issuer(server, "RS256", name="introspection")
    opaque, tokens = OpaqueTokens(issuer), issuer.tokens()
    bare = floor(issuer, tokens)
    return measure(
        [
            own_case(JWT, tokens, issuer.settings(), bare),
            own_case(OPAQUE, opaque.tokens, opaque.settings(), bare),
            Case(SHARED, bare, opaque.remembered_outside, warm_up=TOKENS),
        ],
        plan,
    )


def operations_per_token(server, times):
    """Return how often the cache outside the process is asked for each token that it remembers."""
    opaque = OpaqueTokens(Issuer(server, "ES256", name="cache-operations"))
    with opaque.remembered_outside() as (verify,):
        verify(TOKENS)
        CountingCache.operations = 0
        verify(times)
        return CountingCache.operations / times
