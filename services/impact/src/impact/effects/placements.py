"""Jobs begun (J1) and the hours they begin with (J2), on the first day on which each is of an eligible kind."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from impact.effects.cells import cell
from impact.effects.jobs import begun, jobs_of
from impact.fold import Effect, Fact


def started(facts: Sequence[Fact]) -> Iterator[Effect]:
    """One placement."""
    for job, day, terms in begun(jobs_of(facts)):
        dimensions = cell(kind=terms.kind, origin=job.origin, partner="yes" if job.has_partner else "no")
        yield Effect(job.placement, job.person, None, day, Decimal(1), dimensions)


def hours_started(facts: Sequence[Fact]) -> Iterator[Effect]:
    """Its effective hours per week by the end of that day."""
    for job, day, terms in begun(jobs_of(facts)):
        yield Effect(job.placement, job.person, None, day, terms.hours, cell(kind=terms.kind))
