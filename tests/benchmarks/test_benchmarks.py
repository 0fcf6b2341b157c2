"""The benchmarks' own cases, each done once: figures are not looked at, but what no longer runs is seen."""

from contextlib import nullcontext

import pytest

from . import (
    growth,
    introspection_costs,
    proof_costs,
    request_costs,
    tail,
    tenant_costs,
    tenants_memory,
    tenants_simulation,
    verification,
    whole_server,
)
from .goals import goals
from .issuer import ALGORITHMS, JwksServer
from .rounds import Case, Plan, measure

# Django closes old connections with each request; where a test before has made one, that needs leave.
pytestmark = [pytest.mark.django_db, pytest.mark.unmeasured]

ONCE = Plan(rounds=1, slices=1, slice_seconds=0)


@pytest.fixture(scope="module")
def server():
    with JwksServer().serving() as serving:
        yield serving


def test_verification_runs_for_each_algorithm(server):
    """Both of our ways of verification run for each algorithm that is measured."""
    results = verification.run(server, ONCE)
    assert {alg: set(cases) for alg, cases in results.items()} == {
        alg: {verification.ANEW, verification.REMEMBERED} for alg in ALGORITHMS
    }


def test_requests_run_through_each_entrance(server):
    """Middleware, decorator and DRF authentication are answered 200, sync and async."""
    results = request_costs.run(server, ONCE)
    assert {kind: len(cases) for kind, cases in results.items()} == {
        request_costs.PLAIN: 5,
        request_costs.PLAIN_ASYNC: 4,
        request_costs.DRF: 2,
        request_costs.DRF_ASYNC: 2,
    }
    assert results[request_costs.PLAIN][request_costs.BARE]["ratio"] == 1


def test_proofs_are_measured(server):
    """A bound token with a new proof for each request, beside a bearer token; and what the proofs leave behind."""
    assert list(proof_costs.run(server, ONCE)) == [proof_costs.BARE, proof_costs.BEARER, proof_costs.BOUND]
    assert isinstance(proof_costs.memory_per_proof(server, 20, batch=10), float)


def test_opaque_tokens_are_measured(server):
    """One that the process remembers, beside a JWT, and one that only a cache does, which is asked once for each."""
    assert list(introspection_costs.run(server, ONCE)) == [
        introspection_costs.JWT,
        introspection_costs.OPAQUE,
        introspection_costs.SHARED,
    ]
    assert introspection_costs.operations_per_token(server, 3) == 1


def test_tenants_are_measured(server):
    """Issuers of a resolver beside one that is listed, and those that are refused."""
    results = tenant_costs.run(server, ONCE, count=3)
    names = (tenant_costs.LISTED, tenant_costs.ONE, tenant_costs.MANY, tenant_costs.IN_TURN)
    accepted = [f"{name}, {way}" for way in tenant_costs.WAYS for name in names]
    assert list(results) == [*accepted, tenant_costs.UNLISTED, tenant_costs.REFUSED]


def test_the_simulation_of_tenants_runs():
    """A small one: each tenant's keys are fetched once in five minutes for all workers, and again when they change."""
    setup = tenants_simulation.Setup(tenants=10, workers=4, spread=4, requests_per_second=20)
    results = tenants_simulation.run(setup)
    calm, rotation = results["calm"], results["rotation"]
    assert calm["fetches"] == 10
    assert calm["resolver calls"] == 10 * 4
    assert calm["requests without keys"] == rotation["requests without keys"] == 0
    assert 10 * 4 <= rotation["requests that wait"] < rotation["requests"] / 20
    assert 10 <= rotation["fetches"] <= 20


def test_tenants_with_one_jwks_take_no_memory_for_it():
    """Its keys are there once, however many tenants have them."""
    memory = tenants_memory.measured(20)
    assert list(memory) == list(tenants_memory.CASES)
    each_its_own, the_same = (memory[name]["Python"] for name in tenants_memory.CASES)
    assert the_same < each_its_own


@pytest.mark.parametrize("growing", ["with_keys", "with_issuers", "with_remembered", "with_threads"])
def test_growth_runs(server, growing):
    """What is measured by count is measured at each count."""
    results = getattr(growth, growing)(server, ONCE, counts=(1, 2))
    assert list(results) == [1, 2]


def test_growth_by_size_verifies_tokens_of_that_size(server):
    """Tokens are as long as the results say, give or take a claim."""
    issuer = growth.Issuer(server, name="exact")
    for size in growth.SIZES:
        assert len(issuer.token(size=size)) == pytest.approx(size, rel=0.1)
    assert list(growth.with_size(server, ONCE, sizes=(512, 1024))) == [512, 1024]


def test_memory_per_token_is_measured(server):
    """A remembered token takes some memory."""
    assert growth.memory_per_token(server, sizes=(1024,), count=8)[1024] > 0


@pytest.mark.real_servers
def test_whole_servers_answer(server):
    """gunicorn serves the open project and ours, with tokens accepted."""
    results = whole_server.run(server, rounds=1, seconds=0.1)
    assert len(results) == 2
    assert all(project["requests_per_second"] > 0 for project in results.values())


@pytest.mark.real_servers
def test_the_slowest_requests_are_measured_under_each_load():
    """Valid requests are answered under each load, and their percentiles taken."""
    results = tail.run(rounds=1, seconds=0.5)
    assert list(results) == [tail.CALM, tail.FLOOD, tail.OUTAGE]
    assert all(times["p99"] >= times["p50"] > 0 for times in results.values())


def test_a_request_that_is_refused_ends_the_benchmark(server):
    """A case whose requests are refused is no figure but an error."""
    issuer = request_costs.Issuer(server, name="refused")
    project = request_costs.Project("refused", request_costs.view, request_costs.MIDDLEWARE, issuer.settings())
    refused = [issuer.token(exp=1)]
    with (
        pytest.raises(AssertionError, match="403"),
        request_costs._beside_open(request_costs.PLAIN, project, request_costs._serving_wsgi, refused) as (send, _),
    ):
        send(1)


def test_cost_is_taken_beside_the_floor():
    """A ratio is the case's cost, less what is to be taken off, in floors."""
    now = [0.0]

    def lasting(seconds):
        def repeat(times):
            now[0] += seconds * times

        return repeat

    case = Case("case", lasting(2), lambda: nullcontext((lasting(7), lasting(3))))
    plan = Plan(rounds=3, slice_seconds=10, clock=lambda: now[0])
    assert measure([case], plan)["case"] == {"ratio": 2, "ratio_p25": 2, "ratio_p75": 2, "microseconds": 4e6}


def test_goals_tell_figures_from_parts_that_were_left_out():
    """A goal shows only where its figures were taken."""
    results = {"verification": {"RS256": {verification.ANEW: {"ratio": 1.5}}}}
    assert goals(results) == [{"goal": "RS256 verified anew, in bare checks", "figure": 1.5, "limit": 1.9}]
