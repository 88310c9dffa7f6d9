"""The life of a flexjob, from its first day to the day after its last."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.types import Code, Hours, HoursPerWeek, OfList, OrganisationUnit, Ref
from flexjob_pool.requests.ask import MONEY, Ask, HoursWorked


class StartFlexjob(Ask):
    """The first day of a flexjob."""

    noun: ClassVar = "flexjob"
    named: ClassVar = "placement_id"

    person_ref: Ref
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    grant_id: Ref | None = None
    need_id: Ref | None = None
    attendance_hours_per_week: HoursWorked
    effective_hours_per_week: HoursWorked
    grant_term: Annotated[Code, OfList("grant_term")]
    retention: Annotated[bool, Field(strict=True)]
    scheme: Annotated[Code, OfList("flexjob_scheme")]


class ChangeHours(Ask):
    """New hours from a date; both are absolute values."""

    noun: ClassVar = "flexjob"

    attendance_hours_per_week: HoursWorked
    effective_hours_per_week: HoursWorked
    cause: Annotated[Code, OfList("hours_change_cause")]


class Transfer(Ask):
    """The flexjob goes on at another workplace of the municipality."""

    noun: ClassVar = "flexjob"

    department: OrganisationUnit
    workplace_unit: OrganisationUnit


class TakeDevelopmentStep(Ask):
    """Something new was learned or taken on; `hours` when it was timed, as a course is."""

    noun: ClassVar = "flexjob"

    step_code: Annotated[Code, OfList("development_step")]
    hours: Hours | None = None


class ObtainOrdinaryEmployment(Ask):
    """The person went on to ordinary terms, with these hours."""

    noun: ClassVar = "flexjob"

    effective_hours_per_week: HoursWorked


class EndFlexjob(Ask):
    """The day after the last day of a flexjob, and why it ended."""

    noun: ClassVar = "flexjob"
    beside: ClassVar = MONEY

    reason_code: Annotated[Code, OfList("flexjob_end_reason")]


class PayHours(Ask):
    """What payroll's working time of an employment amounts to, from a date; none in unpaid leave.

    Payroll knows no cause; somebody who does states it by a correction.
    """

    noun: ClassVar = "flexjob"
    by_itself: ClassVar = True
    stated_later: ClassVar = frozenset({"cause"})

    employment_ref: Ref
    attendance_hours_per_week: HoursPerWeek
    effective_hours_per_week: HoursPerWeek
    cause: Annotated[Code, OfList("hours_change_cause")] = "not_stated"


class PayEnd(Ask):
    """The day after the last day that payroll has of an employment; payroll knows no reason."""

    noun: ClassVar = "flexjob"
    beside: ClassVar = MONEY
    by_itself: ClassVar = True
    stated_later: ClassVar = frozenset({"reason_code"})

    employment_ref: Ref
    reason_code: Annotated[Code, OfList("flexjob_end_reason")] = "not_stated"
