"""The life of a flexjob, and the reviews and steps within it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from local.actions.action import Dated


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFlexjob(Dated):
    """The first day of a flexjob."""

    path: ClassVar[str] = "/v1/flexjobs"
    placement_id: UUID
    person_ref: UUID
    grant_id: UUID | None = None
    need_id: UUID | None = None
    department: str
    workplace_unit: str
    attendance_hours_per_week: Decimal
    effective_hours_per_week: Decimal
    grant_term: str
    retention: bool
    scheme: str = "post2013"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeHours(Dated):
    """New hours, as absolute values."""

    path: ClassVar[str] = "/v1/flexjobs/{placement_id}/hours-changes"
    placement_id: UUID
    attendance_hours_per_week: Decimal
    effective_hours_per_week: Decimal
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Dated):
    """The flexjob goes on at another workplace of the municipality."""

    path: ClassVar[str] = "/v1/flexjobs/{placement_id}/transfers"
    placement_id: UUID
    department: str
    workplace_unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeStep(Dated):
    """The person learned or took on something new."""

    path: ClassVar[str] = "/v1/flexjobs/{placement_id}/development-steps"
    placement_id: UUID
    step_code: str
    hours: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReview(Dated):
    """A follow-up: the one of its kind that the flexjob is waiting for, or an early one that nothing called for."""

    path: ClassVar[str] = "/v1/flexjobs/{placement_id}/reviews"
    placement_id: UUID
    review_kind: str
    outcome_code: str

    @property
    def was_called_for(self) -> bool:
        """Whether the service knows the review already, by an id that it has given it."""
        return self.review_kind != "early"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObtainOrdinaryEmployment(Dated):
    """The person goes on in an ordinary job."""

    path: ClassVar[str] = "/v1/flexjobs/{placement_id}/ordinary-employment"
    placement_id: UUID
    effective_hours_per_week: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class EndFlexjob(Dated):
    """The day after the last day of a flexjob."""

    path: ClassVar[str] = "/v1/flexjobs/{placement_id}/end"
    placement_id: UUID
    reason_code: str
