"""Hand-checkable stories, and what `verify/facts.sql` takes of them to be in force at a position."""

import itertools

from chassis.database import Pool
from services.impact.tests.teller import Teller, cut, of

# Supersession


async def test_the_latest_correction_holds_by_time_and_then_by_id(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    same = "2026-03-01T10:00:00Z"
    await story.flexjob("anna", "a", "2026-02-01", "8", corrects=root, id="b", time=same)
    await story.flexjob("anna", "a", "2026-02-01", "7", corrects=root, id="B", time=same)
    await story.flexjob("anna", "a", "2026-02-01", "6", corrects=root, id="z", time="2026-02-28T10:00:00Z")
    known = [await story.mean_hours(position) for position in range(5)]

    assert known == [of("0", "0"), of("4", "1"), of("8", "1"), of("8", "1"), of("8", "1")]


async def test_instants_are_compared_as_instants_and_not_as_text(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    await story.flexjob("anna", "a", "2026-02-01", "9", corrects=root, time="2026-03-01T10:00:00.5Z")
    await story.flexjob("anna", "a", "2026-02-01", "8", corrects=root, time="2026-03-01T10:00:00Z")

    assert await story.mean_hours() == of("9", "1")


async def test_a_correction_of_a_correction_holds_though_it_is_told_earlier_than_its_root(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    second = await story.flexjob("anna", "a", "2026-02-01", "5", corrects=root, time="2025-12-01T10:00:00Z")
    await story.flexjob("anna", "a", "2026-02-01", "6", corrects=second, time="2025-12-02T10:00:00Z")

    assert await story.mean_hours() == of("6", "1")


async def test_retracting_a_correction_restores_what_was_before_it_and_keeps_what_corrects_it(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    first = await story.flexjob("anna", "a", "2026-02-01", "5", corrects=root)
    last = await story.flexjob("anna", "a", "2026-02-01", "6", corrects=first)
    await story.retract(first)
    gone = await story.retract(last)
    await story.retract(gone)
    known = [await story.mean_hours(position) for position in range(3, 7)]

    assert known == [of("6", "1"), of("6", "1"), of("4", "1"), of("4", "1")]


async def test_retracting_a_root_takes_its_corrections_with_it(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    await story.flexjob("anna", "a", "2026-02-01", "5", corrects=root)
    await story.retract(root)

    assert await story.mean_hours() == of("0", "0")
    assert await story.mean_hours(2) == of("5", "1")


async def test_what_arrives_before_its_root_waits_for_it(story: Teller) -> None:
    await story.retract("r1")
    await story.flexjob("berit", "b", "2026-02-01", "5", corrects="r2")
    await story.flexjob("anna", "a", "2026-02-01", "4", id="r1")
    assert await story.mean_hours() == of("0", "0")

    await story.flexjob("berit", "b", "2026-02-01", "4", id="r2")
    assert await story.mean_hours() == of("5", "1")


async def test_a_correction_may_move_a_fact_to_another_day_and_another_person(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    await story.flexjob("berit", "b", "2026-05-01", "6", corrects=root, department="Børn")

    assert await story.whole("F1", "2026-04-30") == of("0", "1")
    assert cut(await story.cells("F1", "2026-05-01"), "department") == {"Børn": ("1", "1")}


async def test_another_source_or_another_type_corrects_and_retracts_nothing(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    await story.flexjob("anna", "a", "2026-02-01", "5", corrects=root, source="payroll")
    await story.hours("anna", "a", "2026-03-01", "6", corrects=root)
    await story.retract(root, source="payroll")

    assert await story.mean_hours() == of("4", "1")


async def test_corrections_in_a_ring_have_no_root(story: Teller) -> None:
    await story.flexjob("anna", "a", "2026-02-01", "4", id="x", corrects="y")
    await story.flexjob("anna", "a", "2026-02-01", "5", id="y", corrects="x")
    await story.flexjob("anna", "a", "2026-02-01", "6", id="z", corrects="z")

    assert await story.mean_hours() == of("0", "0")


# Positions, parking, openings, municipalities


async def test_every_order_of_arrival_ends_in_the_same_figure(pool: Pool) -> None:
    tales = (("a", "started"), ("b", "hours"), ("c", "corrected"), ("d", "ended"))
    for number, order in enumerate(itertools.permutations(tales)):
        story = Teller(pool, municipality=f"{100 + number}")
        for event_id, what in order:
            told = {"id": event_id, "time": f"2026-03-01T10:00:0{event_id.encode()[0] - 96}Z"}
            if what == "started":
                await story.flexjob("anna", "a", "2026-02-01", "4", **told)
            elif what == "ended":
                await story.end("anna", "a", "2027-01-01", **told)
            else:
                corrects = "b" if what == "corrected" else None
                await story.hours("anna", "a", "2026-03-01", "10.5" if corrects else "12.5", corrects=corrects, **told)
        assert await story.mean_hours() == of("10.5", "1")
        assert await story.whole("F1", "2027-01-01") == of("0", "1")


async def test_a_parked_fact_takes_effect_where_its_replay_succeeds_and_never_when_discarded(story: Teller) -> None:
    await story.flexjob("anna", "a", "2026-02-01", "4", parked="rule_error")
    await story.flexjob("berit", "b", "2026-02-01", "5", parked="rule_error")
    await story.enter("replay", story.bodies[1], parked="rule_error", about=1)
    await story.enter("replay", story.bodies[1], about=1)
    await story.enter("discard", story.bodies[2], about=2)
    known = [await story.mean_hours(position) for position in range(2, 6)]

    assert known == [of("0", "0"), of("0", "0"), of("4", "1"), of("4", "1")]


async def test_a_fact_without_its_opening_is_not_heard(story: Teller) -> None:
    await story.placement("anna", "a", "2026-02-01", "4", source="flexjob_pool")
    await story.hours("anna", "a", "2026-03-01", "9")
    await story.end("anna", "a", "2026-04-01")
    assert await story.whole("J3", "2026-03-15") == of("0", "1")
    assert await story.whole("J3", "2026-12-31") == of("0", "1")

    opening = await story.flexjob("berit", "a", "2026-11-01", "2")
    assert await story.whole("J3", "2026-03-15") == of("1", "1")
    assert await story.whole("J3", "2026-04-01") == of("0", "0")

    await story.retract(opening)
    assert await story.whole("J3", "2026-03-15") == of("0", "1")


async def test_two_municipalities_know_nothing_of_each_other(story: Teller) -> None:
    other = Teller(story.pool, municipality="630")
    await story.flexjob("anna", "a", "2026-02-01", "4", id="same")
    await other.flexjob("anna", "a", "2026-02-01", "9", id="same")
    await other.retract("nothing")

    assert await story.mean_hours(2) == of("4", "1")
    assert await other.mean_hours() == of("9", "1")
