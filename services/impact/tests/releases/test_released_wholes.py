"""What a release shows of a total about persons, and what it hides of too few."""

from datetime import date
from decimal import Decimal

import pytest

from impact.figures import Status, Value
from services.impact.tests.releases.handwritten import SUPPRESSED, Lane, names


async def progression(lane: Lane, changes: dict[str, str]) -> None:
    """Persons in flexjob, each with a net change of weekly hours."""
    for person, change in changes.items():
        await lane.employ(person)
        await lane.contribute("persons_employed", person, kind="flexjob")
        if Decimal(change):
            await lane.contribute("net_hours_change", person, change, contributor=f"{person}/up", cause="capacity_up")
            moved = "persons_progressed" if Decimal(change) > 0 else "persons_regressed"
            await lane.contribute(moved, person, kind="flexjob")


E3 = {"P1": "8.5", "P2": "3.5", "P3": "-3", "P4": "0", "P5": "0"}


async def test_shares_of_too_few_are_hidden_while_the_sum_over_five_is_shown(lane: Lane) -> None:
    await progression(lane, E3)

    assert await lane.release() == 1
    assert await lane.whole("J3") == SUPPRESSED
    assert await lane.whole("J3r") == SUPPRESSED
    assert await lane.whole("F3") == Value(Status.PROVISIONAL, Decimal(9))


async def test_on_four_persons_nothing_is_shown(lane: Lane) -> None:
    await progression(lane, {person: change for person, change in E3.items() if person != "P5"})

    assert await lane.release() is None

    for person in names(5, "Elsewhere "):
        await lane.contribute("placements_started", person, contributor=f"job of {person}")
    assert await lane.release() == 1

    assert {await lane.whole(id_) for id_ in ("F1", "F3", "J3", "J3r")} == {SUPPRESSED}


@pytest.mark.parametrize(
    ("rose", "fell", "stayed", "shown"),
    [(3, 0, 48, False), (30, 20, 1, False), (3, 20, 28, False), (10, 0, 41, True), (6, 5, 40, True), (0, 0, 51, True)],
)
async def test_who_rose_who_fell_and_who_did_neither_are_told_together_or_not_at_all(
    lane: Lane, rose: int, fell: int, stayed: int, shown: bool
) -> None:
    """With `nobody fell` beside it, F3 would be the sum of what the few that J3 hides have gained."""
    changes = ["6"] * rose + ["-2"] * fell + ["0"] * stayed
    await progression(lane, dict(zip(names(51), changes, strict=True)))
    await lane.release()

    wholes = [await lane.whole(id_) for id_ in ("J3", "J3r")]

    assert [whole.numerator for whole in wholes] == ([rose, fell] if shown else [None, None])
    assert (await lane.whole("F3")).value == 6 * rose - 2 * fell


@pytest.mark.parametrize(("sustained", "shrunk", "lost", "shown"), [(30, 3, 7, False), (30, 5, 7, True)])
async def test_whose_jobs_lasted_with_fewer_hours_are_not_told_by_subtraction_when_they_are_few(
    lane: Lane, sustained: int, shrunk: int, lost: int, shown: bool
) -> None:
    for number, person in enumerate(names(sustained + shrunk + lost)):
        kept = ["jobs_sustained"] * (number < sustained) + ["jobs_still_employed"] * (number < sustained + shrunk)
        for measure in ("jobs_due", *kept):
            await lane.contribute(measure, person, contributor=f"{person}/26", kind="flexjob", weeks="26")
    await lane.release()

    wholes = [await lane.whole(id_) for id_ in ("J4", "J4e")]

    assert [whole.numerator for whole in wholes] == ([sustained, sustained + shrunk] if shown else [None, None])


@pytest.mark.parametrize(
    ("sustained", "due", "shown"), [(6, 8, False), (38, 40, False), (35, 40, True), (4, 40, False), (40, 40, True)]
)
async def test_a_rate_is_shown_with_five_on_each_side_or_none(
    lane: Lane, sustained: int, due: int, shown: bool
) -> None:
    for number, person in enumerate(names(due)):
        await lane.contribute("jobs_due", person, contributor=f"{person}/26", kind="flexjob", weeks="26")
        if number < sustained:
            await lane.contribute("jobs_sustained", person, contributor=f"{person}/26", kind="flexjob", weeks="26")
    await lane.release()

    whole = await lane.whole("J4")

    assert (whole.numerator, whole.denominator) == ((sustained, due) if shown else (None, None))
    assert (whole.value is not None) is shown


async def test_only_persons_at_the_weeks_that_a_total_is_held_to_stand_behind_it(lane: Lane) -> None:
    for weeks, persons in (("13", 9), ("26", 3)):
        for person in names(persons):
            job = f"{person}/{weeks}"
            await lane.contribute("jobs_due", person, contributor=job, kind="flexjob", weeks=weeks)
    await lane.employ(*names(5))
    await lane.release()

    assert await lane.whole("J4") == SUPPRESSED


async def test_who_has_two_jobs_is_one_person_on_each_side(lane: Lane) -> None:
    for person in names(5):
        for number in (1, 2):
            job = f"{person}/{number}/26"
            await lane.contribute("jobs_due", person, contributor=job, kind="flexjob", weeks="26")
            if number == 1 or person in ("P1", "P2"):
                await lane.contribute("jobs_sustained", person, contributor=job, kind="flexjob", weeks="26")
    await lane.release()

    assert await lane.whole("J4") == SUPPRESSED


@pytest.mark.parametrize(("headcount", "shown"), [(8, False), (10, True), (400, True)])
async def test_the_share_of_all_staff_counts_those_who_are_not_in_flexjob_too(
    lane: Lane, headcount: int, shown: bool
) -> None:
    await lane.employ(*names(5))
    for measure, amount in (("headcount", headcount), ("snapshots_taken", 1)):
        await lane.contribute(
            measure, None, str(amount), contributor="Senior", day=date(2026, 4, 1), department="Senior"
        )
    await lane.release()

    assert ((await lane.whole("F2")).value is not None) is shown
