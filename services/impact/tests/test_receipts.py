"""A receipt says it all: a few lines of arithmetic on it give the figure, whatever was registered, and when."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from random import Random
from statistics import median
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chassis.calendar import FileCalendar
from chassis.database import Pool
from contracts.catalogue import BY_TYPE
from contracts.platform import EventRetracted
from impact.app import build_app
from impact.catalogue import INDICATORS
from impact.fold import Fact
from impact.indicator import Indicator
from impact.settings import ImpactSettings
from services.impact.tests.inquirer import LATEST, TODAY, Json, Lane

POOL = "urn:kraftcenter:621:flexjob_pool"
SUMMED = [each for each in INDICATORS if each.reading == "sum" and not each.evaluated_at]
# Around what happens, and around the days on which something is due because of it.
DISTANCES = (-1, 0, 1, 28, 29, 90, 91, 182, 364)
EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"
# Something of every indicator; keys 1 to 3 are those of the stories.
FULL_LIFE: list[tuple[str, str, dict[str, Any]]] = [
    ("workforce.snapshot_taken", "2026-12-01", {"department": "Senior"}),
    ("workforce.snapshot_taken", "2027-03-01", {"department": "Senior", "headcount": 1900}),
    ("workforce.snapshot_taken", "2027-02-01", {"department": "Børn"}),
    ("workforce.snapshot_taken", "2029-03-01", {"department": "Senior"}),
    ("pool.budget_allocated", "2026-12-01", {"budget_id": 11, "fiscal_year": 2027}),
    ("grant.committed", "2026-12-02", {"grant_id": 11, "allocations": [{"fiscal_year": 2027, "amount_ore": 3328000}]}),
    ("need.reported", "2026-12-01", {"need_id": 11}),
    ("need.reported", "2026-12-10", {"need_id": 1, "department": "Børn"}),
    ("flexjob.started", "2027-01-01", {"placement_id": 11, "person_ref": 11, "need_id": 11}),
    ("flexjob.hours_changed", "2027-02-01", {"placement_id": 11, "person_ref": 11}),
    (
        "flexjob.review_due",
        "2027-01-02",
        {"placement_id": 11, "person_ref": 11, "review_id": 11, "due_on": "2027-03-01"},
    ),
    ("flexjob.review_held", "2027-02-20", {"placement_id": 11, "person_ref": 11, "review_id": 11}),
    ("flexjob.started", "2026-12-01", {"placement_id": 12, "person_ref": 1, "need_id": 1}),
    ("flexjob.ended", "2027-04-01", {"placement_id": 12, "person_ref": 1, "reason_code": "ordinary_job"}),
    ("placement.started", "2026-12-01", {"placement_id": 13, "person_ref": 2, "partnership_id": None}),
    ("placement.hours_changed", "2027-01-10", {"placement_id": 13, "person_ref": 2}),
    ("job7.candidate_requested", "2026-12-01", {"request_id": 11}),
    ("job7.candidate_placed", "2027-01-15", {"request_id": 11, "person_ref": 3, "placement_id": 14}),
]
Stories = st.SearchStrategy[list[Fact]]
# Each example is a lane of its own and some fifty questions; to shrink one takes minutes.
a_few = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# What is asked about a story: hypothesis draws it as a whole.
CHANCES = st.randoms(use_true_random=True)


def registered(number: int, name: str, day: str, said: Json) -> Fact:
    """An event as its published example has it, but for what is said; numbers become ids."""
    message = json.loads((EXAMPLES / f"{name}.v1.json").read_text(encoding="utf-8"))
    ids = {key: str(UUID(int=value)) for key, value in said.items() if key.endswith(("_id", "_ref")) and value}
    event = BY_TYPE[message["type"]].model_validate(
        {"reason_code": "late_information", **message["data"], "occurred_on": day, **said, **ids}
    )
    return Fact(0, POOL, f"full-{number}", message["type"], datetime(2026, 12, 1, 9, tzinfo=UTC), event)


def admitted(data: st.DataObject, stories: Stories) -> list[Fact]:
    """A full life and a story, in any order; most often the story is about the same persons."""
    life = [registered(number, *line) for number, line in enumerate(FULL_LIFE)]
    told = data.draw(stories)
    # Corrections and retractions of the life as well.
    for number, fact in enumerate(data.draw(st.lists(st.sampled_from(life), max_size=4, unique_by=id))):
        if data.draw(st.booleans()):
            undo = EventRetracted(event_id=fact.id, reason_code="double_entry")
            told.append(replace(fact, id=f"undo-{number}", type=undo.contract.type, event=undo))
        else:
            told.append(replace(fact, id=f"again-{number}", corrects=fact.id))
    return data.draw(st.permutations(life + told))


def added_up(receipt: Json, by: Sequence[str]) -> tuple[Decimal | None, dict[tuple[str, ...], Decimal | None]]:
    """The figure and its cells, from what the receipt says and nothing else."""
    cells = defaultdict(list)
    for each in receipt["contributions"]:
        cells[tuple(each["dimensions"][name] for name in by)].append(each)
    values = {place: value_of(receipt, contributions) for place, contributions in cells.items()}
    held = receipt["held"].items()
    whole = [each for each in receipt["contributions"] if held <= each["dimensions"].items()]
    return value_of(receipt, whole), values if by else {}


def value_of(receipt: Json, contributions: Iterable[Json]) -> Decimal | None:
    above, below = defaultdict[str, Fraction](Fraction), defaultdict[str, Fraction](Fraction)
    for each in contributions:
        side = above if each["role"] == "numerator" else below
        side[each["contributor"]] += Fraction(each["amount"])
    if receipt["reading"] == "median":
        return rounded(median(above[name] for name in below)) if below else None
    over = sum(above.values()) / Fraction(receipt["divisor"])
    if receipt["figure"]["denominator"] is None:
        return rounded(over / Fraction(receipt["days"] or 1))
    under = sum(below.values())
    return rounded(over / under) if under else None


def rounded(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.000001"), ROUND_HALF_UP)


class Plain:
    """What becomes of facts by the words of the definition: no memory, nothing in common with the product."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.facts = facts
        self.by_id = {(fact.source, fact.id): fact for fact in facts}

    def left_out(self, fact: Fact) -> tuple[str | None, set[str | None]]:
        """Why a rule does not see a fact, and which events may be named for it."""
        if (root := self.root_of(fact)) is None:
            return "waiting", {None}
        if retractions := self.retractions_of(root) or self.retractions_of(fact):
            return "retracted", {*retractions}
        if (version := self.version_of(root)) is not fact:
            return "superseded", {version.id}
        return (None if self.is_open(fact) else "waiting"), {None}

    def root_of(self, fact: Fact) -> Fact | None:
        passed = [fact]
        while passed[-1].corrects:
            found = self.by_id.get((fact.source, passed[-1].corrects))
            if found is None or found.type != fact.type or found in passed:
                return None
            passed.append(found)
        return passed[-1]

    def retractions_of(self, fact: Fact) -> list[str]:
        told = [each for each in self.facts if each.source == fact.source and isinstance(each.event, EventRetracted)]
        return [each.id for each in told if each.event.event_id == fact.id]  # type: ignore[attr-defined] # told above

    def version_of(self, root: Fact) -> Fact:
        chain = [each for each in self.facts if each.corrects and self.root_of(each) is root]
        holding = [each for each in chain if not self.retractions_of(each)]
        return max(holding, key=lambda each: (each.time, each.id.encode()), default=root)

    def is_open(self, fact: Fact) -> bool:
        opening, keys = fact.event.contract.opened_by, dict(fact.event.keys)
        return opening is None or any(
            each.event.contract.name == opening.name
            and dict(each.event.keys)[opening.key] == keys[opening.key]
            and (root := self.root_of(each)) is not None
            and not self.retractions_of(root)
            and self.version_of(root) is each
            for each in self.facts
        )


