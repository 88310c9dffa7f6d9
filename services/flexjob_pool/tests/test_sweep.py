"""The sweep: each review is called for once, whoever looks at the calendar and how often."""

import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

from flexjob_pool.requests.flexjobs import EndFlexjob
from flexjob_pool.requests.reviews import HoldReview
from flexjob_pool.sweep import Sweep
from local.waiting import until


def sweep_of(office: Any) -> Sweep:
    return Sweep("621", office.calendar, every=0.01)


async def due(office: Any) -> list[tuple[str, str]]:
    return sorted((event["data"]["due_on"], event["data"]["review_kind"]) for event in await office.told("review_due"))


async def test_a_review_is_called_for_ninety_days_ahead_and_once_by_many_sweeps(office: Any) -> None:
    for _ in range(5):
        await office.ask(uuid4(), office.start(date(2026, 3, 1)))
    until = (date(2028, 9, 1) - office.calendar.today()).days - 90
    office.later(until - 1)
    await sweep_of(office).sweep(office.pool)
    assert await due(office) == []

    office.later(1)
    sweeps = [sweep_of(office) for _ in range(4)]
    await asyncio.gather(*(sweep.sweep(office.pool) for sweep in sweeps))

    assert await due(office) == [("2028-09-01", "m30")] * 5
    assert {sweep.until for sweep in sweeps} == {office.calendar.today()}
    told = await office.told()
    await sweeps[0].sweep(office.pool)
    assert await office.told() == told


class Counted(Sweep):
    """A sweep that counts how often it asks the database."""

    sweeps = 0

    async def sweep(self, pool: Any) -> None:
        self.sweeps += 1
        await super().sweep(pool)


class Watched:
    """A calendar that counts how often it is looked at."""

    def __init__(self, calendar: Any) -> None:
        self._calendar = calendar
        self.looks = 0

    def today(self) -> date:
        self.looks += 1
        return self._calendar.today()  # type: ignore[no-any-return]

    async def is_looked_at(self, times: int) -> None:
        enough = self.looks + times
        await until(lambda: self.looks >= enough, message="nobody looks at the calendar")


async def test_a_day_is_swept_when_it_begins_however_often_the_calendar_is_looked_at(office: Any) -> None:
    calendar = Watched(office.calendar)
    sweep = Counted("621", calendar, every=0.001)  # type: ignore[arg-type]
    running = asyncio.create_task(sweep.run(office.pool))
    for swept in (1, 2):
        await until(lambda: sweep.until == office.calendar.today(), message="the day is not swept")
        await calendar.is_looked_at(20)
        assert sweep.sweeps == swept
        office.later(1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_review_that_was_held_calls_for_the_next_thirty_months_later(office: Any) -> None:
    placement_id, sweep = uuid4(), sweep_of(office)
    await office.ask(placement_id, office.start(date(2026, 3, 1), grant_term="temporary_5y"))
    for _ in range(55):
        office.later(30)
        await sweep.sweep(office.pool)
    # Nobody held the first, so only the status of four and a half years came after it.
    assert await due(office) == [("2028-09-01", "m30"), ("2030-09-01", "m54")]
    [first] = [event["data"] for event in await office.told("review_due") if event["data"]["review_kind"] == "m30"]

    held = HoldReview(
        occurred_on=date(2028, 10, 31), placement_id=placement_id, review_kind="m30", outcome_code="continues"
    )
    await office.ask(first["review_id"], held)
    office.later(365)
    await sweep.sweep(office.pool)

    # April has no 31st.
    assert await due(office) == [("2028-09-01", "m30"), ("2030-09-01", "m54"), ("2031-04-30", "m30")]


async def test_an_ended_flexjob_is_reviewed_no_more(office: Any) -> None:
    placement_id = uuid4()
    await office.ask(placement_id, office.start(date(2026, 3, 1)))
    await office.ask(placement_id, EndFlexjob(occurred_on=date(2026, 6, 1), reason_code="pension"))
    office.later(3000)

    await sweep_of(office).sweep(office.pool)

    assert await due(office) == []


async def test_what_is_registered_after_the_sweep_of_its_day_calls_for_its_review_itself(office: Any) -> None:
    await sweep_of(office).sweep(office.pool)

    started = await office.ask(uuid4(), office.start(date(2023, 10, 1)))

    assert await due(office) == [("2026-04-01", "m30")]
    [called] = await office.told("review_due")
    assert started.event_ids[1] == called["id"]
    assert called["causationid"] == started.event_ids[0]


async def test_the_sweep_finds_what_is_due_by_an_index(office: Any) -> None:
    await office.pool.execute(
        """
        INSERT INTO resource (noun, key, state, links)
        SELECT 'flexjob', gen_random_uuid()::text, jsonb_build_object(
            'next_review_on', date '2028-01-01' + number, 'person_ref', number::text, 'status', 'running'), '{}'
        FROM generate_series(1, 5000) AS number
        """
    )
    await office.pool.execute("ANALYZE resource")

    for query, index in (
        ("noun = 'flexjob' AND state ->> 'next_review_on' <= '2028-01-02'", "flexjob_to_review"),
        ("""noun = 'flexjob' AND state @> '{"person_ref": "7"}'""", "resource_state"),
        ("noun = 'flexjob' AND (length(key), key) > (0, '') ORDER BY length(key), key LIMIT 101", "resource_page"),
    ):
        plan = await office.pool.fetch(f"EXPLAIN SELECT state FROM resource WHERE {query}")  # noqa: S608 - above
        assert index in "\n".join(row[0] for row in plan), query
