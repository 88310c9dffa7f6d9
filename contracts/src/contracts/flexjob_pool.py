"""The events of track 2: rules, budgets, applications and grants of the flexjob pool, and the flexjobs themselves."""

from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from contracts.event import Contract, DatedEvent, Opening
from contracts.types import Code, Day, FiscalYear, HoursPerWeek, Key, OfList, Ore, OrganisationUnit, Ref, Share

PRODUCER = ("flexjob_pool",)
ADMINISTRATION = "Kommunestyrelsesloven § 40 (budget and grants)"
FLEXJOB_LAW = "GDPR art. 6(1)(e) and 9(2)(b); lov om en aktiv beskæftigelsesindsats ch. 20"
FIVE_YEARS = "Current year + 5 (bogføring)"
PERSONAL = "Five years after the flexjob ended"


class RulesAdopted(DatedEvent):
    """The basis of the pool was decided in a new version, in force from `occurred_on`; a version is never edited."""

    contract: ClassVar = Contract(
        name="pool.rules_adopted",
        owner="Programme for social economy",
        legal_basis=ADMINISTRATION,
        retention=FIVE_YEARS,
        classification="open",
        subject="rules/{rules_version}",
        producers=PRODUCER,
        phase="start",
    )

    rules_version: Annotated[int, Field(strict=True, ge=1)]
    refund_share: Share
    max_weekly_effective_hours: HoursPerWeek | None = None
    max_months: Annotated[int, Field(strict=True, ge=1, le=120)] | None = None
    eligible_units: tuple[OrganisationUnit, ...]


class BudgetAllocated(DatedEvent):
    """Money was set aside for the pool; `amount_ore` is the budget's new total, never a difference."""

    contract: ClassVar = Contract(
        name="pool.budget_allocated",
        owner="Finance",
        legal_basis=ADMINISTRATION,
        retention=FIVE_YEARS,
        classification="open",
        subject="budget/{budget_id}",
        producers=PRODUCER,
        phase="start",
    )

    budget_id: Annotated[Ref, Key("budget")]
    fiscal_year: FiscalYear
    amount_ore: Ore


class ApplicationSubmitted(DatedEvent):
    """A workplace asks the pool for money towards a flexjob."""

    contract: ClassVar = Contract(
        name="application.submitted",
        owner="HR",
        legal_basis=ADMINISTRATION,
        retention=FIVE_YEARS,
        classification="internal",
        subject="application/{application_id}",
        producers=PRODUCER,
        phase="start",
    )

    application_id: Annotated[Ref, Key("application")]
    need_id: Annotated[Ref | None, Key("need")] = None
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    effective_hours_per_week: HoursPerWeek
    months: Annotated[int, Field(strict=True, ge=1, le=120)]
    amount_ore: Ore


class ApplicationApproved(DatedEvent):
    """The application keeps the rules version in force on the day of the decision."""

    contract: ClassVar = Contract(
        name="application.approved",
        owner="HR",
        legal_basis=ADMINISTRATION,
        retention=FIVE_YEARS,
        classification="internal",
        subject="application/{application_id}",
        producers=PRODUCER,
        phase="end",
        opened_by=Opening("application.submitted", "application"),
    )

    application_id: Annotated[Ref, Key("application")]
    need_id: Annotated[Ref | None, Key("need")] = None
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    rules_version: Annotated[int, Field(strict=True, ge=1)]
    amount_ore: Ore


class ApplicationRejected(DatedEvent):
    """The application was turned down under the rules version in force on the day of the decision."""

    contract: ClassVar = Contract(
        name="application.rejected",
        owner="HR",
        legal_basis=ADMINISTRATION,
        retention=FIVE_YEARS,
        classification="internal",
        subject="application/{application_id}",
        producers=PRODUCER,
        phase="end",
        opened_by=Opening("application.submitted", "application"),
    )

    application_id: Annotated[Ref, Key("application")]
    need_id: Annotated[Ref | None, Key("need")] = None
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    rules_version: Annotated[int, Field(strict=True, ge=1)]
    reject_code: Annotated[Code, OfList("application_rejection")]


