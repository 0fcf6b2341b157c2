"""How many tokens are accepted and refused, as the real SDK reads it: by trusted issuer and reason, never by more."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from django_oauth_jwt.contrib.opentelemetry.names import OTHER, Names
from django_oauth_jwt.contrib.opentelemetry.tally import Tally
from django_oauth_jwt.testing import ProofKey

from ..fixtures.forks import in_child
from .views import own_issuer

VERIFIED, REFUSED = "oauth_jwt.tokens.verified", "oauth_jwt.tokens.refused"
ISSUER = "https://issuer.test"


def refused(reason, issuer=ISSUER):
    """The attributes of a refused token."""
    return (*([] if issuer is None else [("oauth.issuer", issuer)]), ("oauth_jwt.reason", reason))


@pytest.fixture(params=["view", "async", "drf"])
def url(request):
    return f"/{request.param}/"


def test_an_accepted_token_is_counted_once(figures, send, issuer, url):
    """By its issuer and nothing else of it; under WSGI and ASGI, remembered or not."""
    for _ in range(3):
        assert send("get", url, headers=issuer.headers("read", sub="anna")).status_code == 200
    assert figures.read() == {(VERIFIED, (("oauth.issuer", ISSUER),)): 3}


REFUSALS = {
    "expired": {"expired": True},
    "bad_signature": {"forged": True},
    "unknown_kid": {"rotated": True},
    "missing_claim": {"exp": None},
    "unproven": {"bound_to": ProofKey.generate()},
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_refused_token_is_counted_by_its_reason(figures, send, issuer, url, reason):
    """And by the trusted issuer that it names, verified or not."""
    assert send("get", url, headers=issuer.headers("read", **REFUSALS[reason])).status_code in (401, 403)
    assert figures.read() == {(REFUSED, refused(reason)): 1}


def test_a_token_that_expires_while_it_is_remembered_is_counted_as_well(figures, send, issuer, url, frozen_time):
    """The cache of tokens takes another way to the refusal."""
    headers = issuer.headers("read")
    assert send("get", url, headers=headers).status_code == 200
    frozen_time.now += 3600
    assert send("get", url, headers=headers).status_code == 403
    assert figures.read() == {(VERIFIED, (("oauth.issuer", ISSUER),)): 1, (REFUSED, refused("expired")): 1}


def test_a_token_that_lacks_a_scope_is_both_verified_and_refused(figures, client, issuer):
    """It is good, and not enough for this view."""
    assert client.get("/view/", headers=issuer.headers("write")).status_code == 403
    assert figures.read() == {
        (VERIFIED, (("oauth.issuer", ISSUER),)): 1,
        (REFUSED, refused("insufficient_scope")): 1,
    }


def test_a_refusal_of_the_projects_own_is_counted_by_its_reason(figures, client, issuer):
    """Its errors are refusals like ours."""
    assert client.get("/view/?raise=wrong_tenant", headers=issuer.headers("read")).status_code == 403
    assert figures.of(REFUSED) == {refused("wrong_tenant"): 1}


@pytest.mark.parametrize(
    ("token", "reason"),
    [("not.a.token", "malformed"), ("opaque", "malformed"), ("x" * 20_000, "too_long"), ("\xe4.b.c", "malformed")],
)
def test_what_cannot_be_read_is_of_no_issuer(figures, client, issuer, token, reason):
    """Nobody is named in it."""
    assert client.get("/view/", headers={"Authorization": f"Bearer {token}"}).status_code == 403
    assert figures.read() == {(REFUSED, refused(reason, None)): 1}


def test_made_up_issuers_are_one_figure(figures, client, issuer):
    """Anybody can make them up: their names are never attributes, however many there are."""
    for number in range(50):
        headers = issuer.headers("read", iss=f"https://made-up-{number}.example.com")
        assert client.get("/view/", headers=headers).status_code == 403
    assert figures.read() == {(REFUSED, refused("wrong_issuer", None)): 50}


TENANT = "https://tenant.example.com"


@pytest.fixture
def resolver(settings):
    """A resolver that trusts one tenant; returns whom it was asked about."""
    asked = []

    def resolve(iss):
        asked.append(iss)
        return {"JWKS_SERVICE": own_issuer} if iss == TENANT else None

    settings.OAUTH_JWT = {"ISSUER_RESOLVER": resolve}
    return asked


def test_an_issuer_that_the_resolver_trusts_is_an_attribute(figures, client, resolver):
    """Of accepted tokens and of refused ones; and nobody is asked about it for the figures."""
    for faults in ({}, {"expired": True}, {"forged": True}):
        client.get("/view/", headers=own_issuer.headers("read", iss=TENANT, **faults))
    assert figures.read() == {
        (VERIFIED, (("oauth.issuer", TENANT),)): 1,
        (REFUSED, refused("expired", TENANT)): 1,
        (REFUSED, refused("bad_signature", TENANT)): 1,
    }
    assert resolver == [TENANT]


@pytest.mark.parametrize("iss", ["https://made-up.example.com", 7, None])
def test_an_issuer_that_the_resolver_refuses_is_none(figures, client, resolver, iss):
    """Its name is the sender's choice."""
    client.get("/view/", headers=own_issuer.headers("read", iss=iss))
    assert figures.read() == {(REFUSED, refused("wrong_issuer", None)): 1}


