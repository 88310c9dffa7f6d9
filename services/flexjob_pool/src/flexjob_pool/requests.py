"""What may be asked at the doors, before any rule is tried; an unknown field is refused rather than overlooked."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contracts.types import Code, Day, FiscalYear, HoursPerWeek, Ore, OrganisationUnit, Ref, Share

HoursWorked = Annotated[HoursPerWeek, Field(gt=0)]
Money = Annotated[Ore, Field(gt=0)]
# The longest names of so many fit into one event.
MOST_UNITS = 400
Months = Annotated[int, Field(strict=True, ge=1, le=120)]


class Ask(BaseModel):
    """Whatever is asked became or becomes true on a date, in Denmark."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    occurred_on: Day


class AdoptRules(Ask):
    """A new basis of the pool from `occurred_on`; a unit that is listed opens the pool to all workplaces below it."""

    refund_share: Share
    max_weekly_effective_hours: HoursWorked | None = None
    max_months: Months | None = None
    eligible_units: Annotated[tuple[OrganisationUnit, ...], Field(max_length=MOST_UNITS)]


class AllocateBudget(Ask):
    """A budget's total; naming a budget again sets its new total."""

    budget_id: Ref | None = None
    fiscal_year: FiscalYear
    amount_ore: Ore


class Apply(Ask):
    """A workplace asks for money towards a flexjob."""

    application_id: Ref | None = None
    need_id: Ref | None = None
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    effective_hours_per_week: HoursWorked
    months: Months
    amount_ore: Money


class Approve(Ask):
    """Yes, on the day of decision."""


class Reject(Ask):
    """No, on the day of decision, and why."""

    reject_code: Code


class CommitGrant(Ask):
    """The approved amount, reserved for a half-open period."""

    grant_id: Ref | None = None
    application_id: Ref
    period_from: Day
    period_to: Day


class StartFlexjob(Ask):
    """The first day of a flexjob."""

    placement_id: Ref | None = None
    person_ref: Ref
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    grant_id: Ref | None = None
    need_id: Ref | None = None
    attendance_hours_per_week: HoursWorked
    effective_hours_per_week: HoursWorked
    grant_term: Code
    retention: Annotated[bool, Field(strict=True)]
    scheme: Code


class ChangeHours(Ask):
    """New hours from a date; both are absolute values."""

    attendance_hours_per_week: HoursWorked
    effective_hours_per_week: HoursWorked
    cause: Code


class EndFlexjob(Ask):
    """The day after the last day of a flexjob, and why it ended."""

    reason_code: Code