class Allocation(BaseModel):
    """What a grant draws on the budget of one fiscal year."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    fiscal_year: FiscalYear
    amount_ore: Ore


class GrantEvent(DatedEvent):
    """A grant's draw on the budgets from now on: one allocation per fiscal year, adding up to `amount_ore`."""

    grant_id: Annotated[Ref, Key("grant")]
    application_id: Annotated[Ref, Key("application")]
    amount_ore: Ore
    allocations: Annotated[tuple[Allocation, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if sum(part.amount_ore for part in self.allocations) != self.amount_ore:
            raise ValueError("allocations must add up to amount_ore")
        if len({part.fiscal_year for part in self.allocations}) != len(self.allocations):
            raise ValueError("a fiscal year may stand once in allocations")
        return self


class GrantCommitted(GrantEvent):
    """Money was reserved for an approved application; a grant over New Year draws on two budgets."""

    contract: ClassVar = Contract(
        name="grant.committed",
        owner="HR and finance",
        legal_basis=ADMINISTRATION,
        retention=FIVE_YEARS,
        classification="internal",
        subject="grant/{grant_id}",
        producers=PRODUCER,
        phase="start",
    )

    period_from: Day
    period_to: Day


class GrantReleased(GrantEvent):
    """What is not needed went back to the pool; allocations are what the grant still draws, not what was freed."""

    contract: ClassVar = Contract(
        name="grant.released",
        owner="HR and finance",
        legal_basis=ADMINISTRATION,
        retention=FIVE_YEARS,
        classification="internal",
        subject="grant/{grant_id}",
        producers=PRODUCER,
        phase="end",
        opened_by=Opening("grant.committed", "grant"),
    )


class FlexjobStarted(DatedEvent):
    """The first day of a flexjob at a municipal workplace."""

    contract: ClassVar = Contract(
        name="flexjob.started",
        owner="HR",
        legal_basis=FLEXJOB_LAW,
        retention=PERSONAL,
        classification="special_category",
        subject="placement/{placement_id}",
        producers=PRODUCER,
        phase="start",
    )

    placement_id: Annotated[Ref, Key("placement")]
    person_ref: Annotated[Ref, Key("person")]
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    grant_id: Annotated[Ref | None, Key("grant")] = None
    need_id: Annotated[Ref | None, Key("need")] = None
    attendance_hours_per_week: HoursPerWeek
    effective_hours_per_week: HoursPerWeek
    grant_term: Annotated[Code, OfList("grant_term")]
    retention: StrictBool
    scheme: Annotated[Code, OfList("flexjob_scheme")]


class FlexjobHoursChanged(DatedEvent):
    """Attendance or effective hours are new from `occurred_on`; both are absolute values."""

    contract: ClassVar = Contract(
        name="flexjob.hours_changed",
        owner="HR",
        legal_basis=FLEXJOB_LAW,
        retention=PERSONAL,
        classification="special_category",
        subject="placement/{placement_id}",
        producers=PRODUCER,
        opened_by=Opening("flexjob.started", "placement"),
    )

    placement_id: Annotated[Ref, Key("placement")]
    person_ref: Annotated[Ref, Key("person")]
    attendance_hours_per_week: HoursPerWeek
    effective_hours_per_week: HoursPerWeek
    cause: Annotated[Code, OfList("hours_change_cause")]


class FlexjobEnded(DatedEvent):
    """The flexjob is over from `occurred_on`, the day after the last day; `reason_code` says why it ended."""

    contract: ClassVar = Contract(
        name="flexjob.ended",
        owner="HR",
        legal_basis=FLEXJOB_LAW,
        retention=PERSONAL,
        classification="special_category",
        subject="placement/{placement_id}",
        producers=PRODUCER,
        phase="end",
        opened_by=Opening("flexjob.started", "placement"),
    )

    placement_id: Annotated[Ref, Key("placement")]
    person_ref: Annotated[Ref, Key("person")]
    grant_id: Annotated[Ref | None, Key("grant")] = None
    reason_code: Annotated[Code, OfList("flexjob_end_reason")]
