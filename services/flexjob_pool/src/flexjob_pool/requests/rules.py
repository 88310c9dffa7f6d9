"""The basis of the pool."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.types import OrganisationUnit, Share
from flexjob_pool.requests.ask import RULES, Ask, HoursWorked, Months

# The longest names of so many fit into one event.
MOST_UNITS = 400


class AdoptRules(Ask):
    """A new basis of the pool from `occurred_on`; a unit that is listed opens the pool to all workplaces below it."""

    noun: ClassVar = "rules"
    beside: ClassVar = RULES

    refund_share: Share
    max_weekly_effective_hours: HoursWorked | None = None
    max_months: Months | None = None
    eligible_units: Annotated[tuple[OrganisationUnit, ...], Field(max_length=MOST_UNITS)]
