"""The nonce: made of the time and the secret key, and good for as long as a proof."""

import re

import pytest
from django.core.signing import Signer

from django_oauth_jwt.errors import NonceRequired
from django_oauth_jwt.proofs.nonce import check_nonce, new_nonce

NOW = 1_800_000_000.0


def outcome(nonce, now=NOW, seconds=60):
    """Return "good", "renewed" or "refused"; the nonce that the client gets is always a good one."""
    try:
        given, name = check_nonce(nonce, now, seconds), "renewed"
    except NonceRequired as error:
        given, name = error.nonce, "refused"
    if given is None:
        return "good"
    assert check_nonce(given, now, seconds) is None
    return name


@pytest.mark.parametrize(
    ("age", "seconds", "expected"),
    [
        *((0, 60, "good"), (29, 60, "good"), (30, 60, "good"), (31, 60, "renewed"), (60, 60, "renewed")),
        *((61, 60, "refused"), (3600, 60, "refused"), (-1, 60, "good"), (-60, 60, "good"), (-61, 60, "refused")),
        *((100, 300, "good"), (151, 300, "renewed"), (301, 300, "refused"), (0.5, 1, "good"), (2, 1, "refused")),
    ],
)
def test_a_nonce_is_good_for_its_time_and_renewed_half_way(age, seconds, expected):
    """So a client that goes on asking is never refused for it. Another server's clock may be a little ahead."""
    assert outcome(new_nonce(NOW - age), NOW, seconds) == expected


FORGED = {
    "none": None,
    "empty": "",
    "a word": "nonce",
    "a time": str(int(NOW * 1000)),
    "a time with a dot": f"{int(NOW * 1000)}.",
    "a time with a signature of nothing": f"{int(NOW * 1000)}.{'A' * 43}",
    "of an authorization server": "eyJ7S_zG.eyJH0-Z.HX4w-7v",
    "not ASCII": f"{int(NOW * 1000)}.\u00e9",
    "control characters": "\0.\0",
    "very long": "1" * 6000 + "." + "A" * 43,
}


@pytest.mark.parametrize("nonce", FORGED.values(), ids=FORGED)
def test_a_nonce_that_is_not_ours_is_refused(nonce):
    """The answer has the one to use."""
    assert outcome(nonce) == "refused"


def test_a_nonce_whose_time_is_changed_is_refused():
    """Its signature is of another time."""
    time, _, signature = new_nonce(NOW).partition(".")
    assert outcome(f"{int(time) + 60_000}.{signature}", NOW + 60) == "refused"
    assert outcome(f"0{time}.{signature}") == "refused"
    assert outcome(f"{time}.{signature}") == "good"


def test_a_nonce_of_another_secret_key_is_refused_unless_it_is_a_former_one(settings):
    """A change of SECRET_KEY refuses nobody while the former key is in SECRET_KEY_FALLBACKS."""
    nonce = new_nonce(NOW)
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    assert outcome(nonce) == "refused"
    settings.SECRET_KEY_FALLBACKS = [former]
    assert outcome(nonce) == "good"
    assert new_nonce(NOW) != nonce


def test_what_was_signed_for_another_purpose_is_no_nonce():
    """The salt tells them apart: a project may sign times, too."""
    assert outcome(Signer(sep=".").sign(str(int(NOW * 1000)))) == "refused"
    assert outcome(Signer(sep=".", salt="django_oauth_jwt").sign(str(int(NOW * 1000)))) == "refused"


def test_a_nonce_can_stand_in_a_header():
    """RFC 9449 section 8.1: 1*NQCHAR, which a quoted string could hold, too."""
    assert re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", new_nonce(NOW))


def test_the_next_nonce_cannot_be_told():
    """Nothing of its signature is in the one before."""
    first, second = (new_nonce(NOW + seconds).partition(".")[2] for seconds in (0, 1))
    assert len(first) == len(second) == 43
    assert first != second
