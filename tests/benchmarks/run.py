"""Measure django-oauth-jwt beside its peers: print tables, draw a chart, write JSON.

Needs ``pip install -e '.[test,peers]'``; the peers are left out with ``--own``, Valkey but for the part "tail".
"""

import argparse
import logging
from pathlib import Path

import django
from django.conf import settings

PARTS = ("verification", "requests", "proofs", "introspection", "growth", "tenants", "server", "tail")


def main():
    options = _options()
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_oauth_jwt"],
        SECRET_KEY="signs nothing here, and is as long as a secret has to be",
        USE_TZ=True,
    )
    django.setup()
    logging.disable(logging.WARNING)

    from tests.benchmarks.goals import goals
    from tests.benchmarks.issuer import JwksServer
    from tests.benchmarks.report import describe, print_tables, write_json
    from tests.benchmarks.rounds import Plan

    plan = Plan(rounds=8 if options.quick else 50)
    results = {"run": describe(plan)}
    with JwksServer().serving() as server:
        for part in options.only or PARTS:
            results |= _PARTS[part](server, plan, options)
    results["goals"] = goals(results)
    print_tables(results)
    options.output.mkdir(parents=True, exist_ok=True)
    write_json(results, options.output)
    if not options.own:
        from tests.benchmarks.chart import draw

        draw(results, options.output)
    print(f"\nWritten to {options.output}/")


def _options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="in less than a minute, and rougher")
    parser.add_argument("--own", action="store_true", help="without the peers, hence without the chart")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; may be given several times")
    parser.add_argument("--output", type=Path, default=Path("benchmark-results"), help="the folder for JSON and chart")
    return parser.parse_args()


def _verification(server, plan, options):
    from tests.benchmarks import verification

    return {"verification": verification.run(server, plan, _peers(options))}


def _requests(server, plan, options):
    from tests.benchmarks import request_costs

    projects = None
    if not options.own:
        from tests.benchmarks.peer_requests import projects
    return {"requests": request_costs.run(server, plan, projects)}


def _proofs(server, plan, options):
    from tests.benchmarks import proof_costs

    count = 2_000 if options.quick else 20_000
    return {"proofs": proof_costs.run(server, plan), "proof memory": proof_costs.memory_per_proof(server, count)}


def _introspection(server, plan, options):
    from tests.benchmarks import introspection_costs

    return {
        "introspection": introspection_costs.run(server, plan),
        "cache operations": introspection_costs.operations_per_token(server, 100),
    }


def _growth(server, plan, options):
    from tests.benchmarks import growth

    results = {
        "keys": growth.with_keys(server, plan, peers=_peers(options)),
        "issuers": growth.with_issuers(server, plan),
        "size": growth.with_size(server, plan),
        "remembered": growth.with_remembered(server, plan),
        "threads": growth.with_threads(server, plan),
    }
    return {"growth": results, "memory": growth.memory_per_token(server)}


def _tenants(server, plan, options):
    from tests.benchmarks import tenant_costs

    return {"tenants": tenant_costs.run(server, plan)}


def _server(server, plan, options):
    from tests.benchmarks import whole_server

    rounds, seconds = (5, 0.2) if options.quick else (25, 0.4)
    return {"server": whole_server.run(server, rounds, seconds, peers=not options.own)}


def _tail(server, plan, options):
    from tests.benchmarks import tail

    rounds, seconds = (3, 0.5) if options.quick else (15, 1)
    return {"tail": tail.run(rounds, seconds)}


def _peers(options):
    if options.own:
        return None
    from tests.benchmarks.peers import verifiers

    return verifiers


_PARTS = {
    "verification": _verification,
    "requests": _requests,
    "proofs": _proofs,
    "introspection": _introspection,
    "growth": _growth,
    "tenants": _tenants,
    "server": _server,
    "tail": _tail,
}


if __name__ == "__main__":
    main()
