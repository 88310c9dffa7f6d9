"""Applications to the pool: each is decided once, under the rules of the day of decision."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Literal

from contracts.event import DatedEvent
from contracts.flexjob_pool import (
    ApplicationApprovalAnnulled,
    ApplicationApproved,
    ApplicationRejected,
    ApplicationSubmitted,
    ApplicationWithdrawn,
)
from contracts.types import Code, HoursPerWeek, Ore, OrganisationUnit, Ref
from flexjob_pool.domain.case import Case, Key, Place
from flexjob_pool.domain.grants import Grant
from flexjob_pool.domain.needs import unfit
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.refusals.applications import (
    AlreadyDecided,
    AnnulledBeforeApproval,
    ApplicationExists,
    ApplicationIsWithdrawn,
    BeforeSubmission,
    Exclusion,
    GrantStillDraws,
    HoursAboveMaximum,
    MonthsAboveMaximum,
    NotApproved,
    UnitNotEligible,
)
from flexjob_pool.domain.rules import Rules, rules_on
from flexjob_pool.domain.validity import codes_out_of_force
from flexjob_pool.requests.applications import AnnulApproval, Apply, Approve, Reject, WithdrawApplication


@dataclass(frozen=True, slots=True)
class Application:
    """A workplace's wish for money from the pool, and its decision once there is one."""

    noun: ClassVar = "application"

    application_id: Ref
    need_id: Ref | None
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    effective_hours_per_week: HoursPerWeek
    months: int
    amount_ore: Ore
    submitted_on: date
    status: Literal["submitted", "approved", "rejected", "withdrawn", "annulled"] = "submitted"
    decided_on: date | None = None
    rules_version: int | None = None
    reject_code: Code | None = None
    withdrawn_on: date | None = None
    annulled_on: date | None = None
    reason_code: Code | None = None
    grant_id: Ref | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return str(self.application_id)

    @property
    def links(self) -> tuple[Place, ...]:
        """The need that it names, and the grant that rests on it."""
        named = (("need", self.need_id), ("grant", self.grant_id))
        return tuple((noun, str(key)) for noun, key in named if key)


def apply(about: Key, ask: Apply, case: Case) -> list[DatedEvent]:
    """Ask the pool for money, for an open need if one is named; the rules are tried when it is decided."""
    if case.find(Application, about):
        raise ApplicationExists
    refuse(unfit(ask.need_id, ask.occurred_on, case))
    return [ApplicationSubmitted(application_id=about, **dict(ask))]


def submitted(event: ApplicationSubmitted, case: Case) -> None:
    """The application waits for its decision."""
    told = event.model_dump(exclude={"occurred_on", "reason_code"})
    case.put(Application(**told, submitted_on=event.occurred_on))


def approve(about: Key, ask: Approve, case: Case) -> list[DatedEvent]:
    """Approve an application under the rules of the day of decision, which it keeps; told all that excludes it."""
    application = _undecided(about, ask.occurred_on, case)
    rules = rules_on(case.rules, ask.occurred_on)
    refuse(exclusions(rules, application))
    return [
        ApplicationApproved(
            rules_version=rules.rules_version,
            amount_ore=application.amount_ore,
            **_told_of(application),
            **dict(ask),
        )
    ]


def reject(about: Key, ask: Reject, case: Case) -> list[DatedEvent]:
    """Turn an application down under the rules of the day of decision."""
    application = _undecided(about, ask.occurred_on, case)
    refuse(codes_out_of_force(ask))
    rules = rules_on(case.rules, ask.occurred_on)
    return [ApplicationRejected(rules_version=rules.rules_version, **_told_of(application), **dict(ask))]


def decided(event: ApplicationApproved | ApplicationRejected, case: Case) -> None:
    """The application has its answer, and keeps the rules that gave it."""
    application = case.known(Application, event.application_id)
    case.put(
        replace(
            application,
            status="approved" if isinstance(event, ApplicationApproved) else "rejected",
            decided_on=event.occurred_on,
            rules_version=event.rules_version,
            reject_code=event.reject_code if isinstance(event, ApplicationRejected) else None,
        )
    )


def withdraw_application(about: Key, ask: WithdrawApplication, case: Case) -> list[DatedEvent]:
    """Ask no longer, as long as nothing is decided."""
    application = _undecided(about, ask.occurred_on, case)
    return [ApplicationWithdrawn(**_told_of(application), **dict(ask))]


def withdrawn(event: ApplicationWithdrawn, case: Case) -> None:
    """The application is closed without a decision."""
    application = case.known(Application, event.application_id)
    case.put(replace(application, status="withdrawn", withdrawn_on=event.occurred_on))


def annul_approval(about: Key, ask: AnnulApproval, case: Case) -> list[DatedEvent]:
    """Let an approval hold no longer, once no grant draws on the pool because of it."""
    application = case.known(Application, about)
    if application.status != "approved":
        raise NotApproved
    refuse([*_standing(application, ask.occurred_on, case), *codes_out_of_force(ask)])
    return [ApplicationApprovalAnnulled(**_told_of(application), **dict(ask))]


def annulled(event: ApplicationApprovalAnnulled, case: Case) -> None:
    """The approval held until now."""
    application = case.known(Application, event.application_id)
    case.put(replace(application, status="annulled", annulled_on=event.occurred_on, reason_code=event.reason_code))


def exclusions(rules: Rules, application: Application) -> Iterator[Exclusion]:
    """Everything in a version of the rules that keeps an application from the pool."""
    # A unit that is listed opens the pool to every workplace below it.
    if not {application.department, application.workplace_unit} & set(rules.eligible_units):
        yield UnitNotEligible()
    hours = rules.max_weekly_effective_hours
    if hours is not None and application.effective_hours_per_week > hours:
        yield HoursAboveMaximum(maximum=hours)
    if rules.max_months is not None and application.months > rules.max_months:
        yield MonthsAboveMaximum(maximum=rules.max_months)


def _undecided(about: Key, day: date, case: Case) -> Application:
    application = case.known(Application, about)
    if application.status == "withdrawn":
        raise ApplicationIsWithdrawn
    if application.status != "submitted":
        raise AlreadyDecided
    if day < application.submitted_on:
        raise BeforeSubmission
    return application


def _standing(application: Application, day: date, case: Case) -> Iterator[Refusal]:
    if application.decided_on and day < application.decided_on:
        yield AnnulledBeforeApproval()
    grant = case.find(Grant, application.grant_id)
    # A flexjob that was paid for in part was paid for under the approval, which therefore stands.
    if grant and (grant.draws_from(day) or not grant.released_on):
        yield GrantStillDraws()


def _told_of(application: Application) -> dict[str, Any]:
    """What every later event tells of an application again."""
    return {
        "application_id": application.application_id,
        "need_id": application.need_id,
        "department": application.department,
        "workplace_unit": application.workplace_unit,
    }
