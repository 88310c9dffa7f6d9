"""The basis of the pool and the applications: each is decided once, under the rules of the day of decision."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from contracts.event import DatedEvent
from contracts.flexjob_pool import ApplicationApproved, ApplicationRejected, ApplicationSubmitted
from contracts.types import Code, HoursPerWeek, Ore, OrganisationUnit, Ref, Share
from flexjob_pool.domain import refusals
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.validity import codes_out_of_force


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of the pool's basis, in force from `occurred_on` until the next one is; None sets no limit."""

    rules_version: int
    occurred_on: date
    refund_share: Share
    max_weekly_effective_hours: HoursPerWeek | None
    max_months: int | None
    eligible_units: tuple[OrganisationUnit, ...]


@dataclass(frozen=True, slots=True)
class Application:
    """A workplace's wish for money from the pool, and its decision once there is one."""

    application_id: Ref
    need_id: Ref | None
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    effective_hours_per_week: HoursPerWeek
    months: int
    amount_ore: Ore
    submitted_on: date
    status: Literal["submitted", "approved", "rejected"]
    decided_on: date | None
    rules_version: int | None
    reject_code: Code | None
    grant_id: Ref | None


def rules_on(versions: Iterable[Rules], day: date) -> Rules:
    """The version in force on a day: the latest begun, of several begun together the highest."""
    begun = [rules for rules in versions if rules.occurred_on <= day]
    if not begun:
        raise refusals.NoRulesInForce
    return max(begun, key=lambda rules: (rules.occurred_on, rules.rules_version))


def next_version(versions: Iterable[Rules]) -> int:
    """The number of the version that is adopted next; versions are numbered from 1 and never edited."""
    return max((rules.rules_version for rules in versions), default=0) + 1


def apply(existing: Application | None, asked: ApplicationSubmitted) -> list[DatedEvent]:
    """Ask the pool for money; the rules are tried when it is decided."""
    if existing:
        raise refusals.ApplicationExists
    return [asked]


def approve(application: Application, versions: Iterable[Rules], occurred_on: date) -> list[DatedEvent]:
    """Approve an application under the rules of the day of decision, which it keeps; told all that excludes it."""
    _check_undecided(application, occurred_on)
    rules = rules_on(versions, occurred_on)
    refuse(_exclusions(rules, application))
    return [
        ApplicationApproved(
            occurred_on=occurred_on,
            application_id=application.application_id,
            need_id=application.need_id,
            department=application.department,
            workplace_unit=application.workplace_unit,
            rules_version=rules.rules_version,
            amount_ore=application.amount_ore,
        )
    ]


def reject(application: Application, versions: Iterable[Rules], occurred_on: date, code: str) -> list[DatedEvent]:
    """Turn an application down under the rules of the day of decision."""
    _check_undecided(application, occurred_on)
    rejected = ApplicationRejected(
        occurred_on=occurred_on,
        application_id=application.application_id,
        need_id=application.need_id,
        department=application.department,
        workplace_unit=application.workplace_unit,
        rules_version=rules_on(versions, occurred_on).rules_version,
        reject_code=code,
    )
    refuse(codes_out_of_force(rejected))
    return [rejected]


def _check_undecided(application: Application, occurred_on: date) -> None:
    if application.status != "submitted":
        raise refusals.AlreadyDecided
    if occurred_on < application.submitted_on:
        raise refusals.DecidedBeforeSubmission


def _exclusions(rules: Rules, application: Application) -> Iterator[Refusal]:
    # A unit that is listed opens the pool to every workplace below it.
    if not {application.department, application.workplace_unit} & set(rules.eligible_units):
        yield refusals.UnitNotEligible()
    hours = rules.max_weekly_effective_hours
    if hours is not None and application.effective_hours_per_week > hours:
        yield refusals.HoursAboveMaximum(maximum=hours)
    if rules.max_months is not None and application.months > rules.max_months:
        yield refusals.MonthsAboveMaximum(maximum=rules.max_months)