def test_a_trusted_tenant_that_a_views_own_keys_do_not_speak_for_is_none(figures, client, resolver):
    """They are another issuer's, whatever a token says."""
    client.get("/view/", headers=own_issuer.headers("read", iss=TENANT))
    figures.read()
    client.get("/own-keys/", headers=own_issuer.headers("read", iss=TENANT))
    assert figures.read() == {(REFUSED, refused("wrong_issuer", None)): 1}


def test_where_any_issuer_is_trusted_none_is_an_attribute(figures, client, settings, issuer):
    """The settings name none, so that the number of names is nobody's choice here."""
    settings.OAUTH_JWT = {"JWKS_SERVICE": _Unnamed()}
    for iss in ("https://a.example.com", "https://b.example.com"):
        assert client.get("/view/", headers=own_issuer.headers("read", iss=iss)).status_code == 200
        assert client.get("/view/", headers=own_issuer.headers("read", iss=iss, expired=True)).status_code == 403
    assert figures.read() == {(VERIFIED, ()): 2, (REFUSED, refused("expired", None)): 2}


class _Unnamed:
    """The keys of the issuer of the views, which speak for any issuer."""

    issuer = None

    def current(self):
        return own_issuer.current()

    def key_set_for(self, kid, alg):
        return own_issuer.current()

    async def akey_set_for(self, kid, alg):
        return own_issuer.current()


@pytest.mark.parametrize(("faults", "metric"), [({}, VERIFIED), ({"expired": True}, REFUSED)])
def test_an_issuer_that_a_view_trusts_by_itself_is_no_attribute(figures, client, issuer, faults, metric):
    """Only those of the settings are."""
    client.get("/own-keys/", headers=own_issuer.headers(**faults))
    assert figures.read() == {(metric, () if metric == VERIFIED else refused("expired", None)): 1}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic x"}, {"Authorization": "Bearer"}])
def test_a_request_without_a_token_is_no_figure(figures, client, issuer, headers):
    """There was nothing to verify."""
    assert client.get("/view/", headers=headers).status_code == 401
    assert figures.read() == {}


def test_an_opaque_token_is_counted_for_the_issuer_that_knows_it(figures, client, rsa_issuer, settings):
    """A refused one names none."""
    with rsa_issuer.installed(INTROSPECTION={"CLIENT_ID": "books", "CLIENT_SECRET": "secret"}):
        for active in (True, False):
            token = rsa_issuer.opaque_token("read", active=active)
            client.get("/view/", headers={"Authorization": f"Bearer {token}"})
        read = figures.read()
    assert read[VERIFIED, (("oauth.issuer", ISSUER),)] == 1
    assert read[REFUSED, refused("inactive", None)] == 1


def test_a_refusal_without_a_token_is_of_no_issuer(figures, client, settings, issuer):
    """A view may refuse what it likes, also where none is required."""
    settings.MIDDLEWARE = ["django_oauth_jwt.middleware.JwtBearerMiddleware"]
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "EXEMPT_PATHS": ["/open/"]}
    assert client.get("/open/").status_code == 403
    assert figures.read() == {(REFUSED, refused("wrong_tenant", None)): 1}


def test_nothing_of_a_token_is_in_the_figures(figures, client, issuer):
    """No subject, no client, no part of the token: figures go to many places, and stay there."""
    token = issuer.token("read", sub="anna-of-the-books", client_id="client-of-anna")
    client.get("/view/", headers={"Authorization": f"Bearer {token}"})
    client.get("/view/", headers={"Authorization": f"Bearer {token[:-4]}AAAA"})
    told = repr(figures.read())
    assert VERIFIED in told
    assert REFUSED in told
    assert not any(part in told for part in (*token.split("."), "anna", "read"))


def test_of_too_many_values_only_the_first_are_kept():
    """The others are one, so that neither memory nor storage grows with them; what is not named stays so."""
    names = Names(2)
    assert [names.known(name) for name in ("a", "b", "c", None, "a", "d")] == ["a", "b", OTHER, None, "a", OTHER]


def test_threads_lose_no_token():
    """Requests count side by side."""
    tally = Tally("reason")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: tally.add(str(number % 2)), range(4000)))
    counts = {each.attributes["reason"]: each.value for each in tally.observe(None)}
    assert counts == {"0": 2000, "1": 2000}


def test_a_worker_counts_from_none():
    """What its parent has counted is the parent's figure; it must not be told of once for each worker."""
    tally = Tally("reason")
    tally.add("expired")
    tally._counts.get().lock.acquire()  # a thread of the parent counts while it forks

    def count_in_child():
        tally.add("malformed")
        return [(each.value, each.attributes) for each in tally.observe(None)] == [(1, {"reason": "malformed"})]

    assert in_child(count_in_child)
    assert in_child(lambda: list(tally.observe(None)) == [])
    tally._counts.get().lock.release()
    assert [each.value for each in tally.observe(None)] == [1]
