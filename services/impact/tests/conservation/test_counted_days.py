"""The facts that count, by type and day: counted as they come, and by the migration of what came before."""

from asyncpg import Record

from chassis.database import Connection, Pool
from chassis.migrate import component_of

STANDING = "SELECT * FROM counted_day WHERE facts <> 0 ORDER BY municipality, type, occurred_on"


async def rows(db: Connection) -> list[Record]:
    return list(await db.fetch(STANDING))


async def test_a_lane_from_before_they_were_counted_is_counted_by_the_migration(lane: Pool) -> None:
    migration = (component_of("impact").files / "0007_counted_days.sql").read_text(encoding="utf-8")
    async with lane.acquire() as db, db.transaction():
        counted = await rows(db)
        await db.execute("DROP TABLE counted_day")
        await db.execute(migration)

        assert counted
        assert await rows(db) == counted
