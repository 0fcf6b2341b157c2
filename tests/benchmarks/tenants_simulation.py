"""Simulate 10,000 tenants over 100 workers that share one Redis, on a clock of its own, and print what it costs.

Each worker has the real `ResolvedIssuers`, `KeyServices` and `JwksService` with its state, jobs and shared entries.
What is not real: time, threads, HTTP and Redis. A job of a key service lasts 50 ms. Requests come evenly, to a worker
at random, of a tenant by Zipf's law: the second sends half as many as the first, the hundredth a hundredth.
"""

import argparse
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

#: What docs/explanations/scale.md shows.
RESULTS = Path(__file__).with_name("tenants.json")


@dataclass(frozen=True)
class Setup:
    """What is simulated; ``spread`` is on how many workers the requests of one tenant go."""

    tenants: int = 10_000
    workers: int = 100
    spread: int = 100
    requests_per_second: int = 500
    warm_up_seconds: int = 600
    seconds: int = 300


#: By what the page says of them.
SETUPS = {
    "1,000 tenants, any worker": Setup(tenants=1_000),
    "10,000 tenants, any worker": Setup(),
    "10,000 tenants, 10 workers each": Setup(spread=10),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a hundredth of it, in seconds")
    parser.add_argument("--output", type=Path, help=f"a file for the results, such as {RESULTS.name} beside this one")
    options = parser.parse_args()
    _configure()
    from tests.benchmarks import tenants_memory

    results = {
        "setups": {name: run(shrunk(setup) if options.quick else setup) for name, setup in SETUPS.items()},
        "memory": tenants_memory.measured(10 if options.quick else 1_000),
    }
    print(json.dumps(results, indent=1))
    if options.output is not None:
        options.output.write_text(json.dumps(results, indent=1) + "\n")


def _configure():
    import django
    from django.conf import settings

    settings.configure(INSTALLED_APPS=["django_oauth_jwt"], SECRET_KEY="signs nothing", USE_TZ=True)
    django.setup()
    logging.disable(logging.ERROR)


def shrunk(setup):
    """Return a hundredth of it."""
    return Setup(setup.tenants // 100, 10, max(1, setup.spread // 10), 20)


def run(setup):
    """Return the figures of one setup: while nothing happens, and after a rotation of all keys."""
    from tests.benchmarks.simulated import World

    world = World(setup)
    with world.at_work():
        world.serve(setup.warm_up_seconds)
        calm = world.counted(setup.seconds)
        world.rotate()
        rotation = world.counted(setup.seconds)
    return {"setup": asdict(setup), "calm": calm, "rotation": rotation}


if __name__ == "__main__":
    main()
