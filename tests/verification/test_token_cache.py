"""Remembered tokens: what they save, how many there are, and when they are forgotten."""

import asyncio
import gc
import hashlib
import time

import pytest

from django_oauth_jwt.conf import Settings, get_runtime
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.tokens import VerifiedToken
from django_oauth_jwt.verification import averify_token, verify_token
from django_oauth_jwt.verification.token_cache import RememberedToken, TokenCache, cache_key


class CountingIssuer(TokenIssuer):
    """An issuer that counts how often its keys are asked for to check a signature."""

    checked = 0

    def key_set_for(self, kid, alg):
        self.checked += 1
        return super().key_set_for(kid, alg)

    async def akey_set_for(self, kid, alg):
        self.checked += 1
        return super().key_set_for(kid, alg)


@pytest.fixture
def counting(signing_key):
    """An issuer of its own for each test, installed."""
    with CountingIssuer(key=signing_key()).installed() as issuer:
        yield issuer


def _checked(issuer, *tokens, **kwargs):
    """Return how many signatures are checked for these tokens, one after the other."""
    before = issuer.checked
    for token in tokens:
        verify_token(token, **kwargs)
    return issuer.checked - before


def test_a_token_is_verified_once(counting):
    """The same token again costs no signature check, whichever of the twins sees it."""
    token = counting.token()
    first, again = verify_token(token), verify_token(token)
    in_a_loop = asyncio.run(averify_token(token))
    assert counting.checked == 1
    assert first == again == in_a_loop
    assert again.claims == first.claims
    assert again.encoded == token


def test_another_token_of_the_same_claims_is_another_token(counting):
    """The memory goes by the text of a token, signature included."""
    token = counting.token()
    assert _checked(counting, token) == 1
    forged = token.rpartition(".")[0] + "." + counting.token().rpartition(".")[2]
    with pytest.raises(InvalidToken, match="signature verification failed"):
        verify_token(forged)


def test_the_token_used_longest_ago_goes_first(counting):
    """Use keeps a token, not age."""
    with counting.installed(TOKEN_CACHE_SIZE=2):
        a, b, c = (counting.token(jti=name) for name in "abc")
        assert _checked(counting, a, b, a, b) == 2
        assert _checked(counting, a) == 0
        assert _checked(counting, c) == 1  # b goes, since a was used after it
        assert _checked(counting, a, c) == 0
        assert _checked(counting, b) == 1
        assert _checked(counting, c) == 0
        assert _checked(counting, a) == 1


@pytest.mark.parametrize("size", [1, 2, 100])
def test_the_memory_is_bounded(counting, size):
    """A flood of tokens leaves as many remembered as the setting says."""
    with counting.installed(TOKEN_CACHE_SIZE=size):
        tokens = [counting.token(jti=str(number)) for number in range(size + 3)]
        _checked(counting, *tokens)
        assert _checked(counting, *tokens[-size:]) == 0
        assert _checked(counting, tokens[0]) == 1


def test_size_0_remembers_nothing(counting):
    """Off is off."""
    token = counting.token()
    with counting.installed(TOKEN_CACHE_SIZE=0):
        assert _checked(counting, token, token) == 2


@pytest.mark.parametrize(
    ("claims", "valid_at", "invalid_at", "reason"),
    [
        ({"exp": 1_800_000_100}, 1_800_000_129, 1_800_000_130, "expired"),
        ({"nbf": 1_800_000_000}, 1_800_000_000, 1_799_999_969, "not_yet_valid"),
        ({"iat": 1_800_000_000}, 1_800_000_000, 1_799_999_969, "issued_in_the_future"),
    ],
)
def test_the_times_are_checked_at_each_use(counting, frozen_time, claims, valid_at, invalid_at, reason):
    """A remembered token ends to the second, and is not good before its time on a frozen_time that was set back."""
    token = counting.token(**claims)
    frozen_time.now = valid_at
    assert _checked(counting, token, token) == 1
    frozen_time.now = invalid_at
    with pytest.raises(InvalidToken) as caught:
        verify_token(token)
    assert caught.value.reason == reason


def test_each_issuers_leeway_holds_for_a_remembered_token(counting, frozen_time):
    """The leeway that let it in is the one that sees it out."""
    token = counting.token(exp=1_800_000_000)
    with counting.installed(LEEWAY=60):
        assert _checked(counting, token) == 1
        frozen_time.now += 59
        assert _checked(counting, token) == 0
        frozen_time.now += 1
        with pytest.raises(InvalidToken, match="expired"):
            verify_token(token)


def test_a_token_goes_with_its_key(counting):
    """A key that leaves the JWKS takes its tokens along, at once."""
    token = counting.token()
    verify_token(token)
    counting.rotate(keep_old=False)
    with pytest.raises(InvalidToken) as caught:
        verify_token(token)
    assert caught.value.reason == "unknown_kid"
    assert len(get_runtime().part(TokenCache)) == 0


def test_a_new_key_set_means_a_new_check(counting):
    """Also where the old key is in the new set: whatever else has changed is looked at."""
    token = counting.token()
    assert _checked(counting, token) == 1
    counting.rotate()
    assert _checked(counting, token, token) == 1


def test_keys_that_are_gone_take_the_tokens_along(counting, monkeypatch):
    """A service that has no keys at hand, not even old ones, vouches for nothing."""
    token = counting.token()
    assert _checked(counting, token) == 1
    monkeypatch.setattr(counting, "current", lambda: None)
    assert _checked(counting, token, token) == 2


