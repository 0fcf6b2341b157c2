"""A tenant that is added is accepted and one that is removed refused, within the documented times, by any entrance."""

import pytest

from .issuers import A, B

#: What the manual says of how long a yes and a no are remembered, in seconds.
YES, NO = 300, 30
LONG = {"exp": 1_900_000_000}


@pytest.fixture
def status_of(enter):
    """The status for a token of an issuer; the same token each time."""
    sent = {}

    def status_of(issuer):
        token = sent.setdefault(issuer.issuer, issuer.token("read", **LONG))
        return enter(token)[0]

    return status_of


@pytest.mark.parametrize("size", [1024, 0], ids=["remembered", "verified anew"])
class TestTimes:
    """With the cache of tokens and without it."""

    @pytest.fixture
    def tenants(self, size, trust_tenants):
        return trust_tenants(TOKEN_CACHE_SIZE=size)

    def test_a_tenant_that_is_added_is_accepted_half_a_minute_later(self, tenants, frozen_time, status_of):
        """It was refused before, for as long as a no is remembered and no longer."""
        assert status_of(A) == 403
        tenants.add(A)
        frozen_time.now += NO - 1
        assert status_of(A) == 403
        frozen_time.now += 1
        assert status_of(A) == 200
        assert tenants.asked == [A.issuer] * 2

    def test_a_tenant_that_is_removed_is_refused_five_minutes_later(self, tenants, frozen_time, status_of):
        """So is its token that is remembered; tokens of other tenants are not."""
        tenants.add(A)
        tenants.add(B)
        assert (status_of(A), status_of(B)) == (200, 200)
        tenants.remove(A)
        frozen_time.now += YES - 1
        assert (status_of(A), status_of(B)) == (200, 200)
        frozen_time.now += 1
        assert (status_of(A), status_of(B)) == (403, 200)
        assert tenants.asked == [A.issuer, B.issuer] * 2

    def test_a_tenant_that_was_never_asked_about_is_accepted_at_once(self, tenants, frozen_time, status_of):
        """Without a no to wait for."""
        assert status_of(B) == 403
        tenants.add(A)
        assert status_of(A) == 200

    def test_the_resolver_is_asked_once_in_that_time(self, tenants, frozen_time, status_of):
        """However many tokens come, good or refused."""
        tenants.add(A)
        for _ in range(5):
            assert (status_of(A), status_of(B)) == (200, 403)
        assert sorted(tenants.asked) == [A.issuer, B.issuer]

    def test_what_changes_in_an_entry_holds_five_minutes_later(self, tenants, frozen_time, status_of):
        """As for a tenant that is removed: the audience is another one."""
        tenants.add(A)
        assert status_of(A) == 200
        tenants.add(A, AUDIENCE="https://other.example.com")
        assert status_of(A) == 200
        frozen_time.now += YES
        assert status_of(A) == 403

    def test_a_clock_that_is_set_back_accepts_nobody_for_longer(self, tenants, frozen_time, status_of):
        """What was known then is asked about again."""
        tenants.add(A)
        assert status_of(A) == 200
        tenants.remove(A)
        frozen_time.now -= 1
        assert status_of(A) == 403


def test_a_tenant_that_is_removed_is_refused_whatever_its_server_says(tenants, auth_server, frozen_time, status_of):
    """For however long its server calls a token active (TOKENS "all"): the shorter of the two times holds."""
    issuer, introspection = auth_server.issuer, auth_server.introspection(TOKENS="all", CACHE_SECONDS=10 * YES)
    tenants.add(issuer, JWKS=auth_server.jwks(), INTROSPECTION=introspection)
    assert status_of(issuer) == 200
    tenants.remove(issuer)
    frozen_time.now += YES - 1
    assert status_of(issuer) == 200
    frozen_time.now += 1
    assert status_of(issuer) == 403
