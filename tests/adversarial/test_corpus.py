"""Each attack at each entrance: refused, with the right status and words, and nothing of it comes back."""

import logging
import re

import pytest

from django_oauth_jwt.errors import InvalidToken, MissingToken

from .corpus import CASES
from .entrances import REALM, WORLDS
from .forge import mints
from .rfc_challenge import read_challenge

pytestmark = pytest.mark.unmeasured

#: DRF passes these on to a view's next authenticator; a view that is open to all is then open.
PASSED_OVER = ("no_authorization", "other_scheme")


def test_the_corpus_is_large_and_each_attack_has_its_own_name():
    """No two attacks under one name, or one could vanish unseen."""
    assert len({case.name for case in CASES}) == len(CASES) >= 800


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.name))
def test_an_attack_is_refused_at_every_entrance(trust_mints, entrances, caplog, case):
    """Right after the token that it is made from was accepted, be it remembered or not."""
    caplog.set_level(logging.DEBUG)
    mint = mints(case.alg)
    keys, authorization = case.jwks(mint), case.authorization(mint)
    for world in WORLDS.values():
        trust_mints(keys, **world)
        for verify in entrances.verifiers.values():
            assert verify(mint.token).subject == "user-1"
        for path, answer in entrances.answers(authorization):
            assert_refused(path, answer, case.reason, world["INVALID_TOKEN_STATUS"])
        for name, refusal in entrances.refusals(case, authorization):
            assert isinstance(refusal, InvalidToken), name
            assert refusal.reason == case.reason or case.reason in MissingToken.DESCRIPTIONS, name
            assert refusal.status == world["INVALID_TOKEN_STATUS"], name
    assert not [piece for piece in re.split(r"[\s.]+", authorization) if len(piece) > 24 and piece in caplog.text]


def assert_refused(path, answer, reason, invalid_token_status):
    """The whole answer is told by the reason alone, so nothing that was sent can be in it."""
    is_missing = reason in MissingToken.DESCRIPTIONS
    if path == "/drf-open" and reason in PASSED_OVER:
        assert (answer.status_code, answer.json()) == (200, {"sub": None})
        return
    description = (MissingToken if is_missing else InvalidToken).DESCRIPTIONS[reason]
    said = {"error": None if is_missing else "invalid_token", "error_description": description}
    assert (path, answer.status_code) == (path, 401 if is_missing else invalid_token_status)
    assert (path, answer.json()) == (path, _body(path, said, is_passed_over=reason in PASSED_OVER))
    headers = dict(answer.headers)
    assert read_challenge(headers.pop("WWW-Authenticate")) == {"realm": REALM, **({} if is_missing else said)}
    rest = {"Content-Type": "application/json", "Cache-Control": "no-store", "Vary": "Authorization"}
    if path.startswith("/drf"):
        rest |= {"Allow": "GET, HEAD, OPTIONS", "Vary": "Accept, Authorization"}
    assert (path, headers) == (path, rest)


def _body(path, said, *, is_passed_over):
    if not path.startswith("/drf"):
        return said
    return {"detail": "Authentication credentials were not provided." if is_passed_over else said["error_description"]}
