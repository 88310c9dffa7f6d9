"""What workplaces look for: a need is open until a flexjob fills it or the workplace withdraws it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Literal

from contracts.event import DatedEvent
from contracts.types import Code, HoursPerWeek, OrganisationUnit, Ref
from contracts.workplaces import CandidateProposed, NeedReported, NeedWithdrawn
from flexjob_pool.domain.case import Case, Key, Place
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.refusals.needs import (
    AlreadyProposed,
    BeforeNeed,
    HoursReversed,
    NeedExists,
    NeedIsFilled,
    NeedIsWithdrawn,
    NeedUnknown,
)
from flexjob_pool.domain.validity import codes_out_of_force
from flexjob_pool.requests.needs import ProposeCandidate, ReportNeed, WithdrawNeed


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who was proposed."""

    person_ref: Ref
    occurred_on: date


@dataclass(frozen=True, slots=True)
class Need:
    """Tasks that a workplace has for somebody, who may have been proposed, and the flexjob that filled it."""

    noun: ClassVar = "need"

    need_id: Ref
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    task_codes: tuple[Code, ...]
    effective_hours_per_week_from: HoursPerWeek
    effective_hours_per_week_to: HoursPerWeek
    reported_on: date
    status: Literal["open", "filled", "withdrawn"] = "open"
    candidates: tuple[Candidate, ...] = ()
    filled_by: Ref | None = None
    filled_on: date | None = None
    withdrawn_on: date | None = None
    reason_code: Code | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return str(self.need_id)

    @property
    def links(self) -> tuple[Place, ...]:
        """A need stands alone."""
        return ()


def report_need(about: Key, ask: ReportNeed, case: Case) -> list[DatedEvent]:
    """Tell what is needed; the fewest hours are not more than the most."""
    if case.find(Need, about):
        raise NeedExists
    reversed_ = ask.effective_hours_per_week_from > ask.effective_hours_per_week_to
    refuse([*codes_out_of_force(ask), *([HoursReversed()] if reversed_ else [])])
    return [NeedReported(need_id=about, **dict(ask))]


def reported(event: NeedReported, case: Case) -> None:
    """The need is open."""
    told = event.model_dump(exclude={"occurred_on", "reason_code"})
    case.put(Need(**told, reported_on=event.occurred_on))


def withdraw_need(about: Key, ask: WithdrawNeed, case: Case) -> list[DatedEvent]:
    """Look for nobody any more, while the need is open."""
    need = case.known(Need, about)
    refuse([*not_open(need), *_too_early(need, ask.occurred_on), *codes_out_of_force(ask)])
    return [
        NeedWithdrawn(need_id=need.need_id, department=need.department, workplace_unit=need.workplace_unit, **dict(ask))
    ]


def withdrawn(event: NeedWithdrawn, case: Case) -> None:
    """The need is closed."""
    need = case.known(Need, event.need_id)
    case.put(replace(need, status="withdrawn", withdrawn_on=event.occurred_on, reason_code=event.reason_code))


def propose_candidate(about: Key, ask: ProposeCandidate, case: Case) -> list[DatedEvent]:
    """Propose a person, once, for an open need."""
    need = case.known(Need, about)
    known = any(candidate.person_ref == ask.person_ref for candidate in need.candidates)
    refuse([*not_open(need), *_too_early(need, ask.occurred_on), *([AlreadyProposed()] if known else [])])
    return [
        CandidateProposed(
            need_id=need.need_id, department=need.department, workplace_unit=need.workplace_unit, **dict(ask)
        )
    ]


def proposed(event: CandidateProposed, case: Case) -> None:
    """The person is one of the candidates."""
    need = case.known(Need, event.need_id)
    case.put(replace(need, candidates=(*need.candidates, Candidate(event.person_ref, event.occurred_on))))


def not_open(need: Need) -> Iterator[Refusal]:
    """Why nobody is looked for any more."""
    if need.status == "filled":
        yield NeedIsFilled()
    elif need.status == "withdrawn":
        yield NeedIsWithdrawn()


def unfit(need_id: Ref | None, day: date, case: Case) -> Iterator[Refusal]:
    """Why something of that day cannot be about the need that it names; nothing when it names none."""
    if need_id is None:
        return
    need = case.find(Need, need_id)
    if need is None:
        yield NeedUnknown()
    else:
        yield from (reason.at("need_id") for reason in not_open(need))
        yield from _too_early(need, day)


def _too_early(need: Need, day: date) -> Iterator[Refusal]:
    if day < need.reported_on:
        yield BeforeNeed()
