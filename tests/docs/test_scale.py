"""The figures for many tenants are those of the simulation whose results stand beside it."""

import json
import re
from pathlib import Path

import pytest

from ..benchmarks import tenants_memory, tenants_simulation
from .manual_text import PAGES, joined, table

PAGE = "docs/explanations/scale.md"
RESULTS = json.loads(Path(tenants_simulation.RESULTS).read_text())
SETUPS = RESULTS["setups"]


def calm(results):
    """Return what stands in the first table's row of a setup."""
    counted, seconds = results["calm"], results["setup"]["seconds"]
    return (
        f"{counted['fetches'] * 3600 // seconds:,}",
        f"{counted['cache operations'] / seconds:.0f}",
        f"{counted['resolver calls'] / seconds:.0f}",
        f"{counted['requests that wait'] / counted['requests']:.1%}",
    )


def rotation(results):
    """Return what stands in the second table's row of a setup."""
    counted, setup = results["rotation"], results["setup"]
    tenth = setup["seconds"] // 10
    first, *rest = counted["fetches by tenth"]
    return (
        f"{first:,} in {tenth} s, {sum(rest):,} in the next {setup['seconds'] - tenth} s",
        f"{counted['cache operations'] / setup['seconds']:.0f}",
        f"{counted['requests that wait'] / counted['requests']:.1%}",
    )


@pytest.mark.parametrize(("heading", "row_of"), [("Every day", calm), ("All keys rotate", rotation)])
def test_the_tables_hold_the_figures_of_the_run(heading, row_of):
    """Nothing is claimed that was not simulated."""
    assert {name: tuple(cells) for name, *cells in table(PAGE, heading)} == {
        name: row_of(results) for name, results in SETUPS.items()
    }


def test_the_page_says_what_was_simulated():
    """The results are of the setups that the command runs, and of a run of full length."""
    assert {name: results["setup"] for name, results in SETUPS.items()} == {
        name: vars(setup) for name, setup in tenants_simulation.SETUPS.items()
    }
    rates = {setup.requests_per_second for setup in tenants_simulation.SETUPS.values()}
    assert f"{rates.pop()} requests a second" in joined(PAGE)
    assert not rates
    assert all(
        results[when]["requests without keys"] == 0 for results in SETUPS.values() for when in ("calm", "rotation")
    )


def test_the_memory_is_that_of_the_run():
    """In KB for each tenant of a worker."""
    shown = {name: cells for name, *cells in table(PAGE, "Memory")}
    assert shown.keys() == tenants_memory.CASES.keys()
    for name, (python, process) in shown.items():
        measured = RESULTS["memory"][name]
        assert (float(python), float(process)) == (measured["Python"], measured["process"])


def test_the_command_is_the_one_that_was_run():
    """It is there, where the page says."""
    (command,) = re.findall(r"python (tests/benchmarks/\S+\.py)", PAGES[PAGE])
    assert Path(tenants_simulation.__file__).name == Path(command).name
