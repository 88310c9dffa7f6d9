"""Examples E5 and E6 of the domain through the real doors: what was known then stays what it was."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest

from chassis.calendar import calendar_of
from chassis.wire import seal
from contracts import flexjob_pool
from contracts.event import Event
from contracts.platform import EventRetracted
from services.impact.tests.doors.small_life import Admit, Issue

Register = Callable[..., Awaitable[int]]
Figure = Callable[[str], Awaitable[dict[str, Any]]]
MoveTo = Callable[[str], None]


def ref(name: str) -> UUID:
    return uuid5(UUID(int=0), name)


def of(person: str, job: str) -> dict[str, str]:
    return {"person_ref": str(ref(person)), "placement_id": str(ref(job))}


def hours(effective: str) -> dict[str, str]:
    return {"attendance_hours_per_week": effective, "effective_hours_per_week": effective}


def started(person: str, job: str, effective: str, day: str) -> Event:
    terms = {"grant_term": "temporary_5y", "retention": False, "scheme": "post2013"}
    place = {"department": "Senior", "workplace_unit": "Bakkebo"}
    told = {"occurred_on": day, **of(person, job), **hours(effective), **terms, **place}
    return flexjob_pool.FlexjobStarted.model_validate(told)


def hours_changed(person: str, job: str, effective: str, day: str, **reason: str) -> Event:
    told = {"occurred_on": day, **of(person, job), **hours(effective), "cause": "capacity_up", **reason}
    return flexjob_pool.FlexjobHoursChanged.model_validate(told)


@pytest.fixture
def move_to(clock: str) -> MoveTo:
    """Set the calendar that the doors and the ingest live by."""
    file = Path(clock.removeprefix("file:"))

    def move_to(instant: str) -> None:
        file.write_text(instant)

    return move_to


@pytest.fixture
def register(admit: Admit, clock: str) -> Register:
    """Register an event now, as a track service does, and admit it; gives the lane's position."""

    async def register(event: Event, event_id: str, *, corrects: str | None = None) -> int:
        now = calendar_of(clock).now()
        body = seal(event, municipality="621", producer="flexjob_pool", id=event_id, time=now, corrects=corrects).body
        return await admit(body)

    return register


@pytest.fixture
async def figure(doors: httpx.AsyncClient, issue: Issue) -> Figure:
    """Ask for a figure, with a token for exact ones."""
    headers = await issue("figures:exact")

    async def figure(path: str) -> dict[str, Any]:
        answer = await doors.get(f"/v1/figures/{path}", headers=headers)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    return figure


@pytest.fixture
def value(figure: Figure) -> Callable[[str], Awaitable[Decimal]]:
    async def value(path: str) -> Decimal:
        return Decimal((await figure(path))["value"])

    return value


Value = Callable[[str], Awaitable[Decimal]]


@pytest.fixture
async def e5(register: Register, move_to: MoveTo) -> None:
    """12.50 hours from 1 March, registered on 5 March; put right to 10.50 on 20 April, ten days after the close."""
    move_to("2026-02-02T08:00:00+00:00")
    assert await register(started("Ane", "job", "4.00", "2026-02-01"), "start") == 1
    move_to("2026-03-05T09:00:00+00:00")
    assert await register(hours_changed("Ane", "job", "12.50", "2026-03-01"), "hours") == 2
    move_to("2026-04-20T10:00:00+00:00")
    right = hours_changed("Ane", "job", "10.50", "2026-03-01", reason_code="typed_wrongly")
    assert await register(right, "hours-right", corrects="hours") == 3
    move_to("2026-04-21T08:00:00+00:00")


IN_MARCH = "F3?as_of=2026-03-31"


@pytest.mark.usefixtures("e5")
async def test_e5_what_was_known_at_the_close_is_still_told_after_the_correction(figure: Figure) -> None:
    now = await figure(IN_MARCH)
    by_instant = await figure(f"{IN_MARCH}&known_as_of=2026-04-10T12:00:00Z")
    by_position = await figure(f"{IN_MARCH}&known_as_of={by_instant['position']}")

    assert (now["value"], now["position"], now["known_as_of"]) == ("6.5", 3, "2026-04-20T10:00:00Z")
    assert (by_instant["value"], by_instant["position"]) == ("8.5", 2)
    assert by_instant["known_as_of"] == "2026-03-05T09:00:00Z", "when the last fact of then was admitted"
    assert by_position == by_instant


@pytest.mark.parametrize(
    ("known_as_of", "gained"),
    [
        ("2026-03-05T08:59:59Z", "0"),
        ("2026-03-05T09:00:00Z", "8.5"),
        ("2026-04-20T09:59:59.999Z", "8.5"),
        ("2026-04-20T10:00:00Z", "6.5"),
        ("2026-04-20T12:00:00%2B02:00", "6.5"),
        ("2026-04-21T23:00:00Z", "6.5"),
        ("0", "0"),
        ("1", "0"),
        ("2", "8.5"),
        ("3", "6.5"),
    ],
)
@pytest.mark.usefixtures("e5")
async def test_e5_every_instant_and_every_position_has_its_answer(
    figure: Figure, known_as_of: str, gained: str
) -> None:
    assert (await figure(f"{IN_MARCH}&known_as_of={known_as_of}"))["value"] == gained


