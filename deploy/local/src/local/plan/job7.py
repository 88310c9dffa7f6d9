"""Candidates between the Job7 municipalities: asked for, offered, and placed in time, too late, or never."""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from local.actions.action import Action
from local.actions.undo import Correct
from local.actions.workplaces import OfferCandidate, PlaceCandidate, RequestCandidate
from local.plan import funding, jobs
from local.plan.chance import Chance
from local.plan.funding import Wanted
from local.plan.jobs import Hired
from local.plan.towns import Town

EVERY_ASKED_OF_US = 4
STARTS = (40, 100, None)
JOB7 = ("410", "510", "530", "575", "607", "621", "630")


def exchange(chance: Chance, town: Town, number: int) -> Iterator[Action]:
    """A request in or out; what is asked for starts in time, or after 90 days, or never."""
    other = chance.choice([code for code in JOB7 if code != town.municipality])
    if number % EVERY_ASKED_OF_US == 0:
        yield from _asked_of_us(chance, town, other)
    else:
        yield from _asked_by_us(chance, town, other, days_until_start=STARTS[number % len(STARTS)])


def _asked_by_us(chance: Chance, town: Town, other: str, *, days_until_start: int | None) -> Iterator[Action]:
    day = chance.workday_after(date(2025, 4, 1), 0, 200)
    wanted = Wanted(town.place(chance), day, jobs.hours(chance), 0)
    need_id, story = funding.need(chance, wanted, ())
    yield from story
    request = _request(chance, day, town.municipality, other, need_id)
    yield request
    person = chance.ref()
    if days_until_start is not None or chance.one_in(2):
        yield _offer(chance, request, person)
    if days_until_start is not None:
        start = day + timedelta(days=days_until_start)
        hired = Hired(person, wanted.place, start, chance.registration(start), wanted.hours, need_id=need_id)
        begun = jobs.started(chance, hired)
        yield begun
        placed = PlaceCandidate(
            registered_on=begun.registered_on,
            occurred_on=start,
            request_id=request.request_id,
            person_ref=person,
            placement_id=begun.placement_id,
        )
        yield placed
        if chance.one_in(5):
            yield Correct(
                registered_on=chance.workday_after(placed.registered_on, 10, 60),
                action=placed,
                reason_code="late_information",
                values=(("occurred_on", day + timedelta(days=88)),),
            )


def _asked_of_us(chance: Chance, town: Town, other: str) -> Iterator[Action]:
    """What another municipality asks for counts there, and so does the job."""
    request = _request(chance, chance.workday_after(date(2025, 2, 3), 0, 250), other, town.municipality, None)
    person, day = chance.ref(), chance.workday_after(request.occurred_on, 30, 60)
    yield request
    yield _offer(chance, request, person)
    yield PlaceCandidate(
        registered_on=day,
        occurred_on=day,
        request_id=request.request_id,
        person_ref=person,
        placement_id=chance.ref(),
    )


def _request(chance: Chance, day: date, asking: str, asked: str, need_id: UUID | None) -> RequestCandidate:
    return RequestCandidate(
        registered_on=day,
        occurred_on=day,
        request_id=chance.ref(),
        need_id=need_id,
        from_municipality=asking,
        to_municipality=asked,
    )


def _offer(chance: Chance, request: RequestCandidate, person: UUID) -> OfferCandidate:
    day = chance.workday_after(request.occurred_on, 3, 20)
    return OfferCandidate(registered_on=day, occurred_on=day, request_id=request.request_id, person_ref=person)
