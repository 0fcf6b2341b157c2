"""Measuring on a noisy machine: many short samples, interleaved, compared only within their own round.

Whatever else the machine does while a round lasts, it does to all cases of that round alike. So each case
is divided by the floor of the same round, and the median of these ratios is what counts.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

Repeat = Callable[[int], object]

#: Seconds per call, one for each round, by the case's name.
Samples = dict[str, list[float]]


@dataclass(frozen=True)
class Case:
    """One thing to measure.

    ``ready`` sets the stage and gives a function that does the thing as often as it is told; ``warm_up``
    is how often it is done before the clock runs, at each sample anew.
    """

    name: str
    ready: Callable[[], AbstractContextManager[Repeat]]
    warm_up: int = 20


@dataclass(frozen=True)
class Plan:
    """How long to measure; the clock counts CPU time unless said otherwise."""

    rounds: int = 60
    sample_seconds: float = 0.004
    clock: Callable[[], float] = time.process_time
    seed: int = 1


def measure(cases: Iterable[Case], plan: Plan) -> Samples:
    """Run all cases once in each round, in an order of its own."""
    cases = list(cases)
    sizes = {case.name: _calls_per_sample(case, plan) for case in cases}
    samples: Samples = {case.name: [] for case in cases}
    shuffle = random.Random(plan.seed).shuffle
    gc.collect()
    gc.freeze()
    try:
        for _ in range(plan.rounds):
            shuffle(cases)
            for case in cases:
                calls = sizes[case.name]
                samples[case.name].append(_sample(case, calls, plan.clock) / calls)
            gc.collect()
    finally:
        gc.unfreeze()
    return samples


def ratios(samples: Samples, name: str, floor: str, less: str | None = None) -> list[float]:
    """Return a case's cost in floors, round by round; ``less`` names a case to be taken off first."""
    base = samples[less] if less else [0.0] * len(samples[name])
    return [(cost - off) / unit for cost, off, unit in zip(samples[name], base, samples[floor], strict=True)]


def summary(samples: Samples, name: str, floor: str, less: str | None = None) -> dict[str, float]:
    """Return median and quartiles of a case's ratio, and the median of its time in microseconds."""
    in_floors = ratios(samples, name, floor, less)
    low, middle, high = statistics.quantiles(in_floors, n=4) if len(in_floors) > 1 else in_floors * 3
    base = samples[less] if less else [0.0] * len(samples[name])
    seconds = statistics.median(cost - off for cost, off in zip(samples[name], base, strict=True))
    return {
        "ratio": round(middle, 3),
        "ratio_p25": round(low, 3),
        "ratio_p75": round(high, 3),
        "microseconds": round(seconds * 1e6, 2),
    }


def _calls_per_sample(case: Case, plan: Plan) -> int:
    calls = 1
    while (seconds := _sample(case, calls, plan.clock)) < plan.sample_seconds / 4:
        calls *= 2
    return max(1, round(calls * plan.sample_seconds / seconds)) if plan.rounds > 1 else 1


def _sample(case: Case, calls: int, clock: Callable[[], float]) -> float:
    with case.ready() as repeat:
        repeat(case.warm_up)
        gc.disable()
        try:
            begin = clock()
            repeat(calls)
            return clock() - begin
        finally:
            gc.enable()
