"""Whatever the authorization server does, the answer is one of the contract's and the keys at hand stay."""

import gzip
import itertools
import json
import logging
import queue
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from django_oauth_jwt import signals
from django_oauth_jwt.testing import SigningKey

from ..servers.faulty_server import (
    FAULTS,
    FOREVER,
    answer_as_it_should,
    continue_for_ever,
    drip_body,
    drip_chunks,
    drip_header,
    respond_with,
)
from .inside import inside

FRESH = 300

#: How receivers are told of faults that are neither a status nor something unusable.
TYPES = {"no whole answer within": {"timeout"}, "request failed": {"ConnectionError", "ProtocolError"}}

every_fault = pytest.mark.parametrize(("fault", "reason"), FAULTS.values(), ids=FAULTS)


@pytest.fixture
def misbehaving(auth_server, service):
    """Have the server misbehave while the context lasts; a fetch that never ends is given up soon."""

    @contextmanager
    def misbehaving(fault, reason):
        if reason.startswith("no whole answer"):
            inside(service).client.timeout = 0.3
        with auth_server.behaving(fault):
            yield
        inside(service).client.timeout = FOREVER

    return misbehaving


@every_fault
def test_a_fault_in_the_cold_is_a_503(fault, reason, misbehaving, service, status_of, auth_server, clock, heard, log):
    """Without keys each fault is a 503, its reason is logged and signalled once, and a success ends it."""
    with misbehaving(fault, reason):
        assert [status_of(service) for _ in range(3)] == [503, 503, 503]
        auth_server.wait_for(lambda: auth_server.fetches == 1)
    event, sender, told, retry_at = heard.next()
    assert (event, sender, retry_at) == ("failed", service, clock() + 1)
    assert reason in told
    failures = [line for line in log() if "failed" in line]
    assert failures == [f"JWKS fetch from {auth_server.uri} failed: {told}; next try in 1 seconds"]
    clock.advance(1)
    assert status_of(service) == 200
    assert heard.next() == ("refreshed", service, 1)
    assert heard.has_nothing_more()


@every_fault
def test_a_fault_costs_no_key_that_is_at_hand(
    fault, reason, misbehaving, service, status_of, auth_server, clock, settle, heard, log
):
    """With keys each fault is logged and signalled once per fetch, and the same keys answer on."""
    assert status_of(service) == 200
    keys = service.current()
    assert heard.next() == ("refreshed", service, 1)
    clock.advance(FRESH)
    with misbehaving(fault, reason):
        for fetches in (2, 3):
            assert [status_of(service) for _ in range(3)] == [200, 200, 200]
            settle(service)
            assert service.current() is keys
            assert auth_server.fetches == fetches
            event, _, told, retry_at = heard.next()
            assert (event, reason in told) == ("failed", True)
            clock.now = retry_at
    assert len([line for line in log() if "failed" in line]) == 2
    assert heard.has_nothing_more()
    assert [status_of(service) for _ in range(3)] == [200, 200, 200]
    settle(service)
    assert heard.next() == ("refreshed", service, 1)


@pytest.mark.parametrize(("surplus", "status"), [(0, 200), (1, 503)])
def test_the_size_limit_is_exact(surplus, status, service, status_of, auth_server):
    """A document of 512 KiB is read, one byte more is refused."""
    jwks = f'{{"keys": [{json.dumps(auth_server.issuer.keys[0].public_jwk())}]}}'.encode()
    auth_server.fault = respond_with(body=jwks.ljust(512 * 1024 + surplus))
    assert status_of(service) == status


def test_a_zip_bomb_is_refused(service, status_of, auth_server, heard):
    """The limit counts what a compressed answer unpacks to."""
    bomb = gzip.compress(b'{"keys": [' + b" " * 5_000_000)
    auth_server.fault = respond_with(body=bomb, Content_Encoding="gzip")
    assert status_of(service) == 503
    assert heard.next()[2] == "longer than 524288 bytes"


