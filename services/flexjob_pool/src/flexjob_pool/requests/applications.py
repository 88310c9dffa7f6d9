"""Asking the pool for money, and the answer."""

from typing import Annotated, ClassVar

from contracts.types import Code, OfList, OrganisationUnit, Ref
from flexjob_pool.requests.ask import RULES, Ask, HoursWorked, Money, Months


class Apply(Ask):
    """A workplace asks for money towards a flexjob."""

    noun: ClassVar = "application"
    named: ClassVar = "application_id"

    need_id: Ref | None = None
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    effective_hours_per_week: HoursWorked
    months: Months
    amount_ore: Money


class Approve(Ask):
    """Yes, on the day of decision."""

    noun: ClassVar = "application"
    beside: ClassVar = RULES


class Reject(Ask):
    """No, on the day of decision, and why."""

    noun: ClassVar = "application"
    beside: ClassVar = RULES

    reject_code: Annotated[Code, OfList("application_rejection")]


class WithdrawApplication(Ask):
    """The workplace no longer asks."""

    noun: ClassVar = "application"


class AnnulApproval(Ask):
    """The approval no longer holds, and why."""

    noun: ClassVar = "application"

    reason_code: Annotated[Code, OfList("approval_annulment")]
