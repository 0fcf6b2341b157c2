"""What an attacker may try with tokens that anybody can make up, and what a busy process may do to requests."""

import asyncio
import gc
import json
import threading

import pytest
from django.core.checks import run_checks

from django_oauth_jwt.conf import get_runtime, get_settings
from django_oauth_jwt.diagnosis import explain
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.introspection import UNAVAILABLE, Introspectors
from django_oauth_jwt.testing import ProofKey
from django_oauth_jwt.verification import averify_token, verify_token

from ..servers.faulty_server import FOREVER, respond_with
from .conftest import CREDENTIALS


def test_a_request_that_is_cancelled_leaves_at_once(trust_server):
    """The garbage collector would end its steps at any moment, also where another one holds the lock."""
    server = trust_server()
    (trusted,) = get_settings().introspecting
    introspector = get_runtime().part(Introspectors).introspector_of(trusted)

    async def cancelled():
        asked = asyncio.create_task(averify_token("opaque"))
        while not server.questions:  # noqa: ASYNC110  # a server in a thread has no event of this loop
            await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError) as kept:
            await asked
        waiting = [question.waiting for question in introspector.state.questions.values()]
        return kept, waiting

    gc.disable()
    try:
        with server.held():
            _, waiting = asyncio.run(cancelled())
    finally:
        gc.enable()
    assert waiting == [0]


def test_steps_that_the_garbage_collector_ends_while_the_lock_is_held_do_not_wait_for_it(asked):
    """Whatever keeps a cancelled request in a circle: it leaves in the thread that has the lock already."""
    steps, _ = asked.begin("left")
    circle = [steps]
    circle.append(circle)
    del steps, circle
    asked.introspector._execute = lambda work: (gc.collect(), asked.pending.append(work))
    done = threading.Thread(target=asked.begin, args=("next",), daemon=True)
    done.start()
    done.join(FOREVER)
    assert not done.is_alive()


@pytest.mark.parametrize(
    "answer",
    [(403, "", {}), (500, "", {}), (502, "", {}), (504, "", {}), ConnectionResetError(), BrokenPipeError()],
    ids=str,
)
def test_a_token_that_a_server_stumbles_over_stops_no_other(asked, endpoint, answer):
    """Anybody can make up one that a firewall refuses, or that crashes a worker behind a proxy."""
    endpoint.answer = lambda uri, form: answer if form["token"] == "poison" else {"active": True}
    for _ in range(3):
        assert asked.reason("poison") == UNAVAILABLE
        assert asked.reason("good") is None


@pytest.mark.parametrize(
    "member",
    [
        *({"token_use": "refresh_token"}, {"token_type": "refresh_token"}, {"typ": "Refresh"}, {"typ": "ID"}),
        *({"token_use": "id"}, {"token_type": "REFRESH"}, {"typ": "Offline"}, {"at_hash": "x"}, {"events": {}}),
    ],
    ids=str,
)
def test_what_is_no_access_token_is_refused(trust_server, member):
    """Authorization servers answer questions about refresh tokens as well."""
    token = trust_server().issuer.opaque_token(**member)
    with pytest.raises(InvalidToken) as refusal:
        verify_token(token)
    assert refusal.value.reason == "wrong_type"
    assert "wrong_type" in explain(token, get_runtime()).reasons


def test_what_says_that_it_is_an_access_token_is_one(trust_server):
    """In whichever words."""
    server = trust_server()
    for member in ({"token_use": "access_token"}, {"token_use": "access"}, {"token_type": "Bearer"}, {"typ": 5}):
        assert verify_token(server.issuer.opaque_token(**member))


def test_a_clock_that_is_set_back_makes_nothing_good_for_longer(trust_server, frozen_time):
    """What is remembered in the process was said at a time that is to come: it is asked for again."""
    server = trust_server()
    token = server.issuer.opaque_token(iat=None)
    verify_token(token)
    frozen_time.now -= 3600
    with server.behaving(respond_with(body=b'{"active": false}')), pytest.raises(InvalidToken):
        verify_token(token)


@pytest.mark.parametrize("members", [{"aud": None}, {"iss": "https://other.test"}, {"exp": 1}], ids=str)
def test_an_explanation_judges_what_is_said_of_a_jwt(trust_server, members):
    """As verification does with TOKENS "all"."""
    server = trust_server({"AUDIENCE": "api"}, TOKENS="all")
    token = server.issuer.token(aud="api")
    said = {"active": True, "aud": "api", **members}
    with server.behaving(respond_with(body=json.dumps({name: said[name] for name in said if said[name]}).encode())):
        explanation = explain(token, get_runtime())
        with pytest.raises(InvalidToken) as refusal:
            verify_token(token)
    assert explanation.reasons == [refusal.value.reason]


