"""The manual's figures are those of the benchmark whose results stand beside it."""

import json
import math
import re
from pathlib import Path

import pytest

from .manual_text import README, joined, table

PAGE = "docs/explanations/speed.md"
RESULTS = json.loads((Path(__file__).parents[1] / "benchmarks" / "results.json").read_text())
VERIFICATION = RESULTS["verification"]["RS256"]
DJANGO, DRF = RESULTS["requests"]["Django view"], RESULTS["requests"]["DRF view"]

#: By the rows of the page's table: what stands in its columns.
FIGURES = {
    "django-oauth-jwt, remembered token": (
        VERIFICATION["django-oauth-jwt, remembered token"],
        DJANGO["middleware, remembered"],
        DRF["BearerJwtAuthentication, remembered"],
    ),
    "django-oauth-jwt, verified anew": (
        VERIFICATION["django-oauth-jwt"],
        DJANGO["middleware, verified anew"],
        DRF["BearerJwtAuthentication, verified anew"],
    ),
    "PyJWT with PyJWKClient (views: a hand-written class)": (
        VERIFICATION["PyJWT, PyJWKClient"],
        DJANGO["hand-written PyJWT middleware"],
        DRF["hand-written PyJWT"],
    ),
    "simplejwt with `JWK_URL`": (None, None, DRF["simplejwt, JWK_URL"]),
}
#: By the columns of README's table, without this package's two: the case of a Django view, and of a DRF view.
PEERS = {
    "simplejwt": (None, DRF["simplejwt, JWK_URL"]),
    "PyJWT": (DJANGO["hand-written PyJWT middleware"], DRF["hand-written PyJWT"]),
}


def test_the_table_holds_the_figures_of_the_run():
    """Nothing is claimed that was not measured."""
    shown = {name: figures for name, *figures in table(PAGE)}
    assert shown.keys() == FIGURES.keys()
    for name, figures in FIGURES.items():
        for cell, figure in zip(shown[name], figures, strict=True):
            assert cell == "-" if figure is None else _is_rounded(cell, figure["ratio"])


def test_readmes_table_holds_them_too():
    """With the versions that were measured."""
    columns = re.search(r"^\| \| this package \| (.*) \|$", README, re.MULTILINE)[1].split(" | ")
    ours = [FIGURES[name] for name in list(FIGURES)[:2]]
    for number, title in ((0, "Django view"), (1, "DRF view")):
        (cells,) = [row[1:] for row in table("README.md") if row[0] == f"{title}: known token, new token"]
        for cell, figures in zip(cells[0].split(", "), ours, strict=True):
            assert _is_rounded(cell, figures[number + 1]["ratio"])
        for column, cell in zip(columns, cells[1:], strict=True):
            peer = PEERS.get(column.split(" ")[0], (None, None))[number]
            assert cell in ("-", "not measured") if peer is None else _is_rounded(cell, peer["ratio"])
    packages = RESULTS["run"]["packages"]
    for name, package in (("simplejwt", "djangorestframework-simplejwt"), ("PyJWT", "pyjwt")):
        (version,) = [re.search(rf"^{name} ([\d.]+)", column)[1] for column in columns if column.startswith(name)]
        assert packages[package].startswith(f"{version}.")


def _is_rounded(cell, ratio):
    decimals = len(cell.partition(".")[2])
    return float(cell) == pytest.approx(ratio, abs=0.5 * 10**-decimals + 1e-9)


def test_the_text_holds_the_figures_of_the_run():
    """The sentences below the table say what the same run says."""
    between = DJANGO["a bare signature check in the view"]["in_loop"]
    text = joined(PAGE)
    assert f"takes {between:.1f} times as long" in text
    growth = [goal["figure"] for goal in RESULTS["goals"] if goal["goal"].startswith("1 to ")]
    assert f"no difference beyond {math.ceil((max(growth) - 1) * 100)}%" in text
    loads = {load: result["p99"] for load, result in RESULTS["tail"].items()}
    # Rounded up, as the growth above: each is a bound, and stands for no less than was measured.
    slowest = math.ceil(max(loads.values()) / loads["expired tokens beside"] * 100) / 100
    assert f"at most {slowest:.2f} times as long" in text
    proof = RESULTS["proofs"]["bound token and proof, beyond a bearer token"]["ratio"]
    assert f"costs a request {proof:.1f} bare ES256 checks" in text
    opaque = RESULTS["introspection"]
    in_process = opaque["opaque token, remembered in the process"]["ratio"]
    outside = opaque["opaque token, remembered in a cache outside the process"]["ratio"]
    assert f"costs {in_process:.2f}, as a JWT does; one that only the shared cache remembers {outside:.1f}" in text
    remembered = DRF["BearerJwtAuthentication, remembered"]
    assert f"between {remembered['ratio_p25']:.2f} and {remembered['ratio_p75']:.2f})" in text
