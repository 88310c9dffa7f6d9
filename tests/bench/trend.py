"""Whether what was sampled again and again stays as it is: a straight line through it, and how far that rises."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, mean

SECONDS_OF_HOUR = 3600
# A process that has just begun still loads what it needs, and fills its caches and pools.
WARM_UP = 0.2


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much a line may rise while it is watched: a number, or a share of the mean, whichever is more."""

    number: float
    share: float = 0.0

    def of(self, values: Sequence[float]) -> float:
        """What it comes to for these values."""
        return max(self.number, self.share * mean(values))


@dataclass(frozen=True, slots=True)
class Trend:
    """What a series did after the warm-up; `flat` is None where growth is no fault."""

    name: str
    unit: str
    first: float
    last: float
    highest: float
    per_hour: float
    rise: float
    allowed: float | None

    @property
    def flat(self) -> bool | None:
        """Whether it rose no further than it may."""
        return None if self.allowed is None else self.rise <= self.allowed


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
    slope = linear_regression(seconds, values).slope
    rise = slope * (seconds[-1] - seconds[0])
    allowed = tolerance.of(values) if tolerance else None
    return Trend(name, unit, values[0], values[-1], max(values), slope * SECONDS_OF_HOUR, rise, allowed)
