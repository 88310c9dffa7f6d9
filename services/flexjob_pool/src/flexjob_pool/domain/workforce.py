"""The municipality as an employer: sessions that its managers came to, and who works in its departments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from contracts.event import DatedEvent
from contracts.types import Count, Fte, OrganisationUnit, Ref
from contracts.workplaces import AwarenessSessionHeld, WorkforceSnapshotTaken, Workplace
from flexjob_pool.domain.case import Case, Key, Place
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.refusals.workplaces import (
    SessionExists,
    SnapshotExists,
    SnapshotOfAnother,
    TraineesAboveStaff,
    WorkplaceTwice,
)
from flexjob_pool.requests.workforce import HoldSession, TakeSnapshot


@dataclass(frozen=True, slots=True)
class Session:
    """Managers of these workplaces were told what flexjobs can be."""

    noun: ClassVar = "session"

    session_id: Ref
    occurred_on: date
    workplaces: tuple[Workplace, ...]
    managers: Count

    @property
    def key(self) -> str:
        """Its id."""
        return str(self.session_id)

    @property
    def links(self) -> tuple[Place, ...]:
        """A session stands alone."""
        return ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Who worked in a department at the end of a day; there is one of each department and day."""

    noun: ClassVar = "snapshot"

    department: OrganisationUnit
    occurred_on: date
    headcount: Count
    fte: Fte
    trainee_headcount: Count
    wage_subsidy_headcount: Count

    @property
    def key(self) -> str:
        """Its department and day, as `Senior/2026-12-31`."""
        return snapshot_key(self.department, self.occurred_on)

    @property
    def links(self) -> tuple[Place, ...]:
        """A snapshot stands alone."""
        return ()


def snapshot_key(department: str, day: date) -> str:
    """The key of a department's snapshot of a day."""
    return f"{department}/{day}"


def hold_session(about: Key, ask: HoldSession, case: Case) -> list[DatedEvent]:
    """Tell managers of workplaces, each named once, what flexjobs can be."""
    if case.find(Session, about):
        raise SessionExists
    refuse(_named_again(ask))
    return [AwarenessSessionHeld(session_id=about, **ask.model_dump())]


def session_held(event: AwarenessSessionHeld, case: Case) -> None:
    """The session is known."""
    case.put(Session(event.session_id, event.occurred_on, event.workplaces, event.managers))


def take_snapshot(about: Key, ask: TakeSnapshot, case: Case) -> list[DatedEvent]:
    """Count who works in a department, once for a day."""
    if str(about) != snapshot_key(ask.department, ask.occurred_on):
        raise SnapshotOfAnother
    if case.find(Snapshot, about):
        raise SnapshotExists
    if ask.trainee_headcount > ask.headcount:
        raise TraineesAboveStaff
    return [WorkforceSnapshotTaken(**dict(ask))]


def snapshot_taken(event: WorkforceSnapshotTaken, case: Case) -> None:
    """The department is counted for that day."""
    case.put(Snapshot(**event.model_dump(exclude={"reason_code"})))


def _named_again(ask: HoldSession) -> Iterator[Refusal]:
    for place, workplace in enumerate(ask.workplaces):
        if workplace in ask.workplaces[:place]:
            yield WorkplaceTwice().at(f"workplaces/{place}")
