"""How what is due becomes what is registered: the registrations, corrections and retractions that are missing. Pure."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from flexjob_pool.domain.payroll.reconcile import Due, Wanted
from flexjob_pool.domain.payroll.versions import Identity
from flexjob_pool.requests.flexjobs import PayEnd, PayHours


class Made(NamedTuple):
    """What payroll has registered already, and the event that tells of it."""

    event_id: UUID
    ask: PayHours | PayEnd


class Register(NamedTuple):
    """Something new."""

    ask: PayHours | PayEnd
    because: Identity


class Correct(NamedTuple):
    """Something that payroll has registered should have been this, with what somebody has stated of it."""

    event_id: UUID
    ask: PayHours | PayEnd
    because: Identity


class Retract(NamedTuple):
    """Something that payroll has registered is not so."""

    event_id: UUID
    ask: PayHours | PayEnd


Operation = Register | Correct | Retract


def operations_for(made: Iterable[Made], due: Iterable[Due]) -> list[Operation]:
    """What to do, in an order in which each is possible: what goes, then what changes, last a new end."""
    left = {_place_of(each.ask): each for each in made}
    corrections: list[Correct] = []
    new: list[Register] = []
    for wanted in (each for each in due if isinstance(each, Wanted)):
        found = left.pop(_place_of(wanted.ask), None)
        if found is None:
            new.append(Register(*wanted))
        elif not _says(found.ask, wanted.ask):
            said = wanted.ask.model_dump(exclude_unset=True)
            corrections.append(Correct(found.event_id, found.ask.model_copy(update=said), wanted.because))
    corrections.sort(key=lambda each: not isinstance(each.ask, PayEnd))
    new.sort(key=lambda each: isinstance(each.ask, PayEnd))
    return [*(Retract(*each) for each in left.values()), *corrections, *new]


def _says(registered: PayHours | PayEnd, wanted: PayHours | PayEnd) -> bool:
    """Whether it is registered so; what payroll leaves open somebody may have stated meanwhile."""
    return all(getattr(registered, name) == getattr(wanted, name) for name in wanted.model_fields_set)


def _place_of(ask: PayHours | PayEnd) -> tuple[object, ...]:
    """What makes a registration the same one: an employment's hours from a day, or its end."""
    return (ask.employment_ref, ask.occurred_on) if isinstance(ask, PayHours) else (ask.employment_ref,)