@pytest.mark.parametrize("never_ends", [drip_header, drip_body, drip_chunks, continue_for_ever])
def test_a_fetch_that_was_given_up_ends(never_ends, make_service, status_of, auth_server, clock, heard):
    """Its socket is closed at the deadline, so that no thread reads on, and others are begun as ever."""
    service = make_service(timeout=0.3)
    with auth_server.behaving(never_ends):
        for _ in range(6):
            assert status_of(service) == 503
            assert heard.next()[2] == "no whole answer within 0.3 seconds"
            auth_server.wait_for(lambda: auth_server.pending == 0)
            clock.advance(30)


def test_fetches_that_never_end_do_not_pile_up(make_service, status_of, auth_server, clock, heard):
    """The sockets of what is no `requests.Session` cannot be closed: four fetches may linger, then none is begun."""
    session = SimpleNamespace(get=requests.Session().get)
    service = make_service(timeout=0.5, session=session)  # long beside the drops, as machines may be busy
    with auth_server.behaving(drip_header):
        for _ in range(6):
            assert status_of(service) == 503
            clock.advance(30)
        assert auth_server.fetches == 4
    reasons = [heard.next()[2] for _ in range(6)]
    assert reasons == ["no whole answer within 0.5 seconds"] * 4 + ["earlier fetches still hang"] * 2
    auth_server.wait_for(lambda: auth_server.pending == 0)
    inside(service).client.timeout = FOREVER
    while status_of(service) != 200:
        clock.advance(30)


@pytest.mark.parametrize("value", ["120", "7200"])
def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(value, make_service, status_of, auth_server, clock, settle):
    """By all processes, and up to an hour; keys that are there answer on."""
    service, other = make_service(), make_service()
    assert status_of(service) == 200
    clock.advance(FRESH)
    auth_server.fault = respond_with("429 Too Many Requests", Retry_After=value)
    for seconds in (0, 31, min(int(value), 3600) - 32):
        clock.advance(seconds)
        for each in (service, other):
            assert status_of(each) == 200
            settle(each)
        assert auth_server.fetches == 2
    clock.advance(1)
    assert status_of(service) == 200
    settle(service)
    assert auth_server.fetches == 3


@pytest.mark.parametrize("drip", [drip_body, drip_chunks])
def test_a_dripped_body_is_left_when_its_time_is_over(drip, make_service, status_of, auth_server):
    """A fetch that was given up reads no further, though the server would drip on."""
    service = make_service(timeout=0.05)
    with auth_server.behaving(drip):
        assert status_of(service) == 503
        auth_server.wait_for(lambda: auth_server.pending == 0)


def test_unusable_keys_are_skipped_with_a_warning(service, status_of, auth_server, log):
    """Keys that cannot check signatures are named in the log, and those that can are used."""
    good = auth_server.issuer.keys[0].public_jwk()
    weak = _rsa_jwk(1024)
    auth_server.more_keys = [
        "no object",
        {**good, "kid": "for-encryption", "use": "enc"},
        {**good, "kid": "no-verify", "key_ops": ["sign"]},
        {**good, "kid": "private", "d": "AAAA"},
        {**good, "kid": "off-curve", "x": good["y"]},
        {**good, "kid": "other-curve", "crv": "secp256k1"},
        {**good, "kid": "no-signature", "alg": "ECDH-ES"},
        {**good, "kid": ["odd"]},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "symmetric"},
        {"kty": "unheard-of", "kid": "new\nline"},
        {**weak, "kid": "weak"},
    ]
    assert status_of(service) == 200
    assert [line.removesuffix(f" ({auth_server.uri})") for line in log() if "skipped" in line] == [
        "JWKS key number 2 is skipped: not an object",
        "JWKS key 'for-encryption' is skipped: use is not sig",
        "JWKS key 'no-verify' is skipped: key_ops does not hold verify",
        "JWKS key 'private' is skipped: secret or private key material has no place in a JWKS that is public",
        "JWKS key 'off-curve' is skipped: key cannot be parsed",
        "JWKS key 'other-curve' is skipped: key type or curve cannot check signatures here",
        "JWKS key 'no-signature' is skipped: alg is not a signature algorithm of this key type and curve",
        "JWKS key number 9 is skipped: kid is not a string",
        "JWKS key 'symmetric' is skipped: secret or private key material has no place in a JWKS that is public",
        "JWKS key 'new\\nline' is skipped: key type or curve cannot check signatures here",
        "JWKS keys skipped beside these: 1",
    ]
    assert all(line.endswith(f" ({auth_server.uri})") for line in log() if "skipped" in line)
    skipped = service.current().unusable[-1]
    assert (skipped.kid, skipped.reason) == ("weak", "RSA key of 1024 bits; 2048 is the least")


