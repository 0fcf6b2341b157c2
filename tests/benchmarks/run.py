"""The benchmark's command: ``python tests/benchmarks/run.py``, after ``pip install -e '.[peers]'``."""

import argparse
import logging

import django
from django.conf import settings


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="under a minute, and rougher")
    options.add_argument("--own", action="store_true", help="without the peers")
    options = options.parse_args()
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_oauth_jwt"],
        SECRET_KEY="of no use" * 9,
        USE_TZ=True,
    )
    django.setup()
    logging.disable(logging.INFO)

    import bench_requests
    import bench_verify
    from bench_issuer import JwksServer
    from bench_rounds import Plan

    peers = None
    if not options.own:
        import bench_peer_requests
        import bench_peers

        peers = bench_peers.verifiers
    with JwksServer().serving() as server:
        for k, cases in bench_requests.run(
            server,
            Plan(rounds=8 if options.quick else 50, slice_seconds=0.002),
            bench_peer_requests.projects if peers else None,
        ).items():
            for name, result in cases.items():
                print(f"{k:6} {name:38}", result)
        plan = Plan(rounds=15 if options.quick else 60)
        for alg, cases in bench_verify.run(server, plan, peers).items():
            for name, result in cases.items():
                print(f"{alg:6} {name:38}", result)


if __name__ == "__main__":
    main()
