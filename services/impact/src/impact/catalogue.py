"""Every indicator, in the order in which it is shown; metric, API and documentation follow from this list alone.

A definition in force is never edited: a fix is a new version.
"""

from collections.abc import Iterable

from impact.entries import flexjobs, job7, jobs, needs, pool, reviews, workforce
from impact.fold import Measure
from impact.indicator import Indicator

INDICATORS: tuple[Indicator, ...] = (
    jobs.J1,
    jobs.J2,
    jobs.J3,
    jobs.J3R,
    jobs.J4,
    jobs.J4E,
    flexjobs.F1,
    flexjobs.F2,
    flexjobs.F3,
    flexjobs.F4,
    pool.F5,
    needs.F6,
    reviews.F7,
    flexjobs.F8,
    job7.F9,
    workforce.E1,
    workforce.E1F,
    workforce.E2,
)


def measures_of(indicators: Iterable[Indicator]) -> tuple[Measure, ...]:
    """The measures that indicators are read from, each once, in the catalogue's order."""
    return tuple(dict.fromkeys(measure for indicator in indicators for measure in indicator.kept))
