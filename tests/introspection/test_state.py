"""What follows from what a process knows of an endpoint: each promise about waiting by itself, without threads."""

import pytest

from django_oauth_jwt.introspection.state import Join, Question, Refuse, Start, State, decide
from django_oauth_jwt.upstream import MAXIMUM_WAITING, FetchFailed

NOW = 1_800_000_000.0
KEY, OTHER = "key", "other"


@pytest.fixture(autouse=True)
def _patience(impatient):
    """The times are those of the package."""


def choose(state, key=KEY, now=NOW, monotonic=100.25):
    return decide(state, key, now, monotonic)


def asking(count, waiting=1, started=100.0):
    """A state with so many questions under way, none of them about the key."""
    return State({f"token-{number}": Question(started, waiting) for number in range(count)})


FAILED = State(failures=1, retry_at=NOW + 1)

#: By name: state, what is decided, and the arguments that are not the usual ones.
TABLE = {
    "nothing goes on": (State(), Start(1.0), {}),
    "another token is asked about": (asking(1), Start(1.0), {}),
    "the server has failed, and had its rest": (State(failures=3, retry_at=NOW), Start(0.5), {}),
    "the server rests": (FAILED, Refuse(1), {}),
    "the server rests a little longer": (State(failures=4, retry_at=NOW + 7.01), Refuse(8), {}),
    "it rests for an hour": (State(failures=1, retry_at=NOW + 3600), Refuse(3600), {}),
    "the clock was set back": (State(failures=9, retry_at=NOW + 3631), Start(0.5), {}),
    "as many are asked about as can be": (asking(MAXIMUM_WAITING - 1), Start(1.0), {}),
    "one more would be too many": (asking(MAXIMUM_WAITING), Refuse(1), {}),
    "they are not waited for, but take threads": (asking(MAXIMUM_WAITING, waiting=0), Refuse(1), {}),
    "a crowd waits for one": (asking(1, waiting=MAXIMUM_WAITING), Refuse(1), {}),
    "a crowd but for one waits": (asking(1, waiting=MAXIMUM_WAITING - 1), Start(1.0), {}),
    "a question hangs": (asking(1), Refuse(1), {"monotonic": 101.0}),
    "a question is about to hang": (asking(1), Start(1.0), {"monotonic": 100.99}),
    "one that nobody waits for hangs": (asking(1, waiting=0), Refuse(1), {"monotonic": 160.0}),
    "a question hangs after a failure": (
        State(asking(1).questions, failures=1),
        Refuse(1),
        {"monotonic": 100.5},
    ),
}


@pytest.mark.parametrize(("state", "decision", "arguments"), TABLE.values(), ids=TABLE)
def test_who_asks_and_who_is_sent_away(state, decision, arguments):
    """For a token that nobody is asking about."""
    assert choose(state, **arguments) == decision


@pytest.mark.parametrize(
    ("state", "monotonic", "seconds"),
    [
        (State(), 100.0, 1.0),
        (State(), 100.75, 0.25),
        (State(failures=1), 100.25, 0.25),
        (State(failures=1, retry_at=NOW + 1), 100.25, 0.25),  # a question that began before the failure
        (asking(MAXIMUM_WAITING - 1), 100.5, 0.5),
        (asking(MAXIMUM_WAITING + 3, waiting=0), 100.5, 0.5),
    ],
)
def test_a_question_under_way_is_joined(state, monotonic, seconds):
    """All wait for one second in all, counted from its start; it needs no thread more."""
    question = Question(100.0)
    assert choose(state.asking(KEY, question), monotonic=monotonic) == Join(question, seconds)


@pytest.mark.parametrize(
    ("waiting", "monotonic"), [(MAXIMUM_WAITING, 100.0), (MAXIMUM_WAITING + 1, 100.0), (1, 101.0), (0, 7000.0)]
)
def test_a_question_is_not_joined_by_too_many_or_too_late(waiting, monotonic):
    """Whoever comes then is answered at once."""
    assert choose(State().asking(KEY, Question(100.0, waiting)), monotonic=monotonic) == Refuse(1)


def test_each_failure_doubles_the_rest():
    """1, 2, 4 ... seconds, up to the longest one, and a success ends it."""
    state, now, rests = State(), NOW, []
    for _ in range(7):
        state = state.after_failure(FetchFailed("x"), now, 30)
        rests.append(state.retry_at - now)
        now = state.retry_at
    assert rests == [1, 2, 4, 8, 16, 30, 30]
    assert state.failures == 7
    assert state.after_success() == State()


def test_failures_of_questions_that_ran_together_are_one():
    """64 questions that an outage ends are no 64 outages; but a Retry-After is heard from each of them."""
    state = State().after_failure(FetchFailed("x"), NOW, 30)
    again = state.after_failure(FetchFailed("x"), NOW + 0.5, 30)
    assert again == state
    assert again.after_failure(FetchFailed("x", retry_after=60), NOW + 0.5, 30).retry_at == NOW + 60.5
    assert again.after_failure(FetchFailed("x", retry_after=60), NOW + 0.5, 30).failures == 1
    assert state.after_failure(FetchFailed("x"), NOW + 1, 30).failures == 2


@pytest.mark.parametrize(("retry_after", "rest"), [(0, 1), (0.5, 1), (20, 20), (3600, 3600)])
def test_the_servers_own_word_counts(retry_after, rest):
    """Where it wants more rest than we would give it, also beyond the setting."""
    assert State().after_failure(FetchFailed("x", retry_after), NOW, 10).retry_at == NOW + rest


@pytest.mark.parametrize(("longest", "rest"), [(0, 0), (0.25, 0.25), (86400, 3600)])
def test_the_rest_is_as_long_as_the_setting_says(longest, rest):
    """JWKS_COOLDOWN_SECONDS; beyond an hour a time would be taken for one of a clock that was set back."""
    state = State(failures=40).after_failure(FetchFailed("x"), NOW, longest)
    assert state.retry_at == NOW + rest
    assert state.is_resting(NOW) == (rest > 0)


def test_a_question_that_is_over_leaves_the_others():
    """Which are waited for as before."""
    first, second = Question(1.0), Question(2.0, 5)
    state = State().asking(KEY, first).asking(OTHER, second)
    assert state.answered(KEY) == State({OTHER: second})
    assert state.answered("unknown") == state
