"""The results as tables to read and as JSON."""

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version

from .goals import goals

_PACKAGES = (
    *("django-oauth-jwt", "cryptography", "django", "djangorestframework", "python-jose"),
    *("pyjwt", "joserfc", "authlib", "djangorestframework-simplejwt", "gunicorn"),
)


def describe(plan):
    """Return what the figures were taken with."""
    return {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, {platform.system()}",
        "packages": {name: version(name) for name in _PACKAGES if _is_installed(name)},
        "method": (
            f"Medians of {plan.rounds} rounds. Each sample does the case and a bare signature check by turns, "
            f"{plan.slices} times {plan.slice_seconds * 1000:g} ms of each, with the garbage collector off. "
            "CPU time of the process; wall time for threads and whole servers."
        ),
        "load_average_before": round(os.getloadavg()[0], 1),
    }


def write_json(results, folder):
    """Write the results as results.json."""
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")


def print_tables(results):
    """Print all results."""
    print(results["run"]["method"])
    print(f"The machine's load average was {results['run']['load_average_before']}; the less, the better the figures.")
    for alg, cases in results.get("verification", {}).items():
        _print_ratios(f"Verification of {alg}, in bare {alg} signature checks", cases)
    for kind, cases in results.get("requests", {}).items():
        _print_ratios(f"Added to a request, {kind}, in bare RS256 checks in a view", cases)
    if "proofs" in results:
        _print_ratios("Proofs, in bare ES256 checks in a view", results["proofs"])
        print(f"A used proof leaves {results['proof memory']} bytes in the process")
    if "introspection" in results:
        _print_ratios("Opaque tokens, in bare RS256 signature checks", results["introspection"])
        print(f"One remembered outside the process takes {results['cache operations']:g} operations of the cache")
    if "tenants" in results:
        _print_ratios("Issuers of a resolver, in bare RS256 signature checks", results["tenants"])
    for part, counts in results.get("growth", {}).items():
        _print_growth(part, counts)
    for size, used in results.get("memory", {}).items():
        print(f"\nA remembered token of {size} characters takes {used} bytes", end="")
    if "server" in results:
        _print_server(results["server"])
    if "tail" in results:
        _print_tail(results["tail"])
    _print_goals(goals(results))


def _is_installed(name):
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _print_ratios(title, cases):
    print(f"\n{title:62} {'median':>7}  {'quartiles':>15}  {'microseconds':>12}")
    for name, case in cases.items():
        quartiles = f"{case['ratio_p25']:.2f} to {case['ratio_p75']:.2f}"
        print(f"  {name:60} {case['ratio']:7.2f}  {quartiles:>15}  {case['microseconds']:12.1f}")


def _print_growth(part, counts):
    print(f"\n{_GROWTH[part]:62}" + "".join(f"{count:>8}" for count in counts))
    for name in next(iter(counts.values())):
        print(f"  {name:60}" + "".join(f"{cases[name]['ratio']:8.2f}" for cases in counts.values()))


def _print_tail(loads):
    print(f"\n\n{'Milliseconds of a valid request, gunicorn, 4 workers of 4 threads':66}{'median':>8}{'p99':>8}")
    for load, times in loads.items():
        print(f"  {load:64}{times['p50']:8.1f}{times['p99']:8.1f}")


_GROWTH = {
    "keys": "By keys in the JWKS, in bare signature checks",
    "issuers": "By trusted issuers, in bare signature checks",
    "size": "By characters of the token, in bare signature checks",
    "remembered": "By remembered tokens in use, in bare signature checks",
    "threads": "By threads, wall time beside threads that share nothing",
}


def _print_server(projects):
    title = "gunicorn, 1 worker of 4 threads: requests per second"
    print(f"\n\n{title:62} {'median':>7}  {'open view':>15}  {'share':>12}")
    for name, project in projects.items():
        rate, unsecured = project["requests_per_second"], project["open_requests_per_second"]
        print(f"  {name:60} {rate:7}  {unsecured:15}  {project['share']:12.2f}")


def _print_goals(found):
    print(f"\n{'Goals':62} {'figure':>7}  {'at most':>15}")
    for goal in found:
        verdict = "met" if goal["figure"] <= goal["limit"] else "MISSED"
        print(f"  {goal['goal']:60} {goal['figure']:7.2f}  {goal['limit']:15.2f}  {verdict:>12}")
