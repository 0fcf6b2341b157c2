"""README's figures are those of the benchmark whose results stand beside it."""

import json
import math
from pathlib import Path

import pytest

from .readme_text import TEXT, table

RESULTS = json.loads((Path(__file__).parents[1] / "benchmarks" / "results.json").read_text())
VERIFICATION = RESULTS["verification"]["RS256"]
DJANGO, DRF = RESULTS["requests"]["Django view"], RESULTS["requests"]["DRF view"]

#: By the rows of README's table: what stands in its columns.
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


def test_the_table_holds_the_figures_of_the_run():
    """Nothing is claimed that was not measured."""
    shown = {name: figures for name, *figures in table("Speed")}
    assert shown.keys() == FIGURES.keys()
    for name, figures in FIGURES.items():
        for cell, figure in zip(shown[name], figures, strict=True):
            assert cell == "-" if figure is None else _is_rounded(cell, figure["ratio"])


def _is_rounded(cell, ratio):
    decimals = len(cell.partition(".")[2])
    return float(cell) == pytest.approx(ratio, abs=0.5 * 10**-decimals + 1e-9)


def test_the_text_holds_the_figures_of_the_run():
    """The sentences below the table say what the same run says."""
    between = DJANGO["a bare signature check in the view"]["in_loop"]
    assert f"takes {between:.1f} times as long" in TEXT.replace("\n", " ")
    growth = [goal["figure"] for goal in RESULTS["goals"] if goal["goal"].startswith("1 to ")]
    assert f"no difference beyond {math.ceil((max(growth) - 1) * 100)}%" in TEXT.replace("\n", " ")
    loads = {load: result["p99"] for load, result in RESULTS["tail"].items()}
    # Rounded up, as the growth above: each is a bound, and stands for no less than was measured.
    slowest = math.ceil(max(loads.values()) / loads["expired tokens beside"] * 100) / 100
    assert f"at most {slowest:.2f} times as long" in TEXT.replace("\n", " ")
    remembered = DRF["BearerJwtAuthentication, remembered"]
    assert f"between {remembered['ratio_p25']:.2f} and {remembered['ratio_p75']:.2f})" in TEXT.replace("\n", " ")
