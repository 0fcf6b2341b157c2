"""Measuring on a noisy machine: many short samples, each beside the floor, in rounds of changing order.

A sample does the case and its floor by turns, a slice of two milliseconds or so each. Whatever else the
machine does meanwhile, it does to both alike, so their ratio is steady where their times are not. The
median of these ratios over all rounds is what counts.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

#: Does something as often as it is told.
Repeat = Callable[[int], object]


@dataclass(frozen=True)
class Case:
    """One thing to measure, and the floor to divide it by.

    ``ready`` sets the stage and gives one or two functions: what is measured, and what to take off from
    its cost. ``warm_up`` is how often each is done before the clock runs, at each sample anew.
    """

    name: str
    floor: Repeat
    ready: Callable[[], AbstractContextManager[tuple[Repeat, ...]]]
    warm_up: int = 16


@dataclass(frozen=True)
class Plan:
    """How long to measure; the clock counts CPU time, which other processes take less from."""

    rounds: int = 50
    slices: int = 4
    slice_seconds: float = 0.002
    clock: Callable[[], float] = time.process_time
    seed: int = 1


@dataclass(frozen=True)
class Sample:
    """Seconds per call: the case's, less what is to be taken off, and the floor's."""

    cost: float
    floor: float


Result = dict[str, float]


def measure(cases: Iterable[Case], plan: Plan) -> dict[str, Result]:
    """Return each case's result by name; in each round all run once, in an order of its own."""
    cases = list(cases)
    calls = {case.name: _calls_per_slice(case, plan) for case in cases}
    samples: dict[str, list[Sample]] = {case.name: [] for case in cases}
    shuffle = random.Random(plan.seed).shuffle
    gc.collect()
    gc.freeze()  # what is there before belongs to no sample
    try:
        for _ in range(plan.rounds):
            shuffle(cases)
            for case in cases:
                samples[case.name].append(_sample(case, calls[case.name], plan))
                gc.collect()
    finally:
        gc.unfreeze()
    return {name: _result(taken) for name, taken in samples.items()}


def _result(samples: list[Sample]) -> Result:
    ratios = [sample.cost / sample.floor for sample in samples]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return {
        "ratio": round(middle, 3),
        "ratio_p25": round(low, 3),
        "ratio_p75": round(high, 3),
        "microseconds": round(statistics.median(sample.cost for sample in samples) * 1e6, 2),
    }


def _sample(case: Case, calls: tuple[int, ...], plan: Plan) -> Sample:
    with case.ready() as repeats:
        return _by_turns((case.floor, *repeats), calls, case.warm_up, plan)


def _by_turns(repeats: tuple[Repeat, ...], calls: tuple[int, ...], warm_up: int, plan: Plan) -> Sample:
    for repeat in repeats:
        repeat(warm_up)
    seconds = [0.0] * len(repeats)
    gc.disable()
    try:
        for _ in range(plan.slices):
            for turn, repeat in enumerate(repeats):
                # Not counted: else each would pay for what the one before left in the processor's caches, and
                # what is taken off, which is like the case before it, would pay least.
                repeat(2)
                seconds[turn] += _seconds(repeat, calls[turn], plan.clock)
    finally:
        gc.enable()
    floor, cost, *less = (spent / plan.slices / times for spent, times in zip(seconds, calls, strict=True))
    return Sample(cost - sum(less), floor)


def _calls_per_slice(case: Case, plan: Plan) -> tuple[int, ...]:
    with case.ready() as repeats:
        # What is taken off is done as often as what it is taken off from: a slice's own cost must go with it.
        calls = _calls_for(repeats[0], case.warm_up, plan)
        return (_calls_for(case.floor, case.warm_up, plan), *(calls for _ in repeats))


def _calls_for(repeat: Repeat, warm_up: int, plan: Plan) -> int:
    repeat(warm_up)
    calls = 1
    while (seconds := min(_seconds(repeat, calls, plan.clock) for _ in range(3))) < plan.slice_seconds / 2:
        calls *= 2
    return max(1, round(calls * min(1, plan.slice_seconds / seconds)))


def _seconds(repeat: Repeat, calls: int, clock: Callable[[], float]) -> float:
    begin = clock()
    repeat(calls)
    return clock() - begin
