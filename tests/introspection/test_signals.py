"""The signals of introspection: for metrics, and after the requests have their answers."""

import threading

import pytest

from django_oauth_jwt.errors import IntrospectionUnavailable, InvalidToken
from django_oauth_jwt.introspection.introspector import Introspector
from django_oauth_jwt.signals import introspected, introspection_failed
from django_oauth_jwt.verification import verify_token

from ..servers.faulty_server import FOREVER

ISSUER = "https://issuer.test"


def arguments(heard):
    (name, found) = heard[-1]
    seconds = found.pop("seconds")
    assert isinstance(seconds, float)
    assert 0 <= seconds < FOREVER
    del found["signal"]
    return name, found


@pytest.mark.parametrize(
    ("answer", "active"),
    [({"active": True}, True), ({"active": False}, False), ({"active": True, "sub": "x"}, True)],
)
def test_each_answer_is_told(asked, endpoint, heard, answer, active):
    """Whose, whether the token was active, and how long it took."""
    endpoint.answer = lambda uri, form: answer
    asked.verdict("token")
    assert arguments(heard) == ("introspected", {"sender": Introspector, "issuer": ISSUER, "active": active})
    asked.verdict("token")
    assert len(heard) == 1  # remembered


@pytest.mark.parametrize(
    ("answer", "reason", "error_type"),
    [
        ((500, "", {}), "status 500", "500"),
        ((401, "", {}), "status 401: the credentials in INTROSPECTION are not accepted", "401"),
        (
            (403, "", {}),
            "status 403: the credentials in INTROSPECTION are not accepted, or this one token is not",
            "403",
        ),
        (ConnectionError("hunter2"), "request failed (ConnectionError)", "ConnectionError"),
        (TimeoutError(), "no whole answer within 5 seconds", "timeout"),
        ({"active": "true"}, "active is neither true nor false", "unusable"),
    ],
)
def test_each_failure_is_told(asked, endpoint, heard, answer, reason, error_type):
    """With its reason, as in the log, and with one of few words for figures."""
    endpoint.answer = lambda uri, form: answer
    asked.verdict("token")
    assert arguments(heard) == (
        "introspection_failed",
        {"sender": Introspector, "issuer": ISSUER, "reason": reason, "error_type": error_type},
    )
    assert len(heard) == 1


def test_an_answer_that_does_not_hold_here_is_one_about_an_active_token(settings, endpoint, heard):
    """The server has said so."""
    settings.OAUTH_JWT = {
        "ISSUER": ISSUER,
        "HTTP_SESSION": lambda: endpoint,
        "INTROSPECTION": {"AUTH": "none", "CLIENT_ID": "api", "ENDPOINT": f"{ISSUER}/i"},
    }
    endpoint.answer = lambda uri, form: {"active": True, "exp": 1}
    with pytest.raises(InvalidToken, match="expired"):
        verify_token("opaque")
    assert heard.names(1) == ["introspected"]
    assert heard[0][1]["active"] is True


@pytest.mark.parametrize("signal", [introspected, introspection_failed])
def test_requests_do_not_wait_for_receivers(trust_server, signal):
    """They are served first."""
    server, release = trust_server(), threading.Event()

    def slow(**kwargs):
        release.wait(FOREVER)

    signal.connect(slow)
    try:
        if signal is introspected:
            assert verify_token(server.issuer.opaque_token("read")).scopes == {"read"}
        else:
            with server.down(), pytest.raises(IntrospectionUnavailable):
                verify_token("opaque")
    finally:
        release.set()
        signal.disconnect(slow)


@pytest.mark.parametrize("signal", [introspected, introspection_failed])
def test_a_receiver_that_fails_changes_nothing(asked, endpoint, heard, signal):
    """Django logs its error; the others are told."""

    def fail(**kwargs):
        raise ZeroDivisionError

    endpoint.answer = lambda uri, form: {"active": True} if signal is introspected else (500, "", {})
    receivers, signal.receivers = signal.receivers, []
    signal.connect(fail)
    signal.receivers += receivers
    signal.sender_receivers_cache.clear()
    try:
        asked.verdict("token")
    finally:
        signal.disconnect(fail)
    assert len(heard) == 1
