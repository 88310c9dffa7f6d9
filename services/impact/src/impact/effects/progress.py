"""Who has more hours, or fewer, than when the present run of jobs began (J3, J3r); see `activity` for what a run is."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from impact.effects.activity import active_stretches, with_baselines
from impact.effects.cells import cell
from impact.effects.jobs import jobs_of
from impact.effects.levels import standing
from impact.fold import Effect, Fact


def employed(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The person, while at least one eligible job runs, under the kind that most hours are worked in."""
    return _person_while(facts, lambda _now, _then: True)


def progressed(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The person, while all hours together are above those of the run's first day."""
    return _person_while(facts, lambda now, then: now > then)


def regressed(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The person, while all hours together are below those of the run's first day."""
    return _person_while(facts, lambda now, then: now < then)


def _person_while(facts: Sequence[Fact], holds: Callable[[Decimal, Decimal], bool]) -> Iterator[Effect]:
    for stretch, baseline in with_baselines(active_stretches(jobs_of(facts))):
        if holds(stretch.hours, baseline.hours):
            person = stretch.work[0].job.person
            kind = cell(kind=stretch.most(lambda terms: terms.kind))
            yield from standing(person, person, stretch.first, stretch.until, Decimal(1), kind)
