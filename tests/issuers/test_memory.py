"""What is remembered of issuers that were asked about: for how long, and of how many."""

import time
import weakref

import pytest

from django_oauth_jwt.conf import TrustedIssuer
from django_oauth_jwt.errors import IssuerUnavailable, KeysUnavailable
from django_oauth_jwt.issuers import memory as memory_module
from django_oauth_jwt.issuers.memory import Expiring, IssuerMemory

NOW = 1_800_000_000.0
TENANT = "https://tenant.example.com"


@pytest.fixture
def memory():
    return IssuerMemory()


def add(memory, iss=TENANT, now=NOW, **values):
    return memory.add(iss, TrustedIssuer(iss, **values), now).trusted


def test_a_yes_is_good_for_300_seconds(memory):
    """And not before it was said: a clock that was ahead must not make it good for longer."""
    trusted = add(memory)
    assert memory.recall(TENANT, NOW).trusted is trusted
    assert memory.recall(TENANT, NOW + 299.9).trusted is trusted
    assert memory.recall(TENANT, NOW + 300) is None
    assert memory.recall(TENANT, NOW - 1) is None


def test_a_no_is_good_for_30_seconds(memory):
    """The same, and it ends a yes from before."""
    add(memory)
    memory.add(TENANT, None, NOW)
    assert memory.recall(TENANT, NOW).trusted is None
    assert memory.recall(TENANT, NOW + 29.9).trusted is None
    assert memory.recall(TENANT, NOW + 30) is None
    assert memory.recall(TENANT, NOW - 1) is None
    assert memory.trusted() == []


@pytest.mark.parametrize(("has_raised", "seconds"), [(True, 1), (False, 30)])
def test_a_failure_is_a_refusal_for_a_while(memory, has_raised, seconds):
    """A second where the resolver raised an error, 30 where it returned what is wrong; Retry-After says so."""
    memory.add_failure(TENANT, NOW, has_raised=has_raised)
    with pytest.raises(IssuerUnavailable) as caught:
        memory.recall(TENANT, NOW)
    assert caught.value.retry_after == seconds
    with pytest.raises(IssuerUnavailable):
        memory.recall(TENANT, NOW + seconds - 0.1)
    assert memory.recall(TENANT, NOW + seconds) is None
    assert memory.recall("https://other.example.com", NOW) is None


def test_what_the_resolver_says_itself_is_kept_of_a_bounded_number(memory, monkeypatch):
    """For a second and not from the future; of more issuers the first are asked about again."""
    monkeypatch.setattr(memory_module, "MAXIMUM_OWN_REFUSALS", 3)
    for iss in "abcda":
        memory.add_refusal(iss, KeysUnavailable(77), NOW)
    assert memory.recall("b", NOW) is None
    for iss in "cda":
        with pytest.raises(KeysUnavailable):
            memory.recall(iss, NOW + 0.9)
        assert memory.recall(iss, NOW + 1) is None
        assert memory.recall(iss, NOW - 1) is None


def test_what_the_resolver_says_itself_goes_with_all_that_it_carries(memory):
    """The response of a tenant service, say: what is over is let go at the next one."""

    class Refusal(KeysUnavailable):
        pass

    refusals = [Refusal(77) for _ in range(3)]
    known = [weakref.ref(each) for each in refusals]
    for number, now in enumerate((NOW, NOW + 0.5, NOW + 1.4)):
        memory.add_refusal(str(number), refusals.pop(0), now)
    assert [ref() is None for ref in known] == [True, False, False]


def test_the_same_entry_keeps_the_issuer_and_its_keys(memory):
    """So remembered keys stay where nothing has changed, and go where something has."""
    first = add(memory, leeway=1)
    assert add(memory, now=NOW + 300, leeway=1) is first
    assert memory.recall(TENANT, NOW + 599).trusted is first
    assert add(memory, now=NOW + 600, leeway=2) is not first
    assert memory.trusted() == [TrustedIssuer(TENANT, leeway=2)]


def test_the_issuer_used_longest_ago_goes_first(memory, monkeypatch):
    """There is room for a bounded number, each with its keys."""
    monkeypatch.setattr(memory_module, "MAXIMUM_TRUSTED", 3)
    for name in "abc":
        add(memory, name)
    memory.recall("a", NOW)
    add(memory, "d")
    assert [known.issuer for known in memory.trusted()] == ["c", "a", "d"]
    add(memory, "c", now=NOW + 1)  # asked again is used, too
    add(memory, "e")
    assert [known.issuer for known in memory.trusted()] == ["d", "c", "e"]
    assert (memory.has_trusted("a"), memory.has_trusted("c")) == (False, True)


def test_an_issuer_that_another_thread_lets_go_is_still_answered(memory):
    """Between the look and the move there is no lock."""
    trusted = add(memory)

    class Gone(dict):
        def move_to_end(self, key):
            raise KeyError(key)

    memory._trusted = Gone(memory._trusted)
    assert memory.recall(TENANT, NOW).trusted is trusted


def test_made_up_issuers_push_out_no_good_one(memory, monkeypatch):
    """They have a place of their own, and it is bounded; the oldest are asked about again."""
    monkeypatch.setattr(memory_module, "MAXIMUM_REFUSED", 5)
    memory = IssuerMemory()
    trusted = add(memory)
    for number in range(100):
        memory.add(f"https://{number}.example.com", None, NOW)
        memory.add_failure(f"https://{number}.example.com", NOW, has_raised=False)
    assert memory.recall(TENANT, NOW).trusted is trusted
    assert len(memory._refused) == 5


def test_a_text_that_is_added_again_is_the_newest():
    """So the order of age holds."""
    texts = Expiring(30, 2)
    for text, now in (("a", 0), ("b", 1), ("a", 2), ("c", 3)):
        texts.add(text, now)
    assert [texts.seconds_left(text, 3) for text in "abc"] == [29, 0, 30]


def test_a_full_memory_is_as_quick_as_an_empty_one():
    """Who makes up more issuers than are kept costs no more for each of them."""
    texts, number = Expiring(30, 60_000), iter(range(10**6))

    def seconds_to_add(count):
        began = time.process_time()
        for _ in range(count):
            texts.add(str(next(number)), 0.0)
        return time.process_time() - began

    to_fill = seconds_to_add(60_000)
    assert seconds_to_add(60_000) < 8 * to_fill
