"""What a token costs whose issuer ISSUER_RESOLVER knows, and what one costs that it does not know."""

from contextlib import contextmanager

from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.jwks import JwksService
from django_oauth_jwt.testing import SigningKey
from django_oauth_jwt.verification import verify_token

from .issuer import AUDIENCE, TOKENS, Issuer, each, floor
from .rounds import Case, measure
from .verification import own_case, trusting

ISSUERS = 1_000
#: By the way: the setting TOKEN_CACHE_SIZE, which has room for a token of each issuer or for none.
WAYS = {"verified anew": 0, "remembered": ISSUERS}
LISTED, ONE = "one listed issuer", "one resolved issuer"
#: As in `growth.with_issuers` a few of them send tokens: else it is the processor's caches that are measured.
MANY = "16 of all resolved issuers"
#: Beside the bare checks by as many keys.
IN_TURN = "all resolved issuers in turn"
UNLISTED, REFUSED = "refused: an issuer that is not listed", "refused: one that the resolver did not know"


def run(server, plan, count=ISSUERS):
    """Return the results by case, in bare checks of the tokens' signatures; each issuer has a JWKS of its own."""
    private_key = SigningKey.generate("RS256").private_key
    issuers = [_issuer(server, f"tenant-{number}", private_key) for number in range(count)]
    # Made once, so that not every sample begins with so many fetches.
    entries = {each.url: {"JWKS_SERVICE": JwksService(each.jwks_uri, issuer=each.url)} for each in issuers}
    first, of_all = issuers[0], [issuer.token() for issuer in issuers]
    of_one, of_few = first.tokens(), of_all[:: -(-count // TOKENS)]
    bare, by_all = floor(first, of_one), _floor_by_all(issuers, of_all)
    common = {"AUDIENCE": AUDIENCE, "ALGORITHMS": ["RS256"]}
    listing = {**common, "ISSUERS": {first.url: entries[first.url]}}
    resolving = {**common, "ISSUER_RESOLVER": entries.get}
    cases = []
    for way, size in WAYS.items():
        listed, resolved = {**listing, "TOKEN_CACHE_SIZE": size}, {**resolving, "TOKEN_CACHE_SIZE": size}
        cases += [
            own_case(f"{LISTED}, {way}", of_one, listed, bare),
            own_case(f"{ONE}, {way}", of_one, resolved, bare),
            Case(f"{MANY}, {way}", bare, _warm(of_all, of_few, resolved), warm_up=TOKENS),
            own_case(f"{IN_TURN}, {way}", of_all, resolved, by_all),
        ]
    stranger = _issuer(server, "stranger", private_key).tokens()
    for name, trust in ((UNLISTED, listing), (REFUSED, resolving)):
        cases.append(Case(name, bare, _refusing(stranger, trust), warm_up=TOKENS))
    return measure(cases, plan)


def _issuer(server, name, private_key):
    """Return an issuer with a key object of its own: a check of a signature leaves something in it."""
    own = private_key.private_numbers().private_key(unsafe_skip_rsa_key_validation=True)
    return Issuer(server, name=name, key=SigningKey("key", "RS256", own))


def _warm(all_tokens, tokens, settings):
    """Return what is ready for these tokens when the issuers of all are known, with their keys."""

    @contextmanager
    def ready():
        with trusting(settings, each(verify_token, tokens)) as repeats:
            each(verify_token, all_tokens)(len(all_tokens))
            yield repeats

    return ready


def _floor_by_all(issuers, tokens):
    """Return what does the bare checks of each issuer's token by its own key in turn."""
    checks = [issuer.bare_check(token) for issuer, token in zip(issuers, tokens, strict=True)]
    return each(lambda check: check[0](*check[1]), checks)


def _refusing(tokens, settings):
    return lambda: trusting(settings, each(_refusal, tokens))


def _refusal(token):
    try:
        verify_token(token)
    except InvalidToken:
        return
    raise AssertionError("a token of an issuer that nobody trusts was accepted")
