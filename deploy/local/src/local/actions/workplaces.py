"""The municipality as a workplace: needs and candidates, Job7, awareness sessions, and how many work there."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from local.actions.action import Dated, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportNeed(Dated):
    """A workplace has tasks for somebody in a flexjob."""

    path: ClassVar[str] = "/v1/needs"
    need_id: UUID
    department: str
    workplace_unit: str
    task_codes: tuple[str, ...]
    effective_hours_per_week_from: Decimal
    effective_hours_per_week_to: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawNeed(Dated):
    """The workplace no longer looks for anybody."""

    path: ClassVar[str] = "/v1/needs/{need_id}/withdraw"
    need_id: UUID
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeCandidate(Dated):
    """Somebody might fill the need."""

    path: ClassVar[str] = "/v1/needs/{need_id}/candidates"
    need_id: UUID
    person_ref: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCandidate(Dated):
    """One Job7 municipality asks another for a candidate."""

    path: ClassVar[str] = "/v1/job7-requests"
    request_id: UUID
    need_id: UUID | None = None
    from_municipality: str
    to_municipality: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCandidate(Dated):
    """The other municipality has somebody."""

    path: ClassVar[str] = "/v1/job7-requests/{request_id}/offers"
    request_id: UUID
    person_ref: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCandidate(Dated):
    """The candidate has got the job."""

    path: ClassVar[str] = "/v1/job7-requests/{request_id}/placements"
    request_id: UUID
    person_ref: UUID
    placement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAwarenessSession(Dated):
    """Managers hear what flexjobs can be; each workplace by department and unit."""

    path: ClassVar[str] = "/v1/awareness-sessions"
    session_id: UUID
    workplaces: tuple[tuple[str, str], ...]
    managers: int

    def request(self) -> tuple[str, dict[str, Json]]:
        """Each workplace as an object of its own."""
        path, body = Dated.request(self)
        names = ("department", "workplace_unit")
        return path, body | {"workplaces": [dict(zip(names, place, strict=True)) for place in self.workplaces]}


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeSnapshot(Dated):
    """Who works in a department, as payroll counts at the end of the day."""

    path: ClassVar[str] = "/v1/workforce-snapshots"
    department: str
    headcount: int
    fte: Decimal
    trainee_headcount: int
    wage_subsidy_headcount: int
