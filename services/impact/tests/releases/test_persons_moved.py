"""How many persons have moved a total between two answers: told by persons, as by counting one by one."""

from datetime import date
from decimal import Decimal
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.database import Pool
from impact.figures import ask
from impact.indicator import Indicator
from impact.store.releases import Asked, persons_moved
from services.impact.tests.releases.handwritten import BY_ID, DELTA, Lane, names

DAYS = st.integers(0, 8).map(lambda quarter: date(2025 + quarter // 4, 1 + 3 * (quarter % 4), 1))
CONTRIBUTION = st.tuples(
    st.sampled_from(["persons_in_flexjob", "placements_started", "jobs_due", "jobs_sustained"]),
    st.sampled_from(["P1", "P2", "P3", "P4", None]),
    DAYS,
    st.sampled_from([Decimal(-1), Decimal(1)]),
    st.sampled_from(["13", "26"]),
)
Contribution = tuple[str, str | None, date, Decimal, str]
Pair = tuple[int, date]
EXAMPLES = count()


async def test_what_rises_in_one_measure_and_falls_in_another_does_not_cancel_out(lane: Lane) -> None:
    for person in names(5):
        await lane.contribute("effective_hours", person, "2", department="Senior")
    await lane.release()

    for person in names(5):
        await lane.contribute("effective_hours", person, "-1", department="Senior")
        await lane.contribute("persons_in_flexjob", person, "1", department="Senior")

    async with lane.pool.acquire() as db:
        asked = [Asked(*[ask(BY_ID["F4"], "621", as_of=lane.calendar.today())] * 2)]
        assert await persons_moved(db, "621", asked, before=5, after=lane.position) == 5


def contributes(indicator: Indicator, contributions: list[Contribution], pair: Pair) -> dict[tuple[str, str], Decimal]:
    """What each person brings to each of an indicator's measures at a pair, the slow way."""
    position, as_of = pair
    brought: dict[tuple[str, str], Decimal] = {}
    for measure, person, day, amount, weeks in contributions[:position]:
        first = as_of.replace(month=1, day=1) if indicator.kind == "flow" else date.min
        held = indicator.held_on(as_of, ())
        if (
            person
            and measure in {kept.id for kept in indicator.kept}
            and first <= day <= as_of
            and held.get("weeks", weeks) == weeks
        ):
            brought[measure, person] = brought.get((measure, person), Decimal(0)) + amount
    return brought


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_who_moved_a_total_is_told_as_by_counting_one_by_one(pool: Pool, data: st.DataObject) -> None:
    contributions = data.draw(st.lists(CONTRIBUTION, max_size=24))
    positions = st.integers(0, len(contributions))
    before, after = data.draw(st.tuples(positions, DAYS)), data.draw(st.tuples(positions, DAYS))
    municipality, indicators = f"example {next(EXAMPLES)}", [BY_ID[id_] for id_ in ("F1", "J1", "J4")]
    async with pool.acquire() as db:
        for position, (measure, person, day, amount, weeks) in enumerate(contributions, start=1):
            row = (measure, person or "nobody", person, day, amount, {"weeks": weeks})
            await db.execute(DELTA, municipality, position, *row)
        asked = [
            Asked(ask(indicator, municipality, as_of=before[1]), ask(indicator, municipality, as_of=after[1]))
            for indicator in indicators
        ]
        moved = await persons_moved(db, municipality, asked, before=before[0], after=after[0])

    expected = set()
    for indicator in indicators:
        then, now = (contributes(indicator, contributions, pair) for pair in (before, after))
        expected |= {key[1] for key in {*then, *now} if then.get(key, 0) != now.get(key, 0)}
    assert moved == len(expected)
