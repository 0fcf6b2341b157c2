"""ISSUER_RESOLVER: who is asked when, by how many at a time, and what becomes of what it says."""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from django_oauth_jwt.conf import get_runtime, read
from django_oauth_jwt.errors import InvalidToken, IssuerUnavailable, KeysUnavailable
from django_oauth_jwt.issuers import ResolvedIssuers
from django_oauth_jwt.issuers.resolved import ASKED_AT_ONCE, MAXIMUM_LENGTH
from django_oauth_jwt.jwks import get_jwks_service, services_in_use
from django_oauth_jwt.testing import SigningKey, TokenIssuer
from django_oauth_jwt.upstream import run_awaiting, run_blocking
from django_oauth_jwt.verification import averify_token, verify_token

from ..fixtures.forks import in_child
from .conftest import begin

TENANT = "https://tenant.example.com"
FOREVER = 60
PEM_FORM = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Anything(dict):
    """Has an entry for whatever is asked for."""

    def __init__(self, entry):
        self.get = entry


class Resolver:
    """Knows one tenant; tells what it was asked, and does first what it is told to."""

    def __init__(self):
        self.asked = []
        self.entries = {TENANT: {"AUDIENCE": "books"}}
        self.before = lambda iss: None

    def __call__(self, iss):
        self.asked.append(iss)
        self.before(iss)
        return self.entries.get(iss)


@pytest.fixture
def resolver():
    return Resolver()


@pytest.fixture
def resolved(resolver, clock):
    settings, problems = read({"ISSUER_RESOLVER": resolver, "ALGORITHMS": ["ES256"]})
    assert problems == []
    return ResolvedIssuers(settings, clock, clock)


@pytest.fixture
def ask(resolved):
    return lambda iss=TENANT: run_blocking(resolved.resolution_steps(iss)).trusted


@pytest.fixture
def errors(caplog):
    caplog.set_level(logging.ERROR, "django_oauth_jwt")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "django_oauth_jwt"]


def test_an_entry_is_one_of_issuers(ask):
    """It says what holds for the issuer's tokens, and inherits the rest from the settings, but no source of keys."""
    trusted = ask()
    assert (trusted.issuer, trusted.audience, trusted.algorithms) == (TENANT, {"books"}, {"ES256"})
    assert trusted.key_url == TENANT


def test_the_resolver_is_asked_once_for_each_issuer_and_300_seconds(ask, resolver, clock):
    """Whatever it has to look up."""
    for seconds in (0, 299.9):
        clock.now = 1_800_000_000.0 + seconds
        ask()
        ask()
    assert len(resolver.asked) == 1
    clock.advance(0.1)
    ask()
    assert len(resolver.asked) == 2


@pytest.mark.parametrize("form", ["secret", "private key"])
def test_an_entry_with_credentials_that_has_not_changed_keeps_its_keys(ask, resolver, clock, form):
    """The issuer stays the same object, with its keys, which are good for longer than the resolver's word."""

    def say(name):
        pem = SigningKey.generate("ES256", name).private_key.private_bytes(*PEM_FORM).decode()
        made = {"secret": lambda: {"CLIENT_SECRET": name}, "private key": lambda: {"PRIVATE_KEY": pem}}[form]
        resolver.before = lambda iss: resolver.entries.update({TENANT: {"INTROSPECTION": {"CLIENT_ID": "x", **made()}}})

    say("hidden-1")
    first = ask()
    clock.advance(300)
    assert ask() is first
    say("hidden-2")
    clock.advance(300)
    second = ask()
    assert second is not first
    assert "hidden" not in repr(second)
    assert len(resolver.asked) == 3


def test_a_no_is_asked_again_after_30_seconds(ask, resolver, clock):
    """A tenant that was added meanwhile is accepted then, one that was removed is refused after 300."""
    other = "https://new.example.com"
    assert ask(other) is None
    resolver.entries[other] = {}
    clock.advance(29.9)
    assert ask(other) is None
    clock.advance(0.1)
    assert ask(other).issuer == other
    del resolver.entries[other]
    clock.advance(299.9)
    assert ask(other).issuer == other
    clock.advance(0.1)
    assert ask(other) is None
    assert len(resolver.asked) == 3


@pytest.mark.parametrize(
    "iss", ["", " ", f" {TENANT}", f"{TENANT}\n", "a\0b", "\ud800", "a" * (MAXIMUM_LENGTH + 1), "\u202etenant"]
)
def test_what_could_be_no_issuer_reaches_no_resolver(ask, resolver, iss):
    """Databases raise errors for some of it, and lookups find too much for others."""
    assert ask(iss) is None
    assert resolver.asked == []


@pytest.mark.parametrize("error", [RuntimeError("down"), StopIteration(), InvalidToken("own", "Words"), KeyError("x")])
def test_an_error_of_the_resolver_is_no_no(ask, resolver, clock, errors, error):
    """It is 503 for a second, whatever it is, and asked again after that; the log has it."""

    def fail(iss):
        raise error

    resolver.before = fail
    for _ in range(3):
        with pytest.raises(IssuerUnavailable) as caught:
            ask()
        assert (caught.value.status, caught.value.retry_after) == (503, 1)
    assert len(resolver.asked) == 1
    assert errors() == ["ISSUER_RESOLVER failed"]
    clock.advance(1)
    resolver.before = lambda iss: None
    assert ask().issuer == TENANT


