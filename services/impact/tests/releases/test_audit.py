"""What has left is written down, and never edited."""

from datetime import UTC, datetime

import asyncpg
import pytest

from chassis.database import Pool
from chassis.tokens import Principal
from impact.figures import ask
from impact.store import audit
from services.impact.tests.releases.handwritten import BY_ID, SPRING, Lane, names


@pytest.mark.parametrize("table", ["release", "release_value", "audit"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET municipality = '607'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_what_has_left_is_never_edited(lane: Lane, table: str, statement: str) -> None:
    await lane.employ(*names(5))
    await lane.release()

    async with lane.pool.acquire() as db:
        await audit.note(
            db,
            at=lane.calendar.now(),
            municipality="621",
            actor="board",
            action=audit.READ_EXACT,
            subject="F1 J3",
            detail={"as_of": "2026-06-30", "by": ["department"]},
        )
        before = await db.fetch(f"SELECT * FROM {table}")  # noqa: S608 - a name of this test
        assert before
        with pytest.raises(asyncpg.RestrictViolationError):
            await db.execute(statement.format(table))
        assert await db.fetch(f"SELECT * FROM {table}") == before  # noqa: S608


async def test_an_exact_read_is_noted_with_what_was_asked_and_never_with_what_was_answered(pool: Pool) -> None:
    asked = [ask(BY_ID[id_], "621", as_of=SPRING, by=()) for id_ in ("F1", "E1", "J3")]
    at = datetime(2026, 6, 30, 12, tzinfo=UTC)
    door = {"door": "/v1/figures", "known_as_of": "1204"}

    async with pool.acquire() as db:
        await audit.note_exact_read(db, Principal("board", "621", frozenset({"figures:exact"})), asked, door, at=at)
        await audit.note_exact_read(db, Principal("public", "621", frozenset()), asked, door, at=at)
        await audit.note_exact_read(db, None, asked, door, at=at)
        notes = [dict(row) for row in await db.fetch("SELECT * FROM audit ORDER BY id")]

    assert notes == [
        {
            "id": 1,
            "at": at,
            "municipality": "621",
            "actor": "board",
            "action": "read_exact",
            "subject": "F1 J3",
            "detail": {"as_of": "2026-03-01", "door": "/v1/figures", "known_as_of": "1204"},
        }
    ]