@pytest.fixture
async def lanes(pool: Pool, tmp_path: Path) -> Any:
    """Makes lanes in one database."""
    (tmp_path / "clock").write_text(f"{TODAY}T08:00:00Z")
    calendar = FileCalendar(tmp_path / "clock")
    nowhere = {"database_url": "postgresql://127.0.0.1:9/none", "nats_url": "nats://127.0.0.1:9"}
    app = build_app(ImpactSettings.model_validate({**nowhere, "port": 0, "clock": f"file:{tmp_path / 'clock'}"}))
    app.state.pool = pool
    return lambda: Lane(pool, app, calendar)


def cuts_of(indicator: Indicator, chance: Random) -> list[tuple[str, ...]]:
    """None, by each dimension, and by some two of them."""
    pairs = [*combinations(indicator.dimensions, 2)]
    return [(), *((name,) for name in indicator.dimensions), *chance.sample(pairs, min(1, len(pairs)))]


def asked(indicator: Indicator, lane: Lane, chance: Random) -> Json:
    """A question with any date, position and period that the indicator can be asked about."""
    days = [fact.occurred_on for fact in lane.known_at(len(lane.facts)) if fact.occurred_on] or [TODAY]
    as_of = min(chance.choice(days) + timedelta(chance.choice(DISTANCES)), LATEST - timedelta(60))
    asked: Json = {
        "as_of": as_of.isoformat(),
        "known_as_of": chance.choice([len(lane.facts), chance.randint(0, len(lane.facts))]),
    }
    if indicator.evaluated_at is None and chance.random() < 0.5:
        first = as_of - timedelta(chance.choice([0, 10, 100, 800]))
        until = min(first + timedelta(chance.choice([32, 100, 1000])), LATEST)
        if indicator.kind == "cohort":
            first, until = first.replace(day=1), until.replace(day=1)
        asked |= {"from": first.isoformat()} | ({"to": until.isoformat()} if chance.random() < 0.5 else {})
    return asked