class Busy(KeysUnavailable):
    """A child of the project's own."""

    REASON = ("busy", "The table of tenants is being rebuilt")


@pytest.mark.parametrize(
    "error", [KeysUnavailable(77), Busy(77), IssuerUnavailable(77)], ids=lambda error: error.reason
)
def test_a_resolver_may_say_when_to_come_back(ask, resolver, clock, errors, error):
    """A KeysUnavailable is passed on as it is and for a second, and no failure that the log has to tell of."""

    def refuse(iss):
        raise error

    resolver.before = refuse
    raised = []
    for _ in range(3):
        with pytest.raises(type(error)) as caught:
            ask()
        raised.append(caught.value)
    assert [(each.reason, each.retry_after) for each in raised] == [(error.reason, 77)] * 3
    assert len({id(each) for each in raised}) == 3
    assert (len(resolver.asked), errors()) == (1, [])
    clock.advance(1)
    resolver.before = lambda iss: None
    assert ask().issuer == TENANT


def fail(iss):
    raise RuntimeError


def with_typo(iss):
    return {"AUDIENCES": "books"}


@pytest.mark.parametrize("wrong", [fail, with_typo])
def test_errors_are_logged_once_a_second(ask, resolver, clock, errors, wrong):
    """Anybody can make up issuers for which the resolver raises one, or gives a wrong entry."""
    resolver.before, resolver.entries = (fail, {}) if wrong is fail else (lambda iss: None, Anything(wrong))
    for number in range(10):
        with pytest.raises(IssuerUnavailable):
            ask(f"https://{number}.example.com")
        clock.advance(0.2)
    assert len(errors()) == 2


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"AUDIENCES": "x"}, "unknown key 'AUDIENCES'. Did you mean 'AUDIENCE'?"),
        ({"ALGORITHMS": ["HS256"]}, "['ALGORITHMS'] must not hold 'HS256'"),
        ({"SCOPE": "x"}, "a key 'SCOPE' that an issuer cannot have for itself"),
        ({"JWKS_URI": "http://tenant.example.com/jwks"}, "would have the keys fetched without TLS"),
        ({"JWKS": {}, "JWKS_URI": "https://tenant.example.com/jwks"}, "['JWKS'] must be a JWKS"),
        ({"JWKS": "/no/such/file"}, "the file /no/such/file is not there"),
        ({"INTROSPECTION": {"CLIENT_ID": "api", "CLIENT_SECRET": 1}}, "['INTROSPECTION'] has 'CLIENT_SECRET', which"),
        ("https://tenant.example.com/jwks", "must be a dict."),
        (True, "must be a dict."),
    ],
)
def test_a_wrong_entry_is_an_error_that_names_the_key(ask, resolver, clock, errors, entry, words):
    """503 for that issuer for 30 seconds, and nobody else notices."""
    resolver.entries["https://wrong.example.com"] = entry
    for _ in range(2):
        with pytest.raises(IssuerUnavailable) as caught:
            ask("https://wrong.example.com")
        assert caught.value.retry_after == 30
    (line,) = errors()
    assert line.startswith("An entry of ISSUER_RESOLVER cannot be used: OAUTH_JWT['ISSUER_RESOLVER']('https://wrong.")
    assert words in line
    assert ask().issuer == TENANT
    resolver.entries["https://wrong.example.com"] = {}
    clock.advance(30)
    assert ask("https://wrong.example.com") is not None


def test_a_known_issuer_whose_resolver_fails_is_refused_once_its_time_is_over(ask, resolver, clock):
    """In doubt nobody is trusted; after the failure its keys are still there."""
    before = ask()

    def fail(iss):
        raise RuntimeError

    resolver.before = fail
    clock.advance(299)
    assert ask() is before
    clock.advance(1)
    with pytest.raises(IssuerUnavailable):
        ask()
    resolver.before = lambda iss: None
    clock.advance(1)
    assert ask() is before


def test_requests_that_come_together_ask_once(resolved, ask, resolver):
    """The others wait for the one that asks."""
    is_asked, may_go = threading.Event(), threading.Event()

    def hang(iss):
        is_asked.set()
        may_go.wait(FOREVER)

    resolver.before = hang
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask)
        assert is_asked.wait(FOREVER)
        others = [resolved.resolution_steps(TENANT) for _ in range(3)]
        waits = [begin(steps) for steps in others]
        assert [wait.seconds for wait in waits] == [1.0] * 3
        may_go.set()
        found = first.result()
    for steps in others:
        with pytest.raises(StopIteration) as end:
            steps.send(None)
        assert end.value.value.trusted is found
    assert len(resolver.asked) == 1


