"""What a payroll system tells of its employments, as SD Løn does: each attribute is an interval of days.

Intervals of one employment may overlap: the one that was registered last holds where they do. Impact counts none of
them; flexjob_pool turns them into its own events.
"""

from functools import partial
from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from contracts.event import Contract, DatedEvent
from contracts.types import Day, Key, Ref, Share

# A working time beside a person in a flexjob tells of reduced capacity, which is health.
of_employment = partial(
    Contract,
    owner="Payroll",
    legal_basis="GDPR art. 6(1)(c) and 9(2)(b); the employer's duty to keep pay records",
    retention="Current year + 5 (bogføring)",
    classification="special_category",
    subject="employment/{employment_ref}",
    producers=("gateway",),
)


class EmploymentEvent(DatedEvent):
    """What happens to one employment in payroll, which pays for one placement."""

    employment_ref: Annotated[Ref, Key("employment")]
    placement_id: Annotated[Ref, Key("placement")]
    person_ref: Annotated[Ref, Key("person")]


class WorkingTimeChanged(EmploymentEvent):
    """The share of full time that is paid for, from `occurred_on` until the day before `ends_on`, or without end."""

    contract: ClassVar = of_employment(name="payroll.working_time_changed", phase="change")

    occupation_rate: Share
    ends_on: Day | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.ends_on is not None and self.ends_on <= self.occurred_on:
            raise ValueError("ends_on must be after occurred_on")
        return self


class EmploymentEnded(EmploymentEvent):
    """The employment is over from `occurred_on`, the day after its last day."""

    contract: ClassVar = of_employment(name="payroll.employment_ended", phase="end")
