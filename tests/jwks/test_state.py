"""What follows from the one state of a key source: each promise by itself, without threads, clocks or servers."""

import math
from dataclasses import replace

import pytest

from django_oauth_jwt.jwks.snapshot import Failure, JwksDocument, Timing, Wanted, snapshot_of
from django_oauth_jwt.jwks.state import (
    Endpoint,
    Job,
    Join,
    Outcome,
    Refuse,
    Start,
    State,
    Task,
    Use,
    decide,
    decide_refresh,
    wants_refresh,
)
from django_oauth_jwt.testing import TokenIssuer

NOW = 1_800_000_000.0
TIMING = Timing(fresh=300, stale=14400, cooldown=30)
ISSUER = TokenIssuer(alg="ES256")
KNOWN, UNKNOWN, OTHER = Wanted("key-1", "ES256"), Wanted("new", "ES256"), Wanted("other", "ES256")


def keys(fetched_at=NOW):
    """Return keys as fetched at that time."""
    return snapshot_of(JwksDocument(ISSUER.jwks(), fetched_at, 300), TIMING, source=ISSUER.issuer)


WARM = State(keys())
FAILED = Failure("status 500", 3, NOW + 4)
REFRESH = Job(Task(), 100.0, None)
SEARCH = Job(Task(UNKNOWN), 100.0, UNKNOWN)


def choose(state, wanted=UNKNOWN, now=NOW, monotonic=100.25):
    """Return what a request does at these times."""
    return decide(state, wanted, now, monotonic, TIMING)


@pytest.mark.parametrize("age", [0, 299, 300, 14399])
@pytest.mark.parametrize("more", [{}, {"failure": FAILED}, {"job": REFRESH}, {"cooldown_until": NOW + 30}])
def test_a_known_key_is_used_until_it_is_stale_whatever_goes_on(age, more):
    """An outage, a back-off or a refresh that hangs costs nothing."""
    state = State(keys(NOW - age), **more)
    assert choose(state, KNOWN) == Use(state.snapshot.key_set)


@pytest.mark.parametrize("snapshot", [None, keys(NOW - 14400)], ids=["none", "stale"])
class TestWithoutKeys:
    """Where there are no keys, or only stale ones."""

    def test_a_request_starts_a_refresh(self, snapshot):
        """The first one does."""
        assert choose(State(snapshot)) == Start(Task())

    def test_a_request_joins_the_job_under_way_for_a_second_in_all(self, snapshot):
        """Counted from its start: who comes when it hangs already does not wait."""
        state = State(snapshot, job=REFRESH)
        assert [choose(state, monotonic=at).seconds for at in (100, 100.75, 101, 160)] == [1, 0.25, 0, -59]
        assert choose(state).job is REFRESH

    @pytest.mark.parametrize("failure", [FAILED, replace(FAILED, retry_at=NOW - 1)])
    def test_a_request_waits_half_as_long_where_the_last_fetch_failed(self, snapshot, failure):
        """Tokens that name an issuer that hangs may be made up to hold all threads of a server."""
        assert choose(State(snapshot, failure, job=REFRESH)).seconds == 0.25

    def test_only_so_many_requests_wait_at_a_time(self, snapshot):
        """The rest is told to come again."""
        state = State(snapshot, job=replace(REFRESH, waiting=63))
        assert isinstance(choose(state), Join)
        assert choose(replace(state, job=replace(REFRESH, waiting=64))) == Refuse(1)

    def test_a_request_looks_into_the_cache_while_fetches_back_off(self, snapshot):
        """Another process may have had more luck; no fetch is made."""
        assert choose(State(snapshot, FAILED)) == Start(Task(may_fetch=False))

    def test_a_request_that_may_not_look_is_refused_until_the_next_try(self, snapshot):
        """In whole seconds, rounded up."""
        state = State(snapshot, replace(FAILED, retry_at=NOW + 3.2), next_cache_read=NOW + 0.5)
        assert choose(state) == Refuse(4)

    def test_a_fetch_may_be_made_again_when_the_back_off_ends(self, snapshot):
        """To the moment."""
        assert choose(State(snapshot, FAILED), now=NOW + 4) == Start(Task())

    def test_a_back_off_of_a_clock_that_was_set_back_counts_for_nothing(self, snapshot):
        """Its end lies further ahead than any back-off reaches."""
        assert choose(State(snapshot, replace(FAILED, retry_at=NOW + 61))) == Start(Task())


def test_an_unknown_key_is_searched_for():
    """With one job, which may fetch."""
    assert choose(WARM) == Start(Task(UNKNOWN))


def test_an_unknown_key_joins_the_refresh_under_way():
    """It may bring the key; the request waits the rest of a second, and the job is its search from now on."""
    assert choose(replace(WARM, job=REFRESH)) == Join(replace(REFRESH, wanted=UNKNOWN), 0.75)


@pytest.mark.parametrize("task", [Task(), Task(UNKNOWN)])
def test_those_who_want_the_same_key_wait_together(task):
    """The patience is that of the job: a flood of one made-up key holds the threads once, not each anew."""
    job = Job(task, 100.0, UNKNOWN)
    assert [choose(replace(WARM, job=job), monotonic=at).seconds for at in (100, 100.75, 101)] == [1, 0.25, 0]


