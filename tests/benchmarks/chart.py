"""The results as one picture: ours beside the peers', in the unit that does not depend on the machine."""

from textwrap import fill

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

from .goals import CLIENT
from .request_costs import BARE, DRF, PLAIN
from .verification import ANEW, REMEMBERED

_OURS, _THEIRS, _INK = "#2a78d6", "#b9b8b2", "#33332f"


def draw(results, folder):
    """Write the results that are there as chart.png."""
    panels = [panel for panel in (_verification, _requests, _proofs, _opaque, _keys, _servers) if panel.part in results]
    if not panels:
        return
    with plt.rc_context({"font.size": 9, "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": "#d8d7d0"}):
        columns = min(2, len(panels))
        rows = -(-len(panels) // columns)
        figure, axes = plt.subplots(
            rows, columns, layout="constrained", figsize=(6.4 * columns, 3.2 * rows), squeeze=False
        )
        for panel, ax in zip(panels, axes.flat, strict=False):
            panel(ax, results[panel.part])
            ax.spines[["top", "right"]].set_visible(False)
        for ax in axes.flat[len(panels) :]:
            ax.set_axis_off()
        figure.get_layout_engine().set(w_pad=0.15, h_pad=0.15)
        figure.savefig(folder / "chart.png", dpi=130)
        plt.close(figure)


def _of(part):
    def mark(panel):
        panel.part = part
        return panel

    return mark


@_of("verification")
def _verification(ax, algorithms):
    _beside_one(ax, _ratios(algorithms["RS256"]), (ANEW, REMEMBERED))
    ax.set_title("Verify an RS256 token", loc="left", fontweight="bold")
    ax.set_xlabel("bare signature checks (dotted line: one); less is better")


@_of("requests")
def _requests(ax, kinds):
    added = {f"{kind}: {name}": case["ratio"] for kind in (DRF, PLAIN) for name, case in kinds[kind].items()}
    ours = [name for name in added if "PyJWT" not in name and "simplejwt" not in name]
    shown = {name: ratio for name, ratio in added.items() if "decorator" not in name and BARE not in name}
    _costs(ax, shown, ours)
    ax.set_title("Added to one request", loc="left", fontweight="bold")
    ax.set_xlabel("bare RS256 signature checks in a view; less is better")


@_of("proofs")
def _proofs(ax, cases):
    _beside_one(ax, _ratios(cases), cases)
    ax.set_title("DPoP", loc="left", fontweight="bold")
    ax.set_xlabel("bare ES256 signature checks in a view; less is better")


@_of("introspection")
def _opaque(ax, cases):
    _beside_one(ax, _ratios(cases), cases)
    ax.set_title("Opaque tokens, remembered", loc="left", fontweight="bold")
    ax.set_xlabel("bare signature checks (dotted line: one); less is better")


@_of("growth")
def _keys(ax, growth):
    counts = list(growth["keys"])
    for name, color in ((CLIENT, _THEIRS), (ANEW, _OURS), (REMEMBERED, _OURS)):
        ratios = [growth["keys"][count][name]["ratio"] for count in counts]
        ax.plot(counts, ratios, color=color, linewidth=2, marker="o", markersize=5)
        ax.annotate(name, (counts[0], max(ratios)), (0, 7), textcoords="offset points", fontsize=8)
    ax.set_xscale("log")
    ax.set_xticks(counts, [str(count) for count in counts])
    ax.minorticks_off()
    ax.set_ylim(0, 1.2 * ax.get_ylim()[1])
    ax.set_title("By keys in the JWKS", loc="left", fontweight="bold")
    ax.set_xlabel("keys; bare RS256 signature checks, less is better")


@_of("server")
def _servers(ax, projects):
    shares = {name: 100 * project["share"] for name, project in projects.items()}
    _bars(
        ax, dict(sorted(shares.items(), key=lambda item: item[1])), [n for n in shares if "PyJWT" not in n], "{:.0f}%"
    )
    ax.set_xlim(0, 105)
    ax.set_title("Requests per second, gunicorn", loc="left", fontweight="bold")
    ax.set_xlabel("of the same view with no authentication; more is better")


def _ratios(cases):
    return {name: case["ratio"] for name, case in cases.items() if name != BARE}


def _beside_one(ax, ratios, ours):
    """Draw costs, and the line that is the cost of one bare check."""
    _costs(ax, ratios, ours)
    ax.axvline(1, color=_INK, linewidth=1, linestyle=":")


def _costs(ax, ratios, ours):
    """Draw costs, the least on top."""
    _bars(ax, dict(sorted(ratios.items(), key=lambda item: -item[1])), ours)


def _bars(ax, values, ours, form="{:.1f}"):
    names = list(values)
    bars = ax.barh(
        [fill(name, 38) for name in names],
        list(values.values()),
        color=[_OURS if name in ours else _THEIRS for name in names],
        height=0.68,
    )
    ax.bar_label(bars, labels=[form.format(value) for value in values.values()], padding=3)
    ax.tick_params(axis="y", length=0)
