"""What happens within a flexjob besides its hours: other workplaces, development, the way on to ordinary terms."""

from collections.abc import Iterator
from dataclasses import replace

from contracts.development import DevelopmentStep as StepTaken
from contracts.development import OrdinaryEmploymentObtained
from contracts.event import DatedEvent
from contracts.flexjob_pool import FlexjobTransferred
from flexjob_pool.domain.case import Case, Key
from flexjob_pool.domain.flexjobs import DevelopmentStep, Flexjob, Stay, inserted, outside
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.refusals.flexjobs import AlreadyOrdinary
from flexjob_pool.domain.validity import codes_out_of_force
from flexjob_pool.requests.flexjobs import ObtainOrdinaryEmployment, TakeDevelopmentStep, Transfer


def transfer(about: Key, ask: Transfer, case: Case) -> list[DatedEvent]:
    """Go on at another workplace of the same employer; the spell is not split, and a grant stays as it is."""
    flexjob = case.known(Flexjob, about)
    refuse(outside(flexjob, ask.occurred_on))
    return [FlexjobTransferred(placement_id=flexjob.placement_id, person_ref=flexjob.person_ref, **dict(ask))]


def transfers_nothing(about: Key, ask: Transfer, case: Case) -> bool:
    """Whether the flexjob is at that workplace on that day already."""
    stay = case.known(Flexjob, about).stay_on(ask.occurred_on)
    return (stay.department, stay.workplace_unit) == (ask.department, ask.workplace_unit)


def transferred(event: FlexjobTransferred, case: Case) -> None:
    """The flexjob is at that workplace from that date until the next transfer."""
    flexjob = case.known(Flexjob, event.placement_id)
    stays = inserted(flexjob.stays, Stay(event.occurred_on, event.department, event.workplace_unit))
    case.put(replace(flexjob, stays=stays, department=stays[-1].department, workplace_unit=stays[-1].workplace_unit))


def take_development_step(about: Key, ask: TakeDevelopmentStep, case: Case) -> list[DatedEvent]:
    """Learn or take on something new."""
    flexjob = case.known(Flexjob, about)
    refuse([*outside(flexjob, ask.occurred_on), *codes_out_of_force(ask)])
    return [StepTaken(placement_id=flexjob.placement_id, person_ref=flexjob.person_ref, **dict(ask))]


def step_taken(event: StepTaken, case: Case) -> None:
    """The step is one of the flexjob's."""
    flexjob = case.known(Flexjob, event.placement_id)
    step = DevelopmentStep(event.occurred_on, event.step_code, event.hours)
    case.put(replace(flexjob, steps=inserted(flexjob.steps, step)))


def obtain_ordinary_employment(about: Key, ask: ObtainOrdinaryEmployment, case: Case) -> list[DatedEvent]:
    """Go on to ordinary terms, once, within the flexjob or on the day after its last."""
    flexjob = case.known(Flexjob, about)
    if flexjob.ordinary_on:
        raise AlreadyOrdinary
    refuse(_outside_or_next(flexjob, ask))
    return [OrdinaryEmploymentObtained(placement_id=flexjob.placement_id, person_ref=flexjob.person_ref, **dict(ask))]


def obtained(event: OrdinaryEmploymentObtained, case: Case) -> None:
    """The person has ordinary terms with those hours; the flexjob's own end is another matter."""
    flexjob = case.known(Flexjob, event.placement_id)
    case.put(replace(flexjob, ordinary_on=event.occurred_on, ordinary_hours_per_week=event.effective_hours_per_week))


def _outside_or_next(flexjob: Flexjob, ask: ObtainOrdinaryEmployment) -> Iterator[Refusal]:
    return outside(flexjob, ask.occurred_on) if ask.occurred_on != flexjob.ended_on else iter(())
