"""Whether what was sampled again and again stays as it is: how far a line through it rises, and how often it is high.

A line alone sees neither a hump that was worked off nor a backlog that stays as large as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import linear_regression, mean

SECONDS_OF_HOUR = 3600
# A process that has just begun still loads what it needs, and fills its caches and pools.
WARM_UP = 0.2
SELDOM = 0.1


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much a line may rise while it is watched: a number, or a share of the mean, whichever is more.

    Above `high` may lie one sample in ten at most.
    """

    number: float
    share: float = 0.0
    high: float = inf

    def of(self, values: Sequence[float]) -> float:
        """What it comes to for these values."""
        return max(self.number, self.share * mean(values))


@dataclass(frozen=True, slots=True)
class Trend:
    """What a series did after the warm-up; `late_per_hour` is the slope of its last half, `often_high` a share.

    `flat` is None where nothing is judged.
    """

    name: str
    unit: str
    first: float
    last: float
    highest: float
    per_hour: float
    late_per_hour: float
    rise: float
    allowed: float | None
    often_high: float

    @property
    def flat(self) -> bool | None:
        """Whether it rose no further than it may, and was seldom too high."""
        return None if self.allowed is None else not self.faults

    @property
    def faults(self) -> list[str]:
        """What is wrong with it."""
        if self.allowed is None:
            return []
        grows = [f"{self.name} grows"] if self.rise > self.allowed else []
        high = f"{self.name} is too high in {self.often_high:.0%} of the samples, at most {self.highest:,.0f}"
        return grows + ([high] if self.often_high > SELDOM else [])


def trend(
    name: str, unit: str, samples: Sequence[tuple[float, float]], tolerance: Tolerance | None = None
) -> Trend | None:
    """The least squares line through (seconds, value) after the warm-up; None with fewer than three samples there."""
    if not samples:
        return None
    end = samples[-1][0]
    warm = [sample for sample in samples if sample[0] >= WARM_UP * end]
    if len(warm) < 3:
        return None
    seconds, values = zip(*warm, strict=True)
    slope, late = linear_regression(seconds, values).slope, len(warm) // 2
    late_slope = linear_regression(seconds[late:], values[late:]).slope
    rise = slope * (seconds[-1] - seconds[0])
    allowed = tolerance.of(values) if tolerance else None
    often_high = sum(value > tolerance.high for value in values) / len(values) if tolerance else 0.0
    return Trend(
        name,
        unit,
        values[0],
        values[-1],
        max(values),
        slope * SECONDS_OF_HOUR,
        late_slope * SECONDS_OF_HOUR,
        rise,
        allowed,
        often_high,
    )
