"""When totals about persons are released, on a real database: told by persons, never by events."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from chassis.database import Connection
from impact import releases
from impact.catalogue import INDICATORS
from impact.disclosure import Release
from impact.figures import Status, Value
from impact.releases import keep_releasing
from impact.store import releases as store
from impact.store.releases import latest
from local.waiting import until
from services.impact.tests.releases.handwritten import (
    SUPPRESSED,
    Lane,
    LaneOf,
    names,
)


async def test_nothing_is_released_before_five_persons_contribute(lane: Lane) -> None:
    await lane.employ(*names(4))

    assert await lane.release() is None

    await lane.employ("P5")

    assert await lane.release() == 1
    assert await lane.whole("F1") == Value(Status.PROVISIONAL, Decimal(5))


async def test_a_release_says_where_it_stands_on_both_clocks(lane: Lane) -> None:
    await lane.employ(*names(6))
    await lane.release()

    release = await lane.last()

    assert (release.number, release.position, release.as_of) == (1, 6, date(2026, 6, 30))
    assert release.known_as_of == datetime(2026, 6, 30, 12, tzinfo=UTC)
    assert {id_ for id_, _ in release.wholes} == {indicator.id for indicator in INDICATORS if indicator.about_persons}


async def test_totals_stand_still_until_five_persons_have_moved_them(lane: Lane) -> None:
    await lane.employ(*names(10))
    await lane.release()

    await lane.employ(*names(4, "New "))

    assert await lane.release() is None
    assert await lane.whole("F1") == Value(Status.PROVISIONAL, Decimal(10))

    await lane.contribute("persons_in_flexjob", "P1", "-1", department="Senior")

    assert await lane.release() == 2
    assert await lane.whole("F1") == Value(Status.PROVISIONAL, Decimal(13))


async def test_all_totals_move_together_whichever_the_five_moved(lane: Lane) -> None:
    await lane.employ(*names(8))
    for person in names(8):
        await lane.contribute("effective_hours", person, "10", department="Senior")
    await lane.release()

    for person in names(2):
        await lane.contribute("effective_hours", person, "8", department="Senior")
    for person in names(3, "New "):
        await lane.contribute("placements_started", person, contributor=f"job of {person}")

    assert await lane.release() == 2
    assert (await lane.whole("F4")).value == Decimal(12)
    assert await lane.whole("J1") == SUPPRESSED


async def test_many_events_of_one_person_are_one_person(lane: Lane) -> None:
    await lane.employ(*names(5))
    await lane.release()

    for number in range(12):
        await lane.contribute("placements_started", "P1", contributor=f"job {number}")

    assert await lane.release() is None


async def test_moves_within_the_municipality_and_what_was_taken_back_move_no_total(lane: Lane) -> None:
    await lane.employ(*names(6))
    await lane.release()

    for person in names(6):
        await lane.contribute("persons_in_flexjob", person, "-1", department="Senior")
        await lane.contribute("persons_in_flexjob", person, "1", department="Teknik")
    for person in names(6, "Mistaken "):
        await lane.contribute("persons_in_flexjob", person, "1", department="Teknik")
        await lane.contribute("persons_in_flexjob", person, "-1", department="Teknik")

    assert await lane.release() is None


async def test_time_alone_moves_totals_when_a_period_begins_anew(lane: Lane) -> None:
    for person in names(5):
        await lane.contribute("placements_started", person, contributor=f"job of {person}")
    await lane.release()
    assert (await lane.whole("J1")).value == Decimal(5)

    lane.calendar.day = date(2026, 12, 31)
    assert await lane.release() is None

    lane.calendar.day = date(2027, 1, 1)
    assert await lane.release() == 2
    assert (await lane.whole("J1")).value == Decimal(0)


async def test_what_is_dated_later_counts_only_from_its_day_on(lane: Lane) -> None:
    await lane.employ(*names(5), day=date(2026, 7, 1))

    assert await lane.release() is None

    lane.calendar.day = date(2026, 7, 1)
    assert await lane.release() == 1


async def test_only_the_dimension_that_a_total_is_held_to_moves_it(lane: Lane) -> None:
    await lane.employ(*names(5))
    await lane.release()

    for person in names(9):
        await lane.contribute("jobs_due", person, contributor=f"{person}/13", kind="flexjob", weeks="13")
    assert await lane.release() is None

    for person in names(9):
        await lane.contribute("jobs_due", person, contributor=f"{person}/26", kind="flexjob", weeks="26")
    assert await lane.release() == 2


async def test_contributions_without_a_person_move_nothing(lane: Lane) -> None:
    for number in range(9):
        await lane.contribute("job7_requests", None, contributor=f"request {number}", to_municipality="607")

    assert await lane.release() is None


async def test_nothing_is_released_while_figures_are_not_trusted(lane: Lane) -> None:
    await lane.employ(*names(9))

    assert await lane.release(trusted=False) is None
    assert await lane.release() == 1


async def test_a_calendar_that_was_set_back_releases_nothing(lane: Lane) -> None:
    await lane.employ(*names(5))
    await lane.release()

    lane.calendar.day = date(2026, 6, 29)
    await lane.employ(*names(9, "New "))

    assert await lane.release() is None


async def test_releases_are_numbered_and_told_by_municipality(lane_of: LaneOf) -> None:
    kolding, billund = lane_of("621"), lane_of("607")
    await kolding.employ(*names(5))
    await billund.employ(*names(4))

    assert (await kolding.release(), await billund.release()) == (1, None)

    await billund.employ("P5", "P6")

    assert await billund.release() == 1
    assert (await billund.whole("F1")).value == Decimal(6)
    assert (await kolding.whole("F1")).value == Decimal(5)


async def test_a_larger_k_waits_for_more_persons(lane: Lane) -> None:
    await lane.employ(*names(9))

    assert await lane.release(k=10) is None
    assert await lane.release(k=9) == 1


async def test_releases_come_by_themselves_while_the_figures_are_trusted(lane: Lane) -> None:
    await lane.employ(*names(5))
    trust = asyncio.Event()

    async def trusted(municipality: str) -> bool:
        return trust.is_set() and municipality == "621"

    async def released() -> Release | None:
        async with lane.pool.acquire() as db:
            return await latest(db, "621")

    work = asyncio.create_task(
        keep_releasing(lane.pool, ["607", "621"], lane.calendar, INDICATORS, trusted=trusted, every=0.01)
    )
    try:
        await asyncio.sleep(0)
        assert await released() is None
        trust.set()
        assert await until(released, message="no release came")
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_a_release_of_a_large_lane_may_take_longer_than_a_request(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits, moved = list[str](), store.persons_moved

    async def seen(db: Connection, *asked: Any, **positions: Any) -> int:
        limits.append(await db.fetchval("SHOW statement_timeout"))
        return await moved(db, *asked, **positions)

    monkeypatch.setattr(store, "persons_moved", seen)
    await lane.employ(*names(5))

    assert await lane.release() == 1
    assert limits == ["5min"]
    assert await lane.pool.fetchval("SHOW statement_timeout") == "30s"


@pytest.mark.parametrize(("took", "rest"), [(0.1, 60), (10, 90), (60, 540)])
async def test_who_looks_for_a_release_rests_nine_times_as_long_as_it_took_or_a_minute(
    lane: Lane, monkeypatch: pytest.MonkeyPatch, took: float, rest: float
) -> None:
    instants, rests = iter((100.0, 100.0 + took)), list[float]()

    async def never_ending(seconds: float) -> None:
        rests.append(seconds)
        raise asyncio.CancelledError

    async def trusted(_: str) -> bool:
        return False

    monkeypatch.setattr(releases, "monotonic", lambda: next(instants))
    monkeypatch.setattr(releases, "asyncio", SimpleNamespace(sleep=never_ending))

    with pytest.raises(asyncio.CancelledError):
        await keep_releasing(lane.pool, ["621"], lane.calendar, INDICATORS, trusted=trusted, every=60)
    assert rests == [pytest.approx(rest)]
