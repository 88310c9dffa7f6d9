"""The flexjobs at municipal workplaces: persons (F1), their hours (F4), what moved these (F3), and exits (F8)."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from impact.effects.activity import Stretch, active_stretches, with_baselines
from impact.effects.cells import cell
from impact.effects.jobs import Change, flexjobs_of
from impact.effects.levels import FOREVER, standing
from impact.fold import NOTHING, Effect, Fact

OTHER_JOB = "other_job"


def persons(facts: Sequence[Fact]) -> Iterator[Effect]:
    """One person, while at least one flexjob runs, in the department that most hours are worked in."""
    return _in_departments(facts, lambda _: Decimal(1))


def effective_hours(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The person's effective hours per week over all running flexjobs, in the same department as the person."""
    return _in_departments(facts, lambda stretch: stretch.hours)


def net_hours_change(facts: Sequence[Fact]) -> Iterator[Effect]:
    """What a person's hours have gained since the run of flexjobs began, told apart by cause."""
    jobs = flexjobs_of(facts)
    changes = [change for job in jobs for change in job.changes]
    for stretch, baseline in with_baselines(active_stretches(jobs)):
        person = stretch.work[0].job.person
        gains = _by_cause(changes, baseline.first, stretch.first)
        # What no change of hours explains came with another job, or went with one.
        gains[OTHER_JOB] = stretch.hours - baseline.hours - sum(gains.values(), NOTHING)
        for cause, gained in gains.items():
            contributor = f"{person}/{cause}"
            yield from standing(contributor, person, stretch.first, stretch.until, gained, cell(cause=cause))


def ended(facts: Sequence[Fact]) -> Iterator[Effect]:
    """One flexjob, on the day after its last, whatever it ended for."""
    return _exits(facts, lambda _: True)


def ended_for_ordinary_job(facts: Sequence[Fact]) -> Iterator[Effect]:
    """One flexjob that ended since the person got an ordinary job."""
    return _exits(facts, lambda reason: reason == "ordinary_job")


def _in_departments(facts: Sequence[Fact], amount: Callable[[Stretch], Decimal]) -> Iterator[Effect]:
    for stretch in active_stretches(flexjobs_of(facts)):
        person = stretch.work[0].job.person
        department = cell(department=stretch.most(lambda terms: terms.department))
        yield from standing(person, person, stretch.first, stretch.until, amount(stretch), department)


def _by_cause(changes: Sequence[Change], begun: date, day: date) -> dict[str, Decimal]:
    """What the changes after the day on which a run began, up to another day, have added."""
    gains: dict[str, Decimal] = {}
    for change in changes:
        if begun < change.day <= day:
            gains[change.cause] = gains.get(change.cause, NOTHING) + change.hours
    return gains


def _exits(facts: Sequence[Fact], counts: Callable[[str | None], bool]) -> Iterator[Effect]:
    for job in flexjobs_of(facts):
        if job.end != FOREVER and counts(job.end_reason):
            yield Effect(job.placement, job.person, None, job.end, Decimal(1), ())
