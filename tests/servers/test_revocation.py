"""Revocation on real servers: what one process revokes, all workers refuse at once, also what they remember."""

import pytest

from django_oauth_jwt.errors import RevocationCheckUnavailable
from django_oauth_jwt.revocation import revoke, revoke_subject
from django_oauth_jwt.verification import verify_token

from .clients import statuses, until, until_all_workers

pytestmark = pytest.mark.real_servers

SHIPPED = "django_oauth_jwt.revocation.is_revoked"
REVOKED = 'Bearer error="invalid_token", error_description="Token has been revoked"'


@pytest.fixture
def project(settings, auth_server, valkey):
    """This process is one more of the project's, as one that runs its commands or its tasks."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": valkey.uri},
    }
    settings.OAUTH_JWT = {"ISSUER": auth_server.origin, "JWKS_SERVICE": auth_server.issuer, "IS_REVOKED": SHIPPED}


def insist(call):
    """Call until the cache has kept it: on a machine with much to do it may be too slow at first."""

    def is_done():
        try:
            call()
        except RevocationCheckUnavailable:
            return False
        return True

    until(is_done)


@pytest.mark.usefixtures("project")
def test_what_another_process_revokes_no_worker_accepts_once_more(start, auth_server, valkey):
    """A token by its `jti`, those of a subject, and all of them while the cache that should know is down."""
    by_jti, by_subject, other = (auth_server.issuer.token(sub=sub) for sub in ("anna", "bert", "chris"))
    with start("gunicorn", IS_REVOKED=SHIPPED) as running:
        for token in (by_jti, by_subject, other):
            until_all_workers(running, token, 200)
        insist(lambda: revoke(verify_token(by_jti)))
        insist(lambda: revoke_subject(auth_server.origin, "bert"))
        for token in (by_jti, by_subject):
            answers = [running.get(token) for _ in range(16)]
            assert 200 not in statuses(answers)
            assert {answer.headers["WWW-Authenticate"] for answer in answers if answer.status == 403} == {REVOKED}
            until_all_workers(running, token, 403)
        until_all_workers(running, other, 200)
        valkey.kill()
        answers = [running.get(other) for _ in range(8)]
        assert {(answer.status, answer.headers["Retry-After"]) for answer in answers} == {(503, "1")}
        until_all_workers(running, other, 503)
