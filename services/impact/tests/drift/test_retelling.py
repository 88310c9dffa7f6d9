"""What only telling the ledger again can notice, and when that is done."""

import json
from datetime import timedelta
from itertools import count
from math import ceil
from types import SimpleNamespace
from uuid import UUID, uuid5

import pytest

from chassis.calendar import Calendar
from chassis.database import Pool
from chassis.tasks import background
from chassis.wire import seal
from impact import rebuild
from impact.catalogue import INDICATORS
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.store import replay
from impact.verify.lane import retold
from impact.verify.watch import keep_verifying
from local.waiting import until
from services.impact.tests.drift.life import (
    FACTS,
    FORGED,
    LANE,
    MEASURES,
    REGISTERED,
    differing,
    sealed,
    started,
    trusted,
)

OTHERWISE = {"person": "person || 'x'", "contributor": "contributor || 'x'", "key": "key || 'x'"}


@pytest.mark.parametrize("column", OTHERWISE)
async def test_what_neither_figure_nor_account_is_read_from_is_noticed_when_the_ledger_is_told_again(
    life: Pool, today: Calendar, column: str
) -> None:
    """Receipts and disclosure are read from these; proofs know only figures as they stand."""
    await life.execute(f"UPDATE delta SET {column} = {OTHERWISE[column]} WHERE measure = 'jobs_due'")  # noqa: S608

    assert await differing(life, today) == []
    assert await differing(life, today, retell=True) == [OF_DELTA]


OF_DELTA = {"indicator": "ledger", "cell": {"table": "delta"}}


async def test_deltas_that_cancel_and_are_gone_together_are_noticed_when_the_ledger_is_told_again(
    life: Pool, today: Calendar
) -> None:
    body = seal(
        started("Bo", "2026-03-01", "6.00", "Teknik").model_copy(
            update={"person_ref": UUID(int=7), "reason_code": "late_information"}
        ),
        municipality="621",
        producer="flexjob_pool",
        time=REGISTERED + timedelta(days=1),
        id="right",
        corrects="e9",
    ).body
    await ingest(life, LANE, [Delivery(LANE.name, 50, {}, body)], measures=MEASURES, calendar=today)
    pairs = "SELECT measure FROM delta WHERE position = 18 GROUP BY measure HAVING sum(amount) = 0"
    assert await life.execute(f"DELETE FROM delta WHERE position = 18 AND measure IN ({pairs})") != "DELETE 0"  # noqa: S608

    assert OF_DELTA in await differing(life, today, retell=True)


async def test_what_was_found_by_telling_again_stands_until_it_is_mended(life: Pool, today: Calendar) -> None:
    edit = "UPDATE delta SET person = {} WHERE measure = 'jobs_due'"
    await life.execute(edit.format("person || 'x'"))
    assert await differing(life, today, retell=True) == [OF_DELTA]
    assert await differing(life, today) == [OF_DELTA]
    assert not await trusted(life)

    await life.execute(edit.format("rtrim(person, 'x')"))
    assert await differing(life, today) == []
    assert await trusted(life)


async def test_the_timer_tells_again_once_its_interval_has_gone_by_and_not_before(life: Pool, today: Calendar) -> None:
    await life.execute("UPDATE delta SET person = person || 'x' WHERE measure = 'jobs_due'")

    async with background(timer=keep_verifying(life, ["621"], today, INDICATORS, every=0.05, retell_every=1.0)):
        await until(lambda: life.fetchval("SELECT count(*) FROM verification WHERE drift = 1"), seconds=60)

    assert await life.fetchval("SELECT drift FROM verification ORDER BY at LIMIT 1") == 0


async def test_who_shares_a_process_with_the_taking_in_rests_after_each_page_as_long_as_it_took(
    life: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, rests = count(), list[float]()

    async def rested(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr(replay, "PAGE", 5)
    monkeypatch.setattr(rebuild, "monotonic", lambda: next(clock))
    monkeypatch.setattr(rebuild, "asyncio", SimpleNamespace(sleep=rested))

    assert await retold(life, "621", INDICATORS, rest=2.0) == []

    assert rests == [2.0] * ceil(FACTS / 5)


async def test_no_transaction_stays_open_while_a_lane_is_told_again(
    life: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database would clean nothing up: in an hour of 200 events a second, 14 dead rows for each running sum."""
    open_ones: list[int] = []

    async def look_around(_: float) -> None:
        open_ones.append(await life.fetchval(OPEN))

    monkeypatch.setattr(replay, "PAGE", 5)
    monkeypatch.setattr(rebuild, "asyncio", SimpleNamespace(sleep=look_around))

    assert await retold(life, "621", INDICATORS) == []

    assert open_ones == [0] * ceil(FACTS / 5)


OPEN = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"


async def test_a_fact_that_was_forged_is_named_when_the_ledger_is_told_again(life: Pool, today: Calendar) -> None:
    await life.execute(FORGED, str(uuid5(UUID(int=0), "Frida")))

    assert {"indicator": "ledger", "cell": {"position": "12"}} in await differing(life, today, retell=True)


async def test_a_body_is_the_same_however_the_database_writes_its_numbers(life: Pool, today: Calendar) -> None:
    body = json.loads(sealed(started("Gerd", "2026-05-01", "8.00"), "odd"))
    body["data"]["newer"] = "NUMBERS"
    numbers = "[1e20, 1.50, -0.0, 0.1e-7, 9007199254740991, 9007199254740992.0, 1.7976931348623157e308, 5e-324, true]"
    raw = json.dumps(body).replace('"NUMBERS"', numbers).encode()
    await ingest(life, LANE, [Delivery(LANE.name, 50, {}, raw)], measures=MEASURES, calendar=today)
    assert await life.fetchval("SELECT parked FROM ledger WHERE event_id = 'odd'") is None

    assert await differing(life, today, retell=True) == []
