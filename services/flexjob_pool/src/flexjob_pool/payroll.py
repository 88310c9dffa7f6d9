"""Payroll at the desk: keep what it tells, and have the flexjobs agree with it, in the transaction of whoever calls.

Who holds the lock of an employment may move it to another placement; what is registered of a placement, and what
became of the employments that pay for it, is written under the placement's lock alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from uuid import UUID

from chassis.calendar import Calendar
from chassis.database import Connection
from chassis.wire import Reading
from contracts.catalogue import data_of
from contracts.payroll import EmploymentEnded, WorkingTimeChanged
from contracts.platform import EventRetracted
from flexjob_pool import undo
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.domain.payroll.operations import Correct, Operation, Register, Retract, operations_for
from flexjob_pool.domain.payroll.reasons import AnotherPerson
from flexjob_pool.domain.payroll.reconcile import Booked, Differing, Hours, due, status_of
from flexjob_pool.domain.payroll.timeline import Employment, employments_of
from flexjob_pool.domain.payroll.versions import Message, versions_of
from flexjob_pool.domain.refusals import NotRegistered, Refusal
from flexjob_pool.domain.refusals.flexjobs import FlexjobUnknown
from flexjob_pool.requests.ask import MONEY, RULES
from flexjob_pool.store import lists
from flexjob_pool.store import payroll as store
from flexjob_pool.store.documents import name_of
from flexjob_pool.store.payroll import Outcome, Reason
from flexjob_pool.use_cases import Desk, at_a_desk, register


@dataclass(frozen=True, slots=True)
class Found:
    """What agreeing on a placement came to: its employments and whether they are in force, events, what differs."""

    placement_id: UUID
    paying: dict[UUID, bool]
    event_ids: list[str]
    differing: list[Differing]


READS = (WorkingTimeChanged, EmploymentEnded, EventRetracted)
LATE = "late_information"
NEVER = "never_happened"


async def take(db: Connection, reading: Reading, *, municipality: str, calendar: Calendar) -> None:
    """Keep a message, and have the flexjobs agree with it. Raises ValidationError for data that is not of its type."""
    message = _message_of(reading)
    await store.keep(db, message)
    employments = await store.employments_beside(db, message)
    await at_a_desk(db, municipality, calendar, lambda desk: _agree(desk, employments, cause=message.id))


async def match(desk: Desk, employment_ref: UUID, placement_id: UUID) -> list[str]:
    """Say which flexjob an employment pays for, whatever payroll calls it; the ids of the events that follow.

    Raises NotRegistered for an employment that payroll never told of, and refuses a flexjob that cannot be the one.
    """
    if not await store.outcomes(desk.db, [employment_ref]):
        raise NotRegistered
    flexjob = await _flexjob(desk, placement_id)
    if flexjob is None:
        raise FlexjobUnknown
    told = await _employments(desk, [employment_ref], {})
    if told and not any(version.event.person_ref == flexjob.person_ref for version in told[0].versions):
        raise AnotherPerson().at("placement_id")
    return await _agree(desk, [employment_ref], matches={employment_ref: placement_id})


async def follow(desk: Desk, event_ids: Sequence[str]) -> list[str]:
    """Have payroll's registrations agree with what events of the pool changed; the ids of the events that follow."""
    return await settle(desk, await store.concerned(desk.db, event_ids), cause=event_ids[0])


async def _agree(
    desk: Desk, employments: Collection[UUID], *, matches: Mapping[UUID, UUID] | None = None, cause: str | None = None
) -> list[str]:
    """Settle the placements that employments paid for, and those that they pay for now."""
    standing, placements = await _paying(desk, employments, matches or {})
    while await _take(desk, placements, beside={name_of("employment", ref) for ref in employments}):
        standing, placements = await _paying(desk, employments, matches or {})
    await store.stand(desk.db, standing)
    return await settle(desk, placements, cause=cause)


async def _paying(
    desk: Desk, employments: Collection[UUID], matches: Mapping[UUID, UUID]
) -> tuple[list[Outcome], set[UUID]]:
    """How employments stand once they are matched, and the placements that they paid for or pay for now."""
    before = await store.outcomes(desk.db, employments)
    matched = {ref: one.placement_id for ref, one in before.items() if one.matched and one.placement_id}
    matched |= matches
    paid_for = {ref: one.placement_id for ref, one in before.items()}
    # Of an employment of which nothing is in force any more, something may still be registered where it paid.
    told = await _employments(desk, employments, matched)
    pays_for = paid_for | matched | {each.employment_ref: each.placement_id for each in told}
    left_at = chain.from_iterable(one.left_at for one in before.values())
    placements = {each for each in (*paid_for.values(), *pays_for.values(), *left_at) if each}
    standing = [Outcome(ref, pays_for.get(ref), ref in matched, "not_in_force") for ref in sorted(employments)]
    return standing, placements


async def settle(desk: Desk, placements: Collection[UUID], *, cause: str | None = None) -> list[str]:
    """Have placements agree with payroll, and keep for each employment what differs; the ids of the events.

    `cause` is the id of the event that takes back what is not so any more.
    """
    if not placements:
        return []
    placements = {*placements, *await store.left_beside(desk.db, placements)}
    while await _take(desk, placements):
        placements |= await store.left_beside(desk.db, placements)
    found = [await _agree_on(desk, placement_id, cause) for placement_id in sorted(placements)]
    refs = chain.from_iterable((*each.paying, *(one.employment_ref for one in each.differing)) for each in found)
    concerned = await store.outcomes(desk.db, {*refs})
    await store.stand(desk.db, [_outcome(one, found) for one in concerned.values()])
    event_ids = [event_id for each in found for event_id in each.event_ids]
    if not event_ids:
        return []
    # Money that came back may have been what another placement waited for.
    others = set(await store.concerned(desk.db, event_ids)) - placements
    return [*event_ids, *await settle(desk, others, cause=event_ids[0])]