def test_other_settings_know_nothing_of_a_token(counting):
    """What was good under one setting is checked again under another, and forgotten when it ends."""
    token = counting.token(aud="api")
    assert _checked(counting, token, token) == 1
    with counting.installed(AUDIENCE="other"), pytest.raises(InvalidToken) as caught:
        verify_token(token)
    assert caught.value.reason == "wrong_audience"
    assert _checked(counting, token, token) == 1


def test_each_service_remembers_for_itself(counting, signing_key):
    """A token that one service's keys verified is nothing to another's."""
    token = counting.token()
    twin = CountingIssuer(key=signing_key())
    assert _checked(counting, token, token) == 1
    assert _checked(twin, token, token, jwks_service=twin) == 1
    assert _checked(counting, token) == 0
    stranger = CountingIssuer(key=signing_key("ES256", "stranger"))
    with pytest.raises(InvalidToken):
        verify_token(token, jwks_service=stranger)


def test_what_one_use_changes_no_other_sees(counting):
    """Claims that are given away are copies, at every depth."""
    token = counting.token(realm_access={"roles": ["reader"]})
    for _ in range(2):
        claims = verify_token(token).new_claims()
        assert claims["realm_access"] == {"roles": ["reader"]}
        claims["realm_access"]["roles"].append("admin")
        claims["sub"] = "somebody else"


def test_no_token_can_be_read_out_of_the_memory(counting):
    """A dump of the process shows what tokens said, but none that could be sent."""
    token = counting.token()
    verify_token(token)
    memories = [found for found in gc.get_objects() if type(found) is TokenCache]
    assert any(memory.get(cache_key(token.encode(), None), time.time()) for memory in memories)
    assert token.rpartition(".")[2] not in repr([vars(memory) for memory in memories])


class Service:
    """A service whose answer takes as long as another thread needs to do something."""

    def __init__(self, meanwhile=lambda: None):
        self.meanwhile = meanwhile

    def current(self):
        self.meanwhile()


def _remembered(service):
    return RememberedToken(VerifiedToken({}, {}), 0, service, None)


def test_a_token_that_another_thread_lets_go_is_still_the_answer():
    """Nothing is locked: what was found counts, whatever happens to the memory meanwhile."""
    memory = TokenCache(Settings({}, None, True, None, False, token_cache_size=1))
    token = _remembered(Service(lambda: memory.add("other", _remembered(Service()))))
    memory.add("key", token)
    assert memory.get("key", 0.0) is token
    assert memory.get("key", 0.0) is None
    assert len(memory) == 1


def test_each_service_given_by_hand_has_tokens_of_its_own(counting, rsa_issuer):
    """Also one that cannot be hashed, as a dataclass cannot, or that is equal to another with other keys."""

    class Equal(CountingIssuer):
        __hash__ = None

        def __eq__(self, other):
            return isinstance(other, Equal)

    ours, foreign = Equal(key=counting.keys[0]), Equal(key=rsa_issuer.keys[0])
    token = counting.token()
    assert _checked(ours, token, token, jwks_service=ours) == 1
    with pytest.raises(InvalidToken):
        verify_token(token, jwks_service=foreign)
    assert _checked(ours, token, jwks_service=ours) == 0


def test_a_token_is_kept_under_the_service_itself(rsa_issuer, signing_key):
    """Another service is another key, however alike the two are."""
    other = TokenIssuer(rsa_issuer.issuer, key=signing_key())
    assert cache_key(b"token", other) == cache_key(b"token", other)
    assert len({cache_key(b"token", service) for service in (None, rsa_issuer, other)}) == 3
    assert cache_key(b"token", rsa_issuer) != cache_key(b"token", other)
    assert cache_key(b"token", None) != cache_key(b"other", None)


def test_where_tokens_may_be_short_their_hash_is_a_keyed_one(rsa_issuer):
    """An opaque token may be guessed, and its plain hash in a dump of the process would tell who has it."""
    digest = hashlib.sha256(b"token").digest()
    assert cache_key(b"token", None) == digest
    assert cache_key(b"token", None, is_keyed=True) == cache_key(b"token", None, is_keyed=True)
    assert cache_key(b"token", None, is_keyed=True) != cache_key(b"other", None, is_keyed=True)
    assert cache_key(b"token", None, is_keyed=True) not in {digest, hashlib.blake2b(b"token", digest_size=32).digest()}
    with rsa_issuer.installed(INTROSPECTION={"CLIENT_ID": "api", "CLIENT_SECRET": "hunter2"}):
        token = rsa_issuer.opaque_token()
        verify_token(token)
        memory = get_runtime().part(TokenCache)
        assert memory.get(cache_key(token.encode(), None, is_keyed=True), time.time())
        assert memory.get(cache_key(token.encode(), None), time.time()) is None


def test_a_token_is_forgotten_when_what_was_said_of_it_is_over():
    """Whatever its keys and its own times are."""
    memory = TokenCache(Settings({}, None, True, None, False, token_cache_size=1))
    for token in (
        RememberedToken(VerifiedToken({}, {}), 0, until=10.0),
        RememberedToken(VerifiedToken({}, {}), 0, Service(), None, until=10.0),
    ):
        memory.add("key", token)
        assert memory.get("key", 9.5) is token
        assert memory.get("key", 10.0) is None
        assert len(memory) == 0
