"""What the tests of verification share: both twins, and the reason for which a token is rejected."""

import asyncio

import pytest

from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.verification import averify_token, verify_token


def _averify(encoded_token, **kwargs):
    return asyncio.run(averify_token(encoded_token, **kwargs))


@pytest.fixture(params=[verify_token, _averify], ids=["sync", "async"])
def verify(request):
    """Verify a token, on either side of Django's two worlds."""
    return request.param


@pytest.fixture
def reason_of(verify):
    """Why a token is refused, None where it is accepted; the same the second time, when it is remembered."""

    def outcome(encoded_token, **kwargs):
        try:
            verify(encoded_token, **kwargs)
        except InvalidToken as error:
            return error.reason
        return None

    def reason_of(encoded_token, **kwargs):
        first, again = (outcome(encoded_token, **kwargs) for _ in range(2))
        assert again == first
        return first

    return reason_of


@pytest.fixture
def signed():
    """Sign a payload as it is with an issuer's key."""

    def signed(issuer, payload):
        key = issuer.keys[-1]
        return key.encode({"typ": "at+jwt", "alg": key.alg, "kid": key.kid}, payload)

    return signed
