"""Hours of a flexjob from a date on, as somebody registers them or payroll pays for them.

A date before other changes is a late registration, and those changes stay. Hours may rise above the grant's, which
bound them at the start alone: its amount stays, and the workplace pays for what is more.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from contracts.event import DatedEvent
from contracts.flexjob_pool import FlexjobHoursChanged
from contracts.types import Ref
from flexjob_pool.domain.case import Case, Key
from flexjob_pool.domain.flexjobs import Flexjob, Hours, inserted, outside
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.refusals.flexjobs import EffectiveAboveAttendance
from flexjob_pool.domain.validity import codes_out_of_force
from flexjob_pool.requests.flexjobs import ChangeHours, PayHours, StartFlexjob

NEW_SCHEME = "post2013"


class HoursPaid(FlexjobHoursChanged):
    """Hours that payroll told of; which employment it was is known here alone."""

    employment_ref: Annotated[Ref, Field(exclude=True)]


def change_hours(about: Key, ask: ChangeHours, case: Case) -> list[DatedEvent]:
    """Set new hours from a date within the flexjob."""
    flexjob = _changeable(about, ask, case)
    return [FlexjobHoursChanged(placement_id=flexjob.placement_id, person_ref=flexjob.person_ref, **dict(ask))]


def pay_hours(about: Key, ask: PayHours, case: Case) -> list[DatedEvent]:
    """Set the hours that payroll pays for from a date within the flexjob."""
    flexjob = _changeable(about, ask, case)
    return [HoursPaid(placement_id=flexjob.placement_id, person_ref=flexjob.person_ref, **dict(ask))]


def changes_nothing(about: Key, ask: ChangeHours | PayHours, case: Case) -> bool:
    """Whether those hours are in force on that day already."""
    held = case.known(Flexjob, about).hours_on(ask.occurred_on)
    return (held.attendance_hours_per_week, held.effective_hours_per_week) == (
        ask.attendance_hours_per_week,
        ask.effective_hours_per_week,
    )


def changed(event: FlexjobHoursChanged, case: Case) -> None:
    """The hours hold from that date until the next ones."""
    flexjob = case.known(Flexjob, event.placement_id)
    hours = Hours(
        occurred_on=event.occurred_on,
        attendance_hours_per_week=event.attendance_hours_per_week,
        effective_hours_per_week=event.effective_hours_per_week,
        cause=event.cause,
        employment_ref=event.employment_ref if isinstance(event, HoursPaid) else None,
    )
    case.put(replace(flexjob, hours=inserted(flexjob.hours, hours)))


def above_attendance(scheme: str, ask: StartFlexjob | ChangeHours | PayHours) -> Iterator[Refusal]:
    """Why nobody can be paid for more hours than they attend: in the new scheme alone, the old one allowed it."""
    if scheme == NEW_SCHEME and ask.effective_hours_per_week > ask.attendance_hours_per_week:
        yield EffectiveAboveAttendance()


def _changeable(about: Key, ask: ChangeHours | PayHours, case: Case) -> Flexjob:
    flexjob = case.known(Flexjob, about)
    refuse(
        [
            *outside(flexjob, ask.occurred_on),
            *codes_out_of_force(ask),
            *above_attendance(flexjob.scheme, ask),
        ]
    )
    return flexjob
