"""What workplaces look for."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.types import Code, OfList, OrganisationUnit, Ref
from flexjob_pool.requests.ask import Ask, HoursWorked

MOST_TASKS = 100


class ReportNeed(Ask):
    """Tasks for a person in a flexjob, and how many effective hours they could fill."""

    noun: ClassVar = "need"
    named: ClassVar = "need_id"

    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    task_codes: Annotated[tuple[Annotated[Code, OfList("task")], ...], Field(min_length=1, max_length=MOST_TASKS)]
    effective_hours_per_week_from: HoursWorked
    effective_hours_per_week_to: HoursWorked


class WithdrawNeed(Ask):
    """The workplace no longer looks for anybody, and why."""

    noun: ClassVar = "need"

    reason_code: Annotated[Code, OfList("need_withdrawal")]


class ProposeCandidate(Ask):
    """A person who could do what is needed."""

    noun: ClassVar = "need"

    person_ref: Ref
