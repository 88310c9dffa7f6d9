"""The municipality as an employer: what managers are told, and who works there."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from contracts.types import Count, Fte, OrganisationUnit
from contracts.workplaces import Workplace
from flexjob_pool.requests.ask import Ask

# The longest names of so many fit into one event.
MOST_WORKPLACES = 150


class Visited(Workplace):
    """A workplace whose managers were there."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HoldSession(Ask):
    """Managers of these workplaces were told what flexjobs can be."""

    noun: ClassVar = "session"
    named: ClassVar = "session_id"

    workplaces: Annotated[tuple[Visited, ...], Field(min_length=1, max_length=MOST_WORKPLACES)]
    managers: Count


class TakeSnapshot(Ask):
    """Who worked in a department at the end of the day; trainees are within the headcount."""

    noun: ClassVar = "snapshot"

    department: OrganisationUnit
    headcount: Count
    fte: Fte
    trainee_headcount: Count
    wage_subsidy_headcount: Count