def test_an_explanation_sees_the_binding_that_the_server_knows_of(trust_server):
    """And another one than the JWT's is at fault."""
    server = trust_server(TOKENS="all")
    token = server.issuer.token()
    said = b'{"active": true, "cnf": {"jkt": "x"}}'
    with server.behaving(respond_with(body=said)):
        bound = explain(token, get_runtime())
        other = explain(server.issuer.token(bound_to=ProofKey.generate()), get_runtime())
    (binding,) = (result for result in bound.results if result.rule == "binding")
    assert binding.detail.startswith("a DPoP proof by the key")
    assert "malformed_claim" in other.reasons


def test_an_endpoint_is_used_on_while_the_metadata_are_down(make_asked, endpoint, clock):
    """It failed once, so it is looked up again; what is known from before will do until that works."""
    metadata = {"issuer": "https://issuer.test", "introspection_endpoint": "https://issuer.test/found"}
    answers = {"found": {"active": True}, "metadata": metadata}
    endpoint.answer = lambda uri, form: answers["found" if uri.endswith("/found") else "metadata"]
    asked = make_asked(ENDPOINT=None)
    assert asked.reason("one") is None
    answers["found"] = (503, "", {})
    assert asked.reason("two") == UNAVAILABLE
    answers.update(found={"active": True}, metadata=ConnectionError())
    clock.advance(2)
    assert asked.reason("three") is None
    assert asked.reason("four") is None
    looked_up = [uri for uri, form, _ in endpoint.asked if not form]
    assert len(looked_up) == 1 + 2  # the two places once more, and not for each token
    clock.advance(31)
    answers["metadata"] = metadata
    assert asked.reason("five") is None
    assert len([uri for uri, form, _ in endpoint.asked if not form]) == len(looked_up) + 1


def test_an_issuer_can_be_left_out_of_what_holds_for_all(settings):
    """Else it would be sent the tokens of the others, and our credentials."""
    settings.OAUTH_JWT = {
        "ISSUERS": {"https://a.test": {"INTROSPECTION": None}, "https://b.test": {}},
        "INTROSPECTION": CREDENTIALS,
    }
    assert [trusted.issuer for trusted in get_settings().introspecting] == ["https://b.test"]


def test_projects_that_remember_for_other_times_share_nothing(make_asked):
    """One that asks at each request would be served what another one was told before."""
    keys = {make_asked(CACHE_SECONDS=seconds).key("token") for seconds in (0, 60, 3600)}
    keys |= {make_asked(NEGATIVE_CACHE_SECONDS=seconds).key("token") for seconds in (0, 5)}
    assert len(keys) == 5


def test_the_words_of_a_projects_own_refusal_arrive(trust_server, rsa_issuer, monkeypatch):
    """Also where they come from a key service, and by way of the JWT that was asked for."""
    server = trust_server(ANSWER="jwt")
    jwt = server.issuer.token()
    refusal = InvalidToken("wrong_tenant", "Token is for another tenant", detail="a")

    def refuse(kid, alg):
        raise refusal

    monkeypatch.setattr(server.issuer, "key_set_for", refuse)
    answer = respond_with(body=jwt.encode(), **{"Content-Type": "application/jwt"})
    with server.behaving(answer), pytest.raises(InvalidToken) as caught:
        verify_token("opaque")
    assert (caught.value.reason, caught.value.description, caught.value.detail) == (
        "wrong_tenant",
        "Token is for another tenant",
        "a",
    )


def test_a_file_cache_that_anybody_can_fill_is_no_place_for_a_denylist(settings, tmp_path):
    """It drops entries at random, and made-up opaque tokens have entries of their own."""
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    options = {"MAX_ENTRIES": 10**6}
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path), "OPTIONS": options}}
    settings.OAUTH_JWT = {
        "ISSUER": "https://issuer.test",
        "IS_REVOKED": "django_oauth_jwt.revocation.is_revoked",
    }
    for introspection, ids in ((None, []), (CREDENTIALS, ["oauth_jwt.W015"])):
        settings.OAUTH_JWT = {**settings.OAUTH_JWT, "INTROSPECTION": introspection}
        found = run_checks(tags=["oauth_jwt"], include_deployment_checks=True)
        assert [message.id for message in found if message.id == "oauth_jwt.W015"] == ids
