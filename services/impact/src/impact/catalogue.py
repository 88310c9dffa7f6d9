"""Every indicator, in the order in which it is shown; metric, API and documentation follow from this list alone.

A definition in force is never edited: a fix is a new version. The tracks are those of the strategy.
"""

from collections.abc import Iterable, Mapping

from impact.entries import flexjobs, job7, jobs, needs, pool, reviews, workforce
from impact.fold import Measure
from impact.indicator import Bilingual, Indicator

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

# The council's own words, but for the name of its municipality: another one may be shown.
TRACKS: Mapping[str, Bilingual] = {
    "": Bilingual("På tværs af sporene", "Across the tracks"),
    "T1": Bilingual(
        "Spor 1: Socialøkonomi og socialt ansvar som brobygger for mennesker med udfordringer udover ledighed",
        "Track 1: Social economy and social responsibility as a bridge for people with challenges beyond unemployment",
    ),
    "T2": Bilingual("Spor 2: Kommunen som facilitator", "Track 2: The municipality as facilitator"),
    "T3": Bilingual("Spor 3: Partnerskaber med civilsamfundet", "Track 3: Partnerships with civil society"),
}


def track_of(indicator: Indicator) -> str:
    """The track under which an indicator stands; what serves several of them, or none by name, stands across them."""
    named = [code for code in indicator.mapping if code in TRACKS]
    return named[0] if len(named) == 1 else ""


def measures_of(indicators: Iterable[Indicator]) -> tuple[Measure, ...]:
    """The measures that indicators are read from, each once, in the catalogue's order."""
    return tuple(dict.fromkeys(measure for indicator in indicators for measure in indicator.kept))
