"""The events of the municipality as a workplace: needs, candidates, Job7, awareness, and workforce snapshots."""

from functools import partial
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.event import Contract, DatedEvent, Opening
from contracts.flexjob_pool import FLEXJOB_LAW, PRODUCER
from contracts.types import Code, Count, Fte, HoursPerWeek, Key, MunicipalityCode, OfList, OrganisationUnit, Ref

NOT_PERSONAL = "None: no personal data"
STATISTICS = "Current year + 5"
UNTIL_FILLED = "Two years after the need was filled or withdrawn"
UNTIL_PLACED = "Two years after the request was closed"

# What holds for every event about the same noun.
of_workplace = partial(Contract, legal_basis=NOT_PERSONAL, classification="internal", producers=PRODUCER)
of_need = partial(of_workplace, owner="The workplace's manager", retention=UNTIL_FILLED, subject="need/{need_id}")
of_job7 = partial(
    Contract,
    owner="Business service",
    legal_basis=FLEXJOB_LAW,
    retention=UNTIL_PLACED,
    subject="job7_request/{request_id}",
    producers=PRODUCER,
)
NEED_REPORTED = Opening("need.reported", "need")
CANDIDATE_REQUESTED = Opening("job7.candidate_requested", "job7_request")
Job7Municipality = Annotated[MunicipalityCode, OfList("job7_municipality")]


class NeedReported(DatedEvent):
    """A workplace describes tasks for a person in a flexjob, and how many effective hours they could fill."""

    contract: ClassVar = of_need(name="need.reported", phase="start")

    need_id: Annotated[Ref, Key("need")]
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    task_codes: Annotated[tuple[Annotated[Code, OfList("task")], ...], Field(min_length=1)]
    effective_hours_per_week_from: HoursPerWeek
    effective_hours_per_week_to: HoursPerWeek

    @model_validator(mode="after")
    def _from_is_not_above_to(self) -> Self:
        if self.effective_hours_per_week_from > self.effective_hours_per_week_to:
            raise ValueError("effective_hours_per_week_from must not be above effective_hours_per_week_to")
        return self


class NeedWithdrawn(DatedEvent):
    """The workplace no longer looks for anybody."""

    contract: ClassVar = of_need(name="need.withdrawn", phase="end", opened_by=NEED_REPORTED)

    need_id: Annotated[Ref, Key("need")]
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    reason_code: Annotated[Code, OfList("need_withdrawal")]


class CandidateProposed(DatedEvent):
    """A person was proposed for a need."""

    contract: ClassVar = of_need(
        name="candidate.proposed",
        owner="Labour market department",
        legal_basis=FLEXJOB_LAW,
        classification="special_category",
        opened_by=NEED_REPORTED,
    )

    need_id: Annotated[Ref, Key("need")]
    person_ref: Annotated[Ref, Key("person")]
    department: OrganisationUnit
    workplace_unit: OrganisationUnit


class Job7Event(DatedEvent):
    """What happens to a request from one Job7 municipality to another; it counts for the one that asked."""

    request_id: Annotated[Ref, Key("job7_request")]
    need_id: Annotated[Ref | None, Key("need")] = None
    from_municipality: Job7Municipality
    to_municipality: Job7Municipality


class CandidateRequested(Job7Event):
    """`from_municipality` asks `to_municipality` for a candidate."""

    contract: ClassVar = of_job7(name="job7.candidate_requested", classification="internal", phase="start")


class CandidateOffered(Job7Event):
    """`to_municipality` has a candidate."""

    contract: ClassVar = of_job7(
        name="job7.candidate_offered", classification="special_category", opened_by=CANDIDATE_REQUESTED
    )

    person_ref: Annotated[Ref, Key("person")]


class CandidatePlaced(Job7Event):
    """The candidate has got the job; hours and days of it are told by the placement's own events."""

    contract: ClassVar = of_job7(
        name="job7.candidate_placed", classification="special_category", phase="end", opened_by=CANDIDATE_REQUESTED
    )

    person_ref: Annotated[Ref, Key("person")]
    placement_id: Annotated[Ref, Key("placement")]


class Workplace(BaseModel):
    """A workplace and the department that it belongs to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    department: OrganisationUnit
    workplace_unit: OrganisationUnit


class AwarenessSessionHeld(DatedEvent):
    """Managers were told what flexjobs can be; an activity, no effect."""

    contract: ClassVar = of_workplace(
        name="awareness.session_held",
        owner="Programme for social economy",
        retention=STATISTICS,
        subject="session/{session_id}",
    )

    session_id: Annotated[Ref, Key("session")]
    workplaces: Annotated[tuple[Workplace, ...], Field(min_length=1)]
    managers: Count


class WorkforceSnapshotTaken(DatedEvent):
    """Who worked in a department at the end of `occurred_on`, as payroll counts; trainees are within the headcount."""

    contract: ClassVar = of_workplace(
        name="workforce.snapshot_taken", owner="HR", retention=STATISTICS, subject="department/{department}"
    )

    department: Annotated[OrganisationUnit, Key("department")]
    headcount: Count
    fte: Fte
    trainee_headcount: Count
    wage_subsidy_headcount: Count

    @model_validator(mode="after")
    def _trainees_are_staff(self) -> Self:
        if self.trainee_headcount > self.headcount:
            raise ValueError("trainee_headcount must not be above headcount")
        return self