def test_nobody_waits_for_a_question_that_hangs(resolved, clock):
    """A request waits until a second after the question began, and is refused then; one that comes later at once."""
    question = resolved.resolution_steps(TENANT)
    begin(question)
    clock.advance(0.75)
    late = resolved.resolution_steps(TENANT)
    assert begin(late).seconds == 0.25
    with pytest.raises(IssuerUnavailable):
        late.send(None)
    clock.advance(1)
    assert begin(resolved.resolution_steps(TENANT)).seconds < 0


def test_a_question_that_is_given_up_can_be_asked_again(resolved, ask, resolver):
    """Those who wait are refused, and the next request asks."""
    question, waiting = resolved.resolution_steps(TENANT), resolved.resolution_steps(TENANT)
    begin(question)
    wait = begin(waiting)
    question.close()
    assert wait.future.done()
    with pytest.raises(IssuerUnavailable):
        waiting.send(None)
    assert ask().issuer == TENANT


def test_few_unknown_issuers_are_asked_about_at_a_time(resolved, ask, clock):
    """Anybody can make them up, and each holds a thread; an issuer that is known needs no turn."""
    ask()
    clock.advance(300)
    made_up = [resolved.resolution_steps(f"https://{number}.example.com") for number in range(ASKED_AT_ONCE)]
    for steps in made_up:
        assert begin(steps).get() is None
    waiting = resolved.resolution_steps("https://more.example.com")
    turn = begin(waiting)
    assert ask().issuer == TENANT
    with pytest.raises(StopIteration):
        made_up[0].send(None)
    assert turn.future.done()
    assert waiting.send(None).get() is None
    with pytest.raises(StopIteration):
        waiting.send(None)


def test_the_resolver_runs_in_a_thread_under_asgi(resolved, resolver):
    """It may use the ORM there, and the event loop goes on."""
    threads = []
    resolver.before = lambda iss: threads.append(threading.current_thread())
    found = asyncio.run(run_awaiting(resolved.resolution_steps(TENANT)))
    assert found.trusted.issuer == TENANT
    assert threads != [threading.current_thread()]


def test_a_child_process_asks_for_itself(resolved, ask, resolver):
    """Locks and questions under way stay behind in its parent."""
    hanging = resolved.resolution_steps("https://hanging.example.com")
    begin(hanging)
    ask()

    def asks():
        ask()
        ask("https://hanging.example.com")
        return len(resolver.asked) == 3

    assert in_child(asks)
    assert len(resolver.asked) == 1


@pytest.fixture
def tenant(settings, resolver):
    """A tenant whose keys the resolver has, in the project's settings."""
    tenant = TokenIssuer(TENANT, alg="ES256")
    resolver.entries[TENANT] = {"JWKS_SERVICE": tenant}
    settings.OAUTH_JWT = {"ISSUER_RESOLVER": resolver}
    return tenant


def test_the_key_service_of_a_resolved_issuer_can_be_had(tenant):
    """By its name; one that is not trusted has none."""
    assert get_jwks_service(TENANT) is tenant
    for issuer in (None, "https://other.example.com"):
        with pytest.raises(LookupError, match="no service for the issuer"):
            get_jwks_service(issuer)


def test_the_services_in_use_are_known(tenant, settings, resolver):
    """Those that a request has asked for, and no other is made for the list."""
    settings.OAUTH_JWT = {"ISSUERS": {"https://listed.example.com": {}}, "ISSUER_RESOLVER": resolver}
    assert services_in_use(get_runtime()) == []
    verify_token(tenant.token())
    ((trusted, service),) = services_in_use(get_runtime())
    assert (trusted.issuer, service) == (TENANT, tenant)


def test_a_tenants_tokens_are_verified(tenant, resolver, frozen_time):
    """Sync and async; one that is not trusted is refused before any key is asked for."""
    assert verify_token(tenant.token(sub="anna")).subject == "anna"
    assert asyncio.run(averify_token(tenant.token(sub="ben"))).subject == "ben"
    with pytest.raises(InvalidToken) as caught:
        verify_token(tenant.token(iss="https://other.example.com"))
    assert caught.value.reason == "wrong_issuer"
    for iss in (None, 7, ["x"]):
        with pytest.raises(InvalidToken, match="issuer is not accepted"):
            verify_token(tenant.token(iss=iss))
    assert resolver.asked == [TENANT, "https://other.example.com"]


def test_a_remembered_token_ends_with_the_yes(tenant, resolver, frozen_time):
    """A tenant that was removed is refused after 300 seconds, though its token was verified before."""
    token = tenant.token(exp=frozen_time.now + 9999)
    verify_token(token)
    del resolver.entries[TENANT]
    frozen_time.now += 299
    verify_token(token)
    frozen_time.now += 1
    with pytest.raises(InvalidToken) as caught:
        verify_token(token)
    assert caught.value.reason == "wrong_issuer"


def test_a_key_service_given_by_hand_speaks_for_its_own_issuer_only(tenant, resolver):
    """The resolver is asked what it requires of that one's tokens, and about no other."""
    other = TokenIssuer("https://other.example.com", alg="ES256")
    assert verify_token(other.token(), jwks_service=other).issuer == other.issuer
    with pytest.raises(InvalidToken):
        verify_token(tenant.token(), jwks_service=other)
    assert resolver.asked == [other.issuer]
