import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from chassis.database import Connection, Pool
from chassis.idempotency import Answer, forget_old, once
from chassis.problems import Problem
from chassis.tasks import background
from chassis.tokens import Principal
from local.waiting import until

NOW = datetime(2026, 3, 5, 9, tzinfo=UTC)
PAYROLL = Principal("payroll", "621", frozenset())
JOBS = Principal("jobs", "621", frozenset())
REQUEST = b"r" * 32
OTHER_REQUEST = b"o" * 32


class Refused(Exception):
    """The action was refused."""


@pytest.fixture
async def effects(door_pool: Pool) -> Pool:
    await door_pool.execute("CREATE TABLE effect (number integer GENERATED ALWAYS AS IDENTITY)")
    return door_pool


async def act(db: Connection) -> Answer:
    number = await db.fetchval("INSERT INTO effect DEFAULT VALUES RETURNING number")
    return Answer(201, b'{"number": %d}' % number, f"/v1/effects/{number}")


async def ask(
    pool: Pool, key: str = "k", *, principal: Principal = PAYROLL, request: bytes = REQUEST, refuse: bool = False
) -> Answer:
    async with pool.acquire() as db, db.transaction():

        async def action() -> Answer:
            answer = await act(db)
            if refuse:
                raise Refused
            return answer

        return await once(db, principal=principal, key=key, request_fingerprint=request, now=NOW, action=action)


async def effects_in(pool: Pool) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM effect")
    return count


async def test_a_second_copy_gets_the_first_answer_and_has_no_effect(effects: Pool) -> None:
    first = await ask(effects)
    second = await ask(effects)

    assert (first.replayed, second.replayed) == (False, True)
    assert (first.status, first.body, first.location) == (second.status, second.body, second.location)
    assert await effects_in(effects) == 1


async def test_copies_at_the_same_time_run_once(effects: Pool) -> None:
    answers = await asyncio.gather(*(ask(effects) for _ in range(9)))

    assert len({answer.body for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert await effects_in(effects) == 1


async def test_a_copy_waits_while_the_first_is_under_way(effects: Pool) -> None:
    async with effects.acquire() as db:
        transaction = db.transaction()
        await transaction.start()
        await once(db, principal=PAYROLL, key="k", request_fingerprint=REQUEST, now=NOW, action=lambda: act(db))
        copy = asyncio.create_task(ask(effects))
        await until(lambda: _waiting(effects))
        assert not copy.done()
        await transaction.commit()

    assert (await copy).replayed
    assert await effects_in(effects) == 1


async def test_a_copy_runs_when_the_first_it_waited_for_was_rolled_back(effects: Pool) -> None:
    async with effects.acquire() as db:
        transaction = db.transaction()
        await transaction.start()
        await once(db, principal=PAYROLL, key="k", request_fingerprint=REQUEST, now=NOW, action=lambda: act(db))
        copy = asyncio.create_task(ask(effects))
        await until(lambda: _waiting(effects))
        await transaction.rollback()

    assert not (await copy).replayed
    assert await effects_in(effects) == 1


async def _waiting(pool: Pool) -> bool:
    waiting: bool = await pool.fetchval("SELECT bool_or(NOT granted) FROM pg_locks WHERE locktype = 'transactionid'")
    return waiting


async def test_the_same_key_for_another_request_is_refused(effects: Pool) -> None:
    await ask(effects)

    with pytest.raises(Problem) as refusal:
        await ask(effects, request=OTHER_REQUEST)

    assert (refusal.value.status_code, refusal.value.slug) == (422, "idempotency-key-reused")
    assert await effects_in(effects) == 1


async def test_an_answer_is_forgotten_after_30_days(effects: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.idempotency.FORGET_EVERY_SECONDS", 0.01)
    await ask(effects, "old")
    await ask(effects, "young")
    real = datetime.now(UTC)
    age = "UPDATE idempotency_key SET claimed_at = $2 WHERE key = $1"
    await effects.execute(age, "old", real - timedelta(days=30, seconds=1))
    await effects.execute(age, "young", real - timedelta(days=29))

    async with background(forgetting=forget_old(effects)):
        await until(lambda: effects.fetchval("SELECT count(*) = 1 FROM idempotency_key"))

    assert not (await ask(effects, "old")).replayed
    assert (await ask(effects, "young")).replayed


async def test_nothing_is_forgotten_by_the_clock_of_a_start(effects: Pool) -> None:
    await ask(effects)
    await effects.execute("UPDATE idempotency_key SET claimed_at = '1990-01-01T00:00:00Z'")

    async with background(forgetting=forget_old(effects)):
        # Whatever it did at its start, it would have done by the second look.
        for _ in range(2):
            assert await effects.fetchval("SELECT count(*) FROM idempotency_key") == 1


async def test_a_copy_that_meets_the_forgetting_of_its_answer_is_answered(effects: Pool) -> None:
    for _ in range(100):
        await ask(effects)
        copies = [asyncio.create_task(ask(effects)) for _ in range(3)]

        await effects.execute("DELETE FROM idempotency_key")

        assert {answer.status for answer in await asyncio.gather(*copies)} == {201}


async def test_forgetting_outlives_a_database_that_refuses_it(effects: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.idempotency.FORGET_EVERY_SECONDS", 0.01)
    await ask(effects)
    await effects.execute("UPDATE idempotency_key SET claimed_at = '1990-01-01T00:00:00Z'")
    await effects.execute("ALTER TABLE idempotency_key RENAME TO away")

    with capture_logs() as logs:
        forgetting = asyncio.create_task(forget_old(effects))
        await until(lambda: forgetting.done() or len(logs) > 1)
    await effects.execute("ALTER TABLE away RENAME TO idempotency_key")
    await until(lambda: effects.fetchval("SELECT count(*) = 0 FROM idempotency_key"))

    assert {(log["event"], log["error"]) for log in logs} == {("old_answers_kept", "UndefinedTableError")}
    forgetting.cancel()
    await asyncio.wait([forgetting])


async def test_two_callers_may_use_the_same_key(effects: Pool) -> None:
    await ask(effects)
    answer = await ask(effects, principal=JOBS, request=OTHER_REQUEST)

    assert not answer.replayed
    assert await effects_in(effects) == 2


async def test_a_refused_action_leaves_no_claim(effects: Pool) -> None:
    with pytest.raises(Refused):
        await ask(effects, refuse=True)
    assert await effects_in(effects) == 0

    answer = await ask(effects)

    assert not answer.replayed
    assert await effects_in(effects) == 1
