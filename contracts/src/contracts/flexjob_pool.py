"""The events of track 2: rules, budgets, applications, grants and refunds of the pool, and the life of its flexjobs."""

from functools import partial
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from contracts.event import Contract, DatedEvent, Opening
from contracts.types import Code, Day, FiscalYear, HoursPerWeek, Key, Month, OfList, Ore, OrganisationUnit, Ref, Share

PRODUCER = ("flexjob_pool",)
ADMINISTRATION = "Kommunestyrelsesloven § 40 (budget and grants)"
FLEXJOB_LAW = "GDPR art. 6(1)(e) and 9(2)(b); lov om en aktiv beskæftigelsesindsats ch. 20"
FIVE_YEARS = "Current year + 5 (bogføring)"
PERSONAL = "Five years after the flexjob ended"

# What holds for every event about the same noun.
administrative = partial(
    Contract, legal_basis=ADMINISTRATION, retention=FIVE_YEARS, classification="internal", producers=PRODUCER
)
of_budget = partial(administrative, owner="Finance", classification="open", subject="budget/{budget_id}")
of_application = partial(administrative, owner="HR", subject="application/{application_id}")
of_grant = partial(administrative, owner="HR and finance", subject="grant/{grant_id}")
of_refund = partial(administrative, owner="Finance", classification="confidential", subject="refund/{refund_id}")
of_flexjob = partial(
    Contract,
    owner="HR",
    legal_basis=FLEXJOB_LAW,
    retention=PERSONAL,
    classification="special_category",
    subject="placement/{placement_id}",
    producers=PRODUCER,
)
BUDGET_ALLOCATED = Opening("pool.budget_allocated", "budget")
APPLICATION_SUBMITTED = Opening("application.submitted", "application")
GRANT_COMMITTED = Opening("grant.committed", "grant")
FLEXJOB_STARTED = Opening("flexjob.started", "placement")


class RulesAdopted(DatedEvent):
    """The basis of the pool was decided in a new version, in force from `occurred_on`; a version is never edited."""

    contract: ClassVar = administrative(
        name="pool.rules_adopted",
        owner="Programme for social economy",
        classification="open",
        subject="rules/{rules_version}",
        phase="start",
    )

    rules_version: Annotated[int, Field(strict=True, ge=1)]
    refund_share: Share
    max_weekly_effective_hours: HoursPerWeek | None = None
    max_months: Annotated[int, Field(strict=True, ge=1, le=120)] | None = None
    eligible_units: tuple[OrganisationUnit, ...]


class BudgetEvent(DatedEvent):
    """What a budget sets aside for its fiscal year from now on: its new total, never a difference."""

    budget_id: Annotated[Ref, Key("budget")]
    fiscal_year: FiscalYear
    amount_ore: Ore


class BudgetAllocated(BudgetEvent):
    """Money was set aside for the pool; `amount_ore` is the budget's new total, never a difference."""

    contract: ClassVar = of_budget(name="pool.budget_allocated", phase="start")


class BudgetAdjusted(BudgetEvent):
    """A budget was raised or lowered within its year; `amount_ore` is its new total, never a difference."""

    contract: ClassVar = of_budget(name="pool.budget_adjusted", opened_by=BUDGET_ALLOCATED)


class ApplicationEvent(DatedEvent):
    """What happens to a workplace's application to the pool; `need_id` when a need was reported before it."""

    application_id: Annotated[Ref, Key("application")]
    need_id: Annotated[Ref | None, Key("need")] = None
    department: OrganisationUnit
    workplace_unit: OrganisationUnit


class ApplicationSubmitted(ApplicationEvent):
    """A workplace asks the pool for money towards a flexjob."""

    contract: ClassVar = of_application(name="application.submitted", phase="start")

    effective_hours_per_week: HoursPerWeek
    months: Annotated[int, Field(strict=True, ge=1, le=120)]
    amount_ore: Ore


class ApplicationApproved(ApplicationEvent):
    """The application keeps the rules version in force on the day of the decision."""

    contract: ClassVar = of_application(name="application.approved", phase="end", opened_by=APPLICATION_SUBMITTED)

    rules_version: Annotated[int, Field(strict=True, ge=1)]
    amount_ore: Ore