@a_few
@given(data=st.data())
async def test_a_receipt_added_up_gives_the_figure_for_every_indicator_and_cut(
    lanes: Any, stories: Stories, data: st.DataObject
) -> None:
    lane, chance, limit = lanes(), data.draw(CHANCES), data.draw(st.sampled_from([1, 3, 1000]))
    await lane.live(admitted(data, stories))

    for indicator in INDICATORS:
        for by in cuts_of(indicator, chance):
            cut = {"by": ",".join(by)} if by else {}
            receipt = await lane.receipt(indicator, {**asked(indicator, lane, chance), **cut, "limit": limit})
            value, cells = added_up(receipt, by)
            shown = {
                tuple(cell["dimensions"][name] for name in by): cell["value"] for cell in receipt["figure"]["cells"]
            }
            assert value == number(receipt["figure"]["value"])
            assert {place: cells.pop(place) for place in shown} == {
                place: number(text) for place, text in shown.items()
            }
            # A cell in which everything evens out is not shown.
            assert not any(cells.values())


def number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@a_few
@given(data=st.data())
async def test_a_receipt_tells_every_fact_of_its_histories_and_why_any_is_left_out(
    lanes: Any, stories: Stories, data: st.DataObject
) -> None:
    lane, chance = lanes(), data.draw(CHANCES)
    await lane.live(admitted(data, stories))

    for indicator in INDICATORS:
        question = asked(indicator, lane, chance)
        receipt = await lane.receipt(indicator, {**question, "limit": 1000})
        facts = lane.known_at(question["known_as_of"])
        plain, behind = Plain(facts), {history_of(each) for each in receipt["contributions"]}
        expected = {
            (history, fact.id): plain.left_out(fact)
            for fact in facts
            for history in set(fact.keys) & behind
            if type(fact.event) in indicator.sources
        }
        told = {(history_of(fact), fact["id"]): fact for fact in receipt["facts"]}
        assert len(told) == len(receipt["facts"])
        assert {place: fact["left_out"] for place, fact in told.items()} == {p: why for p, (why, _) in expected.items()}
        assert all(fact["instead"] in expected[place][1] for place, fact in told.items())
        assert sum(receipt["parked"].values()) == lane.parked_at(question["known_as_of"])


def history_of(shown: Json) -> tuple[str, str]:
    return shown["history"]["kind"], shown["history"]["key"]


@a_few
@given(data=st.data())
async def test_what_moved_a_figure_adds_up_to_the_difference(lanes: Any, stories: Stories, data: st.DataObject) -> None:
    lane, chance, limit = lanes(), data.draw(CHANCES), data.draw(st.sampled_from([2, 1000]))
    await lane.live(admitted(data, stories))

    for indicator in SUMMED:
        question = asked(indicator, lane, chance)
        position = question["known_as_of"]
        since = chance.randint(0, position)
        receipt = await lane.receipt(indicator, {**question, "since": since, "limit": limit})
        after, before = [await lane.exactly(indicator, question, at) for at in (position, since)]
        days = receipt["days"] or 1
        moved = {"numerator": Fraction(), "denominator": Fraction()}
        for cause in receipt["moved"]:
            moved[cause["role"]] += Fraction(cause["amount"]) / days
            assert since < cause["position"] <= position
            assert cause["id"] == lane.facts[cause["position"] - 1].id
        assert moved["numerator"] / Fraction(receipt["divisor"]) == difference(after.over, before.over)
        assert moved["denominator"] == difference(after.under, before.under)


def difference(after: Fraction | None, before: Fraction | None) -> Fraction:
    return (after or Fraction()) - (before or Fraction())
