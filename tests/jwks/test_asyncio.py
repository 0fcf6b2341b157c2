"""Under asyncio nothing of ours blocks the event loop, whatever the authorization server does."""

import asyncio
import time

import pytest
from django.test import AsyncClient

from django_oauth_jwt.errors import KeysUnavailable

from ..servers.faulty_server import FOREVER, respond_with

FRESH = 300
#: The longest, in seconds, that the event loop may be kept from its work.
MAXIMUM_LAG = 0.05


@pytest.fixture
def astatus_of(trust_service, auth_server):
    """Ask a secured async view, through the whole of Django, and return the status of its answer."""

    async def astatus_of(token=None):
        headers = {"Authorization": f"Bearer {token or auth_server.issuer.token()}"}
        return (await AsyncClient().get("/asecured", headers=headers)).status_code

    return astatus_of


@pytest.fixture
def trusted_service(make_service, trust_service):
    """A service that the project trusts, not asked yet."""
    service = make_service()
    trust_service(service)
    return service


async def until(condition):
    async with asyncio.timeout(FOREVER):
        while not condition():  # noqa: ASYNC110  # the other side is a thread
            await asyncio.sleep(0.001)


def test_a_cold_start_makes_one_fetch_and_blocks_no_loop(trusted_service, astatus_of, auth_server):
    """All requests of the loop wait for the one fetch, and the loop goes on meanwhile."""

    async def ask():
        with auth_server.held():
            waiting = [asyncio.create_task(astatus_of()) for _ in range(20)]
            await until(lambda: auth_server.pending == 1)
            assert not any(task.done() for task in waiting)
        return await asyncio.gather(*waiting)

    assert asyncio.run(ask()) == [200] * 20
    assert auth_server.fetches == 1


def test_a_failed_cold_start_is_a_503(trusted_service, astatus_of, auth_server):
    """What is raised to those who wait is the contract's answer."""
    auth_server.fault = respond_with("500 Internal Server Error")
    assert asyncio.run(astatus_of()) == 503
    with pytest.raises(KeysUnavailable):
        asyncio.run(trusted_service.akey_set_for("key-1", "ES256"))


def test_known_keys_answer_while_a_fetch_hangs(trusted_service, astatus_of, auth_server, clock):
    """Old keys, a search for a new one and a flood: a known key's request waits for none of them."""

    async def ask():
        assert await astatus_of() == 200
        clock.advance(FRESH)
        made_up = auth_server.issuer.token(header={"kid": "made-up"})
        with auth_server.held():
            assert await astatus_of() == 200
            await until(lambda: auth_server.pending == 1)
            waiting = asyncio.create_task(astatus_of(made_up))
            await asyncio.sleep(0)
            assert [await astatus_of() for _ in range(10)] == [200] * 10
            assert not waiting.done()
            assert auth_server.pending == 1
        return await waiting

    assert asyncio.run(ask()) == 403


def test_a_rotation_is_followed_by_the_next_request(trusted_service, astatus_of, auth_server):
    """The async twin finds a new key as the sync one does."""

    async def ask():
        assert await astatus_of() == 200
        auth_server.issuer.rotate()
        assert await astatus_of() == 200
        assert await astatus_of(auth_server.issuer.token(header={"kid": "made-up"})) == 403

    asyncio.run(ask())
    assert auth_server.fetches == 2


def test_a_client_that_goes_away_takes_no_fetch_along(trusted_service, astatus_of, auth_server):
    """A request that is cancelled while it waits leaves the fetch to the others."""

    async def ask():
        with auth_server.held():
            leaving, staying = asyncio.create_task(astatus_of()), asyncio.create_task(astatus_of())
            await until(lambda: auth_server.pending == 1)
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
        return await staying

    assert asyncio.run(ask()) == 200
    assert auth_server.fetches == 1


def test_two_loops_wait_for_the_same_fetch(trusted_service, auth_server):
    """An event loop per thread, as some servers have, is no trouble."""

    async def ask():
        keys, others = await asyncio.gather(
            trusted_service.akey_set_for("key-1", "ES256"),
            asyncio.to_thread(asyncio.run, trusted_service.akey_set_for("key-1", "ES256")),
        )
        return keys is others

    assert asyncio.run(ask())
    assert auth_server.fetches == 1


async def _longest_lag(work):
    """Return the longest time for which the loop did not come round while ``work`` went on."""
    task = asyncio.create_task(work)
    longest, before = 0.0, time.perf_counter()
    while not task.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    await task
    return longest


def test_the_loop_is_never_kept_from_its_work(make_service, trust_service, astatus_of, auth_server, clock):
    """Cold, old, with a flood, with the server hanging: the loop comes round within 50 ms.

    That is, within 50 ms more than with nothing to fetch, for the machine does other things besides, and in
    the best of some rounds: a loop that we block is blocked in each, and as long as the server hangs.
    """

    async def nothing_to_fetch():
        assert [await astatus_of() for _ in range(20)] == [200] * 20
        assert set(await asyncio.gather(*(astatus_of() for _ in range(25)))) == {200}

    async def something_to_fetch():
        with auth_server.held():
            cold = [asyncio.create_task(astatus_of()) for _ in range(5)]
            await until(lambda: auth_server.pending == 1)
            await asyncio.sleep(2 * MAXIMUM_LAG)
        assert await asyncio.gather(*cold) == [200] * 5
        clock.advance(FRESH)
        with auth_server.held():
            made_up = [auth_server.issuer.token(header={"kid": f"made-up-{number}"}) for number in range(20)]
            flood = [asyncio.create_task(astatus_of(token)) for token in made_up]
            await until(lambda: auth_server.pending == 1)
            assert [await astatus_of() for _ in range(20)] == [200] * 20
            await asyncio.sleep(2 * MAXIMUM_LAG)
        assert set(await asyncio.gather(*flood)) == {403}

    ours = []
    for number in range(5):
        auth_server.jwks_path = f"/jwks?{number}"
        trust_service(make_service(auth_server.origin + auth_server.jwks_path))
        lag = asyncio.run(_longest_lag(something_to_fetch()))
        ours.append(lag - asyncio.run(_longest_lag(nothing_to_fetch())))
        if ours[-1] < MAXIMUM_LAG:
            break
    assert min(ours) < MAXIMUM_LAG
