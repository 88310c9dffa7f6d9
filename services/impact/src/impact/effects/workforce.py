"""What payroll's snapshots say of each department (E1, E2): the last one stands until the next."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from contracts.workplaces import WorkforceSnapshotTaken
from impact.effects.cells import cell
from impact.effects.levels import standing, until_the_next
from impact.fold import Effect, Fact


def headcount(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The persons employed."""
    return _as_last_counted(facts, lambda snapshot: Decimal(snapshot.headcount))


def fte(facts: Sequence[Fact]) -> Iterator[Effect]:
    """Their full-time equivalents."""
    return _as_last_counted(facts, lambda snapshot: snapshot.fte)


def trainees(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The trainees and apprentices among them."""
    return _as_last_counted(facts, lambda snapshot: Decimal(snapshot.trainee_headcount))


def snapshots(facts: Sequence[Fact]) -> Iterator[Effect]:
    """One snapshot, on its day."""
    for snapshot in _snapshots(facts):
        name = snapshot.department
        yield Effect(name, None, None, snapshot.occurred_on, Decimal(1), cell(department=name))


def _as_last_counted(facts: Sequence[Fact], amount: Callable[[WorkforceSnapshotTaken], Decimal]) -> Iterator[Effect]:
    for snapshot, until in until_the_next(_snapshots(facts)):
        name = snapshot.department
        yield from standing(name, None, snapshot.occurred_on, until, amount(snapshot), cell(department=name))


def _snapshots(facts: Sequence[Fact]) -> list[WorkforceSnapshotTaken]:
    return [event for fact in facts if isinstance(event := fact.event, WorkforceSnapshotTaken)]