@pytest.mark.parametrize("is_discovered", [False, True])
def test_a_skipped_key_is_named_with_its_source(make_service, auth_server, log, is_discovered):
    """The URL that was asked, or where other processes have the keys from; nothing that may be secret."""
    auth_server.more_keys = ["no object"]
    auth_server.jwks_path = "/jwks?token=secret"
    uri = f"{auth_server.origin}/jwks?token=secret"
    metadata = {"issuer": auth_server.origin, "jwks_uri": uri}
    auth_server.metadata["/.well-known/oauth-authorization-server"] = metadata
    for source in (auth_server.uri, f"the metadata of {auth_server.origin}" if is_discovered else auth_server.uri):
        make_service(None if is_discovered else uri, issuer=auth_server.origin).refresh()
        assert [line for line in log() if "skipped" in line][
            -1
        ] == f"JWKS key number 2 is skipped: not an object ({source})"
    assert sum("skipped" in line for line in log()) == 2


def test_a_success_is_logged_with_its_time(service, status_of, auth_server, log):
    """One line for each fetch says how long it took and how many keys it brought."""
    status_of(service)
    (line,) = log()
    assert line.startswith(f"JWKS fetched from {auth_server.uri} in 0.")
    assert line.endswith(" seconds: 1 usable keys")


def test_the_log_names_no_time_that_is_over(make_service, auth_server, log):
    """With a cooldown of 0 the next fetch may be made at once, which is before the line is written."""
    moments = itertools.count(1_800_000_000.0, 0.125)
    service = make_service(cooldown_seconds=0, clock=lambda: next(moments))
    with auth_server.behaving(respond_with("500 Internal Server Error")):
        service.inspect()
    assert log() == [f"JWKS fetch from {auth_server.uri} failed: status 500; next try in 0 seconds"]


def test_the_log_holds_no_token_and_no_url(make_service, status_of, auth_server, clock, caplog):
    """Neither tokens, good or bad, nor the JWKS URI, which may hold a secret, get into the log."""
    caplog.set_level(logging.DEBUG, "django_oauth_jwt")
    service = make_service(f"{auth_server.uri}?secret=hidden", timeout=0.05)
    auth_server.jwks_path = "/jwks?secret=hidden"
    tokens = [
        auth_server.issuer.token(),
        auth_server.issuer.token(forged=True),
        auth_server.issuer.token(expired=True),
        auth_server.issuer.token(header={"kid": "made-up"}),
    ]
    for fault, _ in FAULTS.values():
        for token in tokens:
            status_of(service, token)
        clock.advance(FRESH)
        auth_server.fault = fault
    records = [record for record in caplog.records if record.name == "django_oauth_jwt"]
    everything = repr([(record.getMessage(), vars(record)) for record in records])
    assert " failed: " in everything
    assert "hidden" not in everything
    for token in tokens:
        _, payload, signature = token.split(".")
        assert payload not in everything
        assert signature not in everything


@every_fault
def test_receivers_learn_the_type_of_a_fault_and_how_long_it_took(
    fault, reason, misbehaving, service, status_of, told, heard
):
    """One of few words, whatever the server says: a status, a time that was over, an error, or nothing usable."""
    with misbehaving(fault, reason):
        status_of(service)
        assert heard.next()[0] == "failed"
    (error_type,) = [each["error_type"] for each in told]
    assert error_type in TYPES.get(reason, {reason.removeprefix("status ")} if "status" in reason else {"unusable"})
    assert 0 < told[0]["seconds"] < FOREVER