@pytest.mark.usefixtures("e5")
async def test_e5_march_is_restated_from_exact_values(value: Value) -> None:
    closed, restated = await value(f"{IN_MARCH}&known_as_of=2026-04-10T12:00:00Z"), await value(IN_MARCH)

    assert [round(gained / 37, 4) for gained in (closed, restated)] == [Decimal("0.2297"), Decimal("0.1757")]
    assert restated - closed == Decimal("-2.0")
    assert round((restated - closed) / 37, 4) == Decimal("-0.0541")
    assert round(restated / 37, 4) - round(closed / 37, 4) == Decimal("-0.0540"), "from rounded figures it is another"


@pytest.mark.usefixtures("e5")
async def test_e5_the_correction_adds_nothing_in_april(value: Value, figure: Figure) -> None:
    assert await value("F3?as_of=2026-04-21") == await value(IN_MARCH) == Decimal("6.5")
    april = await value("F3?from=2026-04-01&to=2026-05-01")
    assert april == await value("F3?from=2026-03-01&to=2026-04-01") == Decimal("6.5")
    assert await value("F4?from=2026-04-01&to=2026-05-01") == Decimal("10.5")
    for flow in ("J1", "J2"):
        assert await value(f"{flow}?from=2026-04-01&to=2026-05-01") == 0
    facts = [(await figure(f"F3?as_of={day}"))["facts"] for day in ("2026-02-28", "2026-03-31", "2026-04-21")]
    assert facts == [1, 2, 2], "the correction counts in the place of what it corrects"


@pytest.mark.usefixtures("e5")
async def test_e5_the_figure_of_the_day_was_live_that_day(register: Register, figure: Figure, move_to: MoveTo) -> None:
    """What a figure said on its day is what it says of that day when asked by that answer's position."""
    before = await figure("F3")
    move_to("2026-05-02T08:00:00+00:00")
    await register(hours_changed("Ane", "job", "2.00", "2026-04-01"), "late")

    assert (await figure("F3"))["value"] == "-2"
    again = await figure(f"F3?as_of={before['as_of']}&known_as_of={before['position']}")
    assert {**again, "facts": before["facts"]} == before


PERSONS = [f"P{number}" for number in range(1, 12)]
FEBRUARY = "from=2026-02-01&to=2026-03-01"


@pytest.fixture
async def e6(register: Register, move_to: MoveTo) -> None:
    """Eleven persons begin on 2 February, one of them entered twice; found in May."""
    move_to("2026-02-03T08:00:00+00:00")
    for person in PERSONS:
        await register(started(person, f"job of {person}", "10.00", "2026-02-02"), person)
    await register(started("P1", "the same job again", "10.00", "2026-02-02"), "twice")
    move_to("2026-05-11T08:00:00+00:00")


async def retract(register: Register) -> None:
    assert await register(EventRetracted(event_id="twice", reason_code="double_entry"), "undone") == 13


def denominators(shown: dict[str, Any]) -> dict[str, str]:
    return {cell["dimensions"]["weeks"]: cell["denominator"] for cell in shown["cells"]}


@pytest.mark.usefixtures("e6")
async def test_e6_february_has_eleven_placements_once_the_double_entry_is_retracted(
    register: Register, figure: Figure
) -> None:
    before = await figure(f"J1?{FEBRUARY}")
    await retract(register)
    after = await figure(f"J1?{FEBRUARY}")

    assert (before["value"], after["value"]) == ("12", "11")
    assert (await figure(f"J1?{FEBRUARY}&known_as_of={before['position']}"))["value"] == "12"
    assert (await figure(f"J1?{FEBRUARY}&known_as_of=2026-05-11T07:59:59Z"))["value"] == "12"
    assert (await figure("J1?from=2026-05-01&to=2026-06-01"))["value"] == "0", "May loses nothing"
    assert (await figure("F1"))["value"] == (await figure(f"F1?known_as_of={before['position']}"))["value"] == "11"


@pytest.mark.usefixtures("e6")
async def test_e6_the_denominators_of_sustained_jobs_drop_too_where_their_day_has_passed(
    register: Register, figure: Figure, move_to: MoveTo
) -> None:
    before = await figure("J4?by=weeks")
    await retract(register)
    after = await figure("J4?by=weeks")

    assert denominators(before) == {"13": "12"}, "by May 13 weeks have passed, and no more"
    assert denominators(after) == {"13": "11"}
    assert (await figure("J4"))["status"] == "no_data"

    move_to("2027-02-01T08:00:00+00:00")
    then = f"&known_as_of={before['position']}"
    assert denominators(await figure("J4?by=weeks")) == {"13": "11", "26": "11", "52": "11"}
    assert denominators(await figure(f"J4?by=weeks{then}")) == {"13": "12", "26": "12", "52": "12"}
    day_182 = "J4?as_of=2026-08-03"
    assert (await figure("J4?as_of=2026-08-02"))["status"] == "no_data"
    for known, share in (("", "11"), (then, "12")):
        shown = await figure(day_182 + known)
        assert (shown["value"], shown["numerator"], shown["denominator"]) == ("1", share, share)
    cohort = await figure(f"J4?{FEBRUARY}&as_of=2026-08-03")
    assert cohort["denominator"] == "11"