async def _agree_on(desk: Desk, placement_id: UUID, cause: str | None) -> Found:
    """Register, correct and retract what is due of a placement; what the rules refuse stays as it is."""
    paying = await store.paying_for(desk.db, placement_id)
    matches = {ref: placement_id for ref, one in paying.items() if one.matched}
    employments = await _employments(desk, paying, matches)
    flexjob = await _flexjob(desk, placement_id)
    wanted = due(_booked(flexjob) if flexjob else None, employments, desk.calendar.today())
    found = Found(
        placement_id,
        paying=dict.fromkeys(paying, False) | {each.employment_ref: True for each in employments},
        event_ids=[],
        differing=[each for each in wanted if isinstance(each, Differing)],
    )
    for operation in operations_for(await store.made(desk.db, placement_id), wanted):
        try:
            async with desk.db.transaction():
                found.event_ids.extend(await _carry_out(desk, placement_id, operation, cause))
        except Refusal as refusal:
            message = None if isinstance(operation, Retract) else operation.because
            found.differing.append(Differing(operation.ask.employment_ref, message, refusal))
    return found


async def _carry_out(desk: Desk, placement_id: UUID, operation: Operation, cause: str | None) -> list[str]:
    if isinstance(operation, Register):
        done = await register(desk, placement_id, operation.ask, cause=operation.because.id)
        return done.event_ids
    if isinstance(operation, Correct):
        return await _correct(desk, placement_id, operation, cause=operation.because.id)
    return await undo.retract(desk, operation.event_id, NEVER, by_itself=True, cause=cause)


async def _correct(desk: Desk, placement_id: UUID, operation: Correct, cause: str) -> list[str]:
    """Correct what payroll has registered; where the story allows that no more, register it anew in its place."""
    values = operation.ask.model_dump(mode="json")
    try:
        async with desk.db.transaction():
            return await undo.correct(desk, operation.event_id, LATE, values, by_itself=True, cause=cause)
    except Refusal:
        # The new one comes first, so that no money is needed that only the old one gave back.
        done = await register(desk, placement_id, operation.ask, cause=cause)
        return [*done.event_ids, *await undo.retract(desk, operation.event_id, NEVER, by_itself=True, cause=cause)]


async def _take(desk: Desk, placements: Collection[UUID], *, beside: Collection[str] = ()) -> bool:
    names = {name_of(Flexjob.noun, each) for each in placements}
    # The story of a flexjob may be told again, which needs both; and how employments stand is kept under money alone.
    return await desk.locks.take(desk.db, names.union(beside, MONEY, RULES), reaching=names)


async def _employments(desk: Desk, refs: Collection[UUID], matches: Mapping[UUID, UUID]) -> list[Employment]:
    """Employments as payroll tells of them; none for those of which nothing is in force."""
    told = employments_of(versions_of(await store.messages_of(desk.db, refs)), matches)
    return [each for each in told if each.employment_ref in refs]


async def _flexjob(desk: Desk, placement_id: UUID) -> Flexjob | None:
    found = await lists.find(desk.db, Flexjob.noun, str(placement_id))
    assert found is None or isinstance(found, Flexjob)  # noqa: S101 - what its noun says
    return found


def _booked(flexjob: Flexjob) -> Booked:
    """What the doors have registered of a flexjob; of hours from one day those that were registered last."""
    return Booked(
        person_ref=flexjob.person_ref,
        scheme=flexjob.scheme,
        started_on=flexjob.started_on,
        ended_on=None if flexjob.ended_by else flexjob.ended_on,
        hours={
            each.occurred_on: Hours(each.attendance_hours_per_week, each.effective_hours_per_week)
            for each in flexjob.hours
            if each.employment_ref is None
        },
    )


def _outcome(employment: Outcome, found: Sequence[Found]) -> Outcome:
    """What became of an employment, by the gravest of what differs; where it does not pay, something was left."""
    ref = employment.employment_ref
    at = {each.placement_id: [one for one in each.differing if one.employment_ref == ref] for each in found}
    differing = [*chain.from_iterable(at.values())]
    in_force = any(each.paying.get(ref) for each in found)
    return replace(
        employment,
        status=status_of(differing) if differing or in_force else "not_in_force",
        why=tuple(dict.fromkeys(chain(*map(_reasons, differing)))),
        left_at=tuple(each.placement_id for each in found if at[each.placement_id] and ref not in each.paying),
    )


def _reasons(differing: Differing) -> list[Reason]:
    source, event_id = differing.message or (None, None)
    return [
        Reason(reason.code, reason.in_danish, reason.in_english, source, event_id)
        for reason in differing.reason.reasons
    ]


def _message_of(reading: Reading) -> Message:
    envelope, event = reading.envelope, data_of(reading.envelope)
    assert isinstance(event, READS)  # noqa: S101 - the subscriber reads no others
    return Message(envelope.source, envelope.id, envelope.time, envelope.corrects, event)
