"""The benchmarks' own cases, each done once: figures are not looked at, but what no longer runs is seen."""

from contextlib import nullcontext

import bench_growth
import bench_requests
import bench_server
import bench_tail
import bench_verify
import pytest
from bench_goals import goals
from bench_issuer import ALGORITHMS, JwksServer
from bench_rounds import Case, Plan, measure

# Django closes old connections with each request; where a test before has made one, that needs leave.
pytestmark = pytest.mark.django_db

ONCE = Plan(rounds=1, slices=1, slice_seconds=0)


@pytest.fixture(scope="module")
def server():
    with JwksServer().serving() as serving:
        yield serving


def test_verification_runs_for_each_algorithm(server):
    """Both of our ways of verification run for each algorithm that is measured."""
    results = bench_verify.run(server, ONCE)
    assert {alg: set(cases) for alg, cases in results.items()} == {
        alg: {bench_verify.ANEW, bench_verify.REMEMBERED} for alg in ALGORITHMS
    }


def test_requests_run_through_each_entrance(server):
    """Middleware, decorator and DRF authentication are answered 200, sync and async."""
    results = bench_requests.run(server, ONCE)
    assert {kind: len(cases) for kind, cases in results.items()} == {
        bench_requests.PLAIN: 5,
        bench_requests.PLAIN_ASYNC: 4,
        bench_requests.DRF: 2,
        bench_requests.DRF_ASYNC: 2,
    }
    assert results[bench_requests.PLAIN][bench_requests.BARE]["ratio"] == 1


@pytest.mark.parametrize("growing", ["with_keys", "with_issuers", "with_remembered", "with_threads"])
def test_growth_runs(server, growing):
    """What is measured by count is measured at each count."""
    results = getattr(bench_growth, growing)(server, ONCE, counts=(1, 2))
    assert list(results) == [1, 2]


def test_growth_by_size_verifies_tokens_of_that_size(server):
    """Tokens are as long as the results say, give or take a claim."""
    issuer = bench_growth.Issuer(server, name="exact")
    for size in bench_growth.SIZES:
        assert len(issuer.token(size=size)) == pytest.approx(size, rel=0.1)
    assert list(bench_growth.with_size(server, ONCE, sizes=(512, 1024))) == [512, 1024]


def test_memory_per_token_is_measured(server):
    """A remembered token takes some memory."""
    assert bench_growth.memory_per_token(server, sizes=(1024,), count=8)[1024] > 0


@pytest.mark.real_servers
def test_whole_servers_answer(server):
    """gunicorn serves the open project and ours, with tokens accepted."""
    results = bench_server.run(server, rounds=1, seconds=0.01)
    assert len(results) == 2
    assert all(project["requests_per_second"] > 0 for project in results.values())


@pytest.mark.real_servers
def test_the_slowest_requests_are_measured_under_each_load():
    """Valid requests are answered under each load, and their percentiles taken."""
    results = bench_tail.run(rounds=1, seconds=0.5)
    assert list(results) == [bench_tail.CALM, bench_tail.FLOOD, bench_tail.OUTAGE]
    assert all(times["p99"] >= times["p50"] > 0 for times in results.values())


def test_a_request_that_is_refused_ends_the_benchmark(server):
    """A case whose requests are refused is no figure but an error."""
    issuer = bench_requests.Issuer(server, name="refused")
    project = bench_requests.Project("refused", bench_requests.view, bench_requests.MIDDLEWARE, issuer.settings())
    refused = [issuer.token(exp=1)]
    with (
        pytest.raises(AssertionError, match="403"),
        bench_requests._beside_open(bench_requests.PLAIN, project, bench_requests._serving_wsgi, refused) as (send, _),
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
    results = {"verification": {"RS256": {bench_verify.ANEW: {"ratio": 1.5}}}}
    assert goals(results) == [{"goal": "RS256 verified anew, in bare checks", "figure": 1.5, "limit": 1.9}]
