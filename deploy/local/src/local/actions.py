"""What a caseworker can register at the doors of the flexjob pool, as plain data with dates of its own."""

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from string import Formatter
from typing import ClassVar
from uuid import UUID

Json = str | int | bool | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One registration: made on `registered_on`, true from `occurred_on`."""

    path: ClassVar[str]
    registered_on: date
    occurred_on: date

    def request(self) -> tuple[str, dict[str, Json]]:
        """Path and JSON body of the POST; what stands in the path, or is none, stays out of the body."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        elsewhere = {"registered_on", *(name for _, name, _, _ in Formatter().parse(self.path))}
        body = {name: _json(value) for name, value in values.items() if name not in elsewhere and value is not None}
        return self.path.format_map(values), body


def _json(value: object) -> Json:
    match value:
        case int() | str():
            return value
        case tuple():
            return list(value)
        case _:
            return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptRules(Action):
    """The basis of the pool in a new version."""

    path: ClassVar[str] = "/v1/rules"
    refund_share: Decimal
    max_weekly_effective_hours: Decimal
    max_months: int
    eligible_units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocateBudget(Action):
    """Money set aside for a fiscal year."""

    path: ClassVar[str] = "/v1/budgets"
    budget_id: UUID
    fiscal_year: int
    amount_ore: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustBudget(Action):
    """A budget's new total."""

    path: ClassVar[str] = "/v1/budgets/{budget_id}/adjustments"
    budget_id: UUID
    amount_ore: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply(Action):
    """A workplace asks for money towards a flexjob."""

    path: ClassVar[str] = "/v1/applications"
    application_id: UUID
    department: str
    workplace_unit: str
    effective_hours_per_week: Decimal
    months: int
    amount_ore: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve(Action):
    """Yes, under the rules of the day."""

    path: ClassVar[str] = "/v1/applications/{application_id}/approve"
    application_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(Action):
    """No, under the rules of the day."""

    path: ClassVar[str] = "/v1/applications/{application_id}/reject"
    application_id: UUID
    reject_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitGrant(Action):
    """What an approved application asked for, reserved for a half-open period."""

    path: ClassVar[str] = "/v1/grants"
    grant_id: UUID
    application_id: UUID
    period_from: date
    period_to: date


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFlexjob(Action):
    """The first day of a flexjob."""

    path: ClassVar[str] = "/v1/flexjobs"
    placement_id: UUID
    person_ref: UUID
    grant_id: UUID | None = None
    department: str
    workplace_unit: str
    attendance_hours_per_week: Decimal
    effective_hours_per_week: Decimal
    grant_term: str
    retention: bool
    scheme: str = "post2013"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeHours(Action):
    """New hours, as absolute values."""

    path: ClassVar[str] = "/v1/flexjobs/{placement_id}/hours-changes"
    placement_id: UUID
    attendance_hours_per_week: Decimal
    effective_hours_per_week: Decimal
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndFlexjob(Action):
    """The day after the last day of a flexjob."""

    path: ClassVar[str] = "/v1/flexjobs/{placement_id}/end"
    placement_id: UUID
    reason_code: str


Plan = tuple[Action, ...]