class ApplicationRejected(ApplicationEvent):
    """The application was turned down under the rules version in force on the day of the decision."""

    contract: ClassVar = of_application(name="application.rejected", phase="end", opened_by=APPLICATION_SUBMITTED)

    rules_version: Annotated[int, Field(strict=True, ge=1)]
    reject_code: Annotated[Code, OfList("application_rejection")]


class ApplicationWithdrawn(ApplicationEvent):
    """The workplace no longer asks; nothing was decided."""

    contract: ClassVar = of_application(name="application.withdrawn", phase="end", opened_by=APPLICATION_SUBMITTED)


class ApplicationApprovalAnnulled(ApplicationEvent):
    """An approval no longer holds from `occurred_on`; until then it did."""

    contract: ClassVar = of_application(
        name="application.approval_annulled", phase="end", opened_by=APPLICATION_SUBMITTED
    )

    reason_code: Annotated[Code, OfList("approval_annulment")]


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

    contract: ClassVar = of_grant(name="grant.committed", phase="start")

    period_from: Day
    period_to: Day


class GrantAdjusted(GrantEvent):
    """A grant has another amount or period from now on; allocations and period are what it has, not what changed."""

    contract: ClassVar = of_grant(name="grant.adjusted", opened_by=GRANT_COMMITTED)

    period_from: Day
    period_to: Day


class GrantReleased(GrantEvent):
    """What is not needed went back to the pool; allocations are what the grant still draws, not what was freed."""

    contract: ClassVar = of_grant(name="grant.released", phase="end", opened_by=GRANT_COMMITTED)


class RefundEvent(DatedEvent):
    """A refund of one payroll month's wage, paid from a grant."""

    refund_id: Annotated[Ref, Key("refund")]
    grant_id: Annotated[Ref, Key("grant")]
    payroll_month: Month
    refund_ore: Ore


class RefundPosted(RefundEvent):
    """The pool's share of a month's wage was booked to the workplace."""

    contract: ClassVar = of_refund(name="refund.posted", phase="start", opened_by=GRANT_COMMITTED)

    wage_ore: Ore


class RefundReversed(RefundEvent):
    """A refund was taken back in the accounts, whole; `refund_ore` is what had been posted."""

    contract: ClassVar = of_refund(name="refund.reversed", phase="end", opened_by=Opening("refund.posted", "refund"))

    reason_code: Annotated[Code, OfList("refund_reversal")]


class FlexjobEvent(DatedEvent):
    """What happens in a flexjob, whose life is a placement."""

    placement_id: Annotated[Ref, Key("placement")]
    person_ref: Annotated[Ref, Key("person")]


class FlexjobStarted(FlexjobEvent):
    """The first day of a flexjob at a municipal workplace."""

    contract: ClassVar = of_flexjob(name="flexjob.started", phase="start")

    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    grant_id: Annotated[Ref | None, Key("grant")] = None
    need_id: Annotated[Ref | None, Key("need")] = None
    attendance_hours_per_week: HoursPerWeek
    effective_hours_per_week: HoursPerWeek
    grant_term: Annotated[Code, OfList("grant_term")]
    retention: StrictBool
    scheme: Annotated[Code, OfList("flexjob_scheme")]


class FlexjobHoursChanged(FlexjobEvent):
    """Attendance or effective hours are new from `occurred_on`; both are absolute values."""

    contract: ClassVar = of_flexjob(name="flexjob.hours_changed", opened_by=FLEXJOB_STARTED)

    attendance_hours_per_week: HoursPerWeek
    effective_hours_per_week: HoursPerWeek
    cause: Annotated[Code, OfList("hours_change_cause")]


class FlexjobTransferred(FlexjobEvent):
    """The flexjob goes on at the workplace named here, with the same employer; the spell is not split."""

    contract: ClassVar = of_flexjob(name="flexjob.transferred", opened_by=FLEXJOB_STARTED)

    department: OrganisationUnit
    workplace_unit: OrganisationUnit


class FlexjobEnded(FlexjobEvent):
    """The flexjob is over from `occurred_on`, the day after the last day; `reason_code` says why it ended."""

    contract: ClassVar = of_flexjob(name="flexjob.ended", phase="end", opened_by=FLEXJOB_STARTED)

    grant_id: Annotated[Ref | None, Key("grant")] = None
    reason_code: Annotated[Code, OfList("flexjob_end_reason")]