def test_receivers_learn_how_long_a_fetch_took(service, status_of, told, heard):
    """Discovery included, where there is one."""
    assert status_of(service) == 200
    assert heard.next()[0] == "refreshed"
    assert 0 < told[0]["seconds"] < FOREVER


def test_a_slow_receiver_of_a_signal_delays_no_request(service, status_of):
    """Those who wait for the keys have them before the receivers are called, which may ask for keys themselves."""
    answered, seen = threading.Event(), queue.Queue()

    def receiver(service, **kwargs):
        seen.put(answered.wait(1))
        seen.put(service.key_set_for("key-1", "ES256"))
        raise RuntimeError("receivers that raise change nothing")

    signals.jwks_refreshed.connect(receiver)
    try:
        assert status_of(service) == 200
        answered.set()
        assert seen.get(timeout=FOREVER) is True
        assert seen.get(timeout=FOREVER) is service.current()
    finally:
        signals.jwks_refreshed.disconnect(receiver)


def test_an_unexpected_error_is_a_503_and_is_logged_whole(service, status_of, monkeypatch, clock, log):
    """A bug of ours, or of what we build on, is logged with its traceback and costs no 500."""
    monkeypatch.setattr(inside(service).refresher, "run", lambda *args: 1 / 0)
    assert status_of(service) == 503
    assert log() == ["The refresh of the JWKS went wrong"]
    monkeypatch.undo()
    clock.advance(30)
    assert status_of(service) == 200


@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "cold"])
def test_an_unexpected_error_is_no_reason_to_try_at_once_again(
    is_warm, service, status_of, auth_server, clock, settle, monkeypatch
):
    """The next fetch waits for the cooldown, however many requests come."""
    if is_warm:
        assert status_of(service) == 200
        clock.advance(FRESH)
    tasks = []

    def run(task, state):
        tasks.append(task)
        raise ZeroDivisionError

    monkeypatch.setattr(inside(service).refresher, "run", run)
    for _ in range(29):
        assert status_of(service) == (200 if is_warm else 503)
        settle(service)
        clock.advance(1)
    assert [task for task in tasks if task.may_fetch] == tasks[:1]


def test_a_log_handler_that_raises_holds_up_nobody(service, status_of, auth_server, clock):
    """Whatever a project has put into its logging: the request is answered, and later ones are, too."""

    class Broken(logging.Filter):
        def filter(self, record):
            raise AttributeError("record.request")

    broken, log = Broken(), logging.getLogger("django_oauth_jwt")
    auth_server.fault = respond_with("500 Internal Server Error")
    log.addFilter(broken)
    try:
        assert status_of(service) == 503
    finally:
        log.removeFilter(broken)
    auth_server.fault = answer_as_it_should
    clock.advance(1)
    assert status_of(service) == 200


def test_a_panic_ends_no_refresh_for_good(service, status_of, auth_server, clock, log):
    """What is no Exception (a panic in Rust, a greenlet's timeout) is a 503 as well, and the next refresh goes on."""

    def panic():
        raise BaseException("panic")  # noqa: TRY002  # the kind that `except Exception` lets pass

    inside(service).client._session = panic
    assert status_of(service) == 503
    assert "The refresh of the JWKS went wrong" in log()
    inside(service).client._session = requests.Session
    clock.advance(31)
    assert status_of(service) == 200


def test_a_machine_without_threads_to_spare_keeps_answering(service, status_of, monkeypatch, clock, log, settle):
    """Where no thread can be had, known keys are answered and the cold start is a 503."""

    def no_thread(*args, **kwargs):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", no_thread)
    assert status_of(service) == 503
    monkeypatch.undo()
    assert status_of(service) == 200
    monkeypatch.setattr("threading.Thread.start", no_thread)
    clock.advance(FRESH)
    assert status_of(service) == 200
    assert log().count("No thread can be had to refresh the JWKS") == 2


def _rsa_jwk(bits):
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return SigningKey("weak", "RS256", key).public_jwk()