def test_those_who_want_the_same_key_are_only_so_many():
    """It may be made up, as any other."""
    job = replace(SEARCH, waiting=64)
    assert choose(replace(WARM, job=job)) == Use(WARM.snapshot.key_set)
    assert isinstance(choose(replace(WARM, job=replace(job, waiting=63))), Join)
    assert choose(replace(WARM, job=replace(job, waiting=2), failure=FAILED)).seconds == 0.25


@pytest.mark.parametrize("task", [Task(), Task(UNKNOWN)])
def test_those_who_want_another_key_are_refused_at_once(task):
    """Made-up keys must not hold every thread of a server."""
    assert choose(replace(WARM, job=Job(task, 100.0, UNKNOWN)), OTHER) == Use(WARM.snapshot.key_set)


def test_within_the_cooldown_no_refresh_is_joined():
    """The cooldown's fetch has been made, and this one may hang."""
    state = replace(WARM, job=REFRESH, cooldown_until=NOW + 1)
    assert choose(state) == Use(WARM.snapshot.key_set)


def test_beside_a_refresh_that_hangs_a_search_is_started():
    """Without a shared cache it need not wait for the same connection."""
    assert choose(replace(WARM, job=REFRESH), monotonic=101.1) == Start(Task(UNKNOWN))
    assert choose(replace(WARM, job=replace(REFRESH, wanted=OTHER)), monotonic=101.1) == Start(Task(UNKNOWN))


def test_beside_a_search_that_hangs_no_other_is_started():
    """It holds no one for longer than its patience, either."""
    assert choose(replace(WARM, job=SEARCH), monotonic=105) == Join(SEARCH, -4)
    assert choose(replace(WARM, job=SEARCH), OTHER, monotonic=105) == Use(WARM.snapshot.key_set)


def test_the_cache_is_looked_into_once_a_second():
    """A flood of unknown keys spares the cache server as well."""
    assert choose(replace(WARM, next_cache_read=NOW + 0.1)) == Use(WARM.snapshot.key_set)
    assert choose(replace(WARM, next_cache_read=NOW)) == Start(Task(UNKNOWN))


@pytest.mark.parametrize(
    ("state", "decision"),
    [
        (WARM, Start(Task())),
        (State(), Start(Task())),
        (replace(WARM, job=REFRESH), Join(REFRESH, math.inf)),
        (replace(WARM, job=SEARCH), Start(Task())),
        (replace(WARM, job=Job(Task(may_fetch=False), 100.0, None)), Start(Task())),
        (replace(WARM, failure=FAILED), None),
        (State(failure=FAILED), Start(Task(may_fetch=False))),
        (State(failure=FAILED, next_cache_read=NOW + 1), Refuse(4)),
    ],
)
def test_a_refresh_by_hand_keeps_to_the_back_off(state, decision):
    """It joins what is under way, and asks nobody while fetches back off, but for the cache where there are no keys."""
    assert decide_refresh(state, NOW, TIMING) == decision


@pytest.mark.parametrize(
    ("state", "is_wanted"), [(WARM, True), (replace(WARM, job=SEARCH), False), (replace(WARM, failure=FAILED), False)]
)
def test_old_keys_are_refreshed_by_one_job_at_a_time(state, is_wanted):
    """And not while fetches back off: no thread is started for each request of an outage."""
    assert wants_refresh(state, NOW, TIMING) is is_wanted


OLDER, NEWER = keys(NOW - 10), keys(NOW - 5)


@pytest.mark.parametrize(
    ("before", "outcome", "after"),
    [
        (State(failure=FAILED), Outcome(), State(failure=FAILED)),
        (State(failure=FAILED), Outcome(NEWER), State(NEWER)),
        (State(OLDER, failure=FAILED), Outcome(NEWER), State(NEWER)),
        (State(NEWER), Outcome(OLDER), State(NEWER)),
        (State(keys(NOW + 5)), Outcome(NEWER), State(NEWER)),
        (State(OLDER), Outcome(failure=FAILED), State(OLDER, FAILED)),
        (State(OLDER), Outcome(cooldown_until=NOW + 30), State(OLDER, cooldown_until=NOW + 30)),
        (
            State(OLDER, endpoint=Endpoint("a", NOW)),
            Outcome(failure=FAILED, endpoint=Endpoint(skip_etag=True), cooldown_until=NOW + 30),
            State(OLDER, FAILED, Endpoint(skip_etag=True), NOW + 30),
        ),
        (State(OLDER, endpoint=Endpoint("a", NOW)), Outcome(NEWER), State(NEWER, endpoint=Endpoint("a", NOW))),
    ],
    ids=[
        *("nothing new", "the first keys", "keys end the failures", "older keys are dropped"),
        *("a clock set back", "a failure keeps the keys", "a cooldown", "a failed search", "the endpoint stays"),
    ],
)
def test_a_job_changes_what_it_has_brought_and_nothing_else(before, outcome, after):
    """Keys are replaced as a whole."""
    assert before.after(outcome, NOW) == after
