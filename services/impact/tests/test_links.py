"""Chains are looked up by id, also on a young lane: the planner then has no statistics to choose an index by."""

from chassis.database import Pool
from impact.store.recall import CHAINS


async def test_a_look_at_a_chain_reads_no_link_of_others_when_nothing_was_analysed(pool: Pool) -> None:
    async with pool.acquire() as db, db.transaction():
        await db.execute(
            """
            INSERT INTO link (municipality, position, source, event_id, target)
            SELECT '621', number, 'urn:kraftcenter:621:portal', 'r' || number, 'e' || number
            FROM generate_series(1, 700) AS number
            """
        )
        plan = await db.fetch(f"EXPLAIN {CHAINS}", "621", ["urn:kraftcenter:621:portal"], ["e7"])

    looks = [line[0].strip() for line in plan if "Cond: " in line[0] or "Filter: " in line[0]]
    assert any(look.startswith("Index Cond: ((event_id = ") for look in looks)
    assert any(look.startswith("Index Cond: ((target = ") for look in looks)
    assert not [look for look in looks if look.startswith("Filter: ") and "event_id" in look]
