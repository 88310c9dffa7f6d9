"""A receipt says it all: who has it and a few lines of arithmetic needs no figure, whatever was registered, and when."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import combinations, count
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import tokens
from chassis.calendar import FileCalendar
from chassis.database import Pool
from chassis.migrate import HTTP, migrate
from chassis.wire import seal
from contracts.platform import EventRetracted
from contracts.reach import is_within_reach
from contracts.streams import Stream
from impact.app import build_app
from impact.catalogue import INDICATORS, measures_of
from impact.figures import Value, ask
from impact.fold import Fact
from impact.indicator import Indicator
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.settings import ImpactSettings
from impact.store.figures import figure_at, known, snapshot

TODAY = date(2027, 6, 30)
MEASURES = measures_of(INDICATORS)
MUNICIPALITIES = (f"{number:03}" for number in count(101))
SUMMED = [each for each in INDICATORS if each.reading == "sum" and not each.evaluated_at]
# Around what happens, and around the days on which something is due because of it.
DISTANCES = (-1, 0, 1, 28, 29, 90, 91, 182, 364)

Json = dict[str, Any]
Stories = st.SearchStrategy[list[Fact]]
a_few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def added_up(receipt: Json, by: Sequence[str]) -> tuple[Decimal | None, dict[tuple[str, ...], Decimal | None]]:
    """The figure and its cells, from what the receipt says and nothing else."""
    cells = defaultdict(list)
    for each in receipt["contributions"]:
        cells[tuple(each["dimensions"][name] for name in by)].append(each)
    values = {place: value_of(receipt, contributions) for place, contributions in cells.items()}
    return value_of(receipt, receipt["contributions"]), values if by else {}


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


class Lane:
    """A municipality with a history, and somebody who may ask about it."""

    def __init__(self, pool: Pool, app: FastAPI, calendar: FileCalendar) -> None:
        self.stream = Stream(next(MUNICIPALITIES), "flexjob_pool")
        self.facts: list[Fact] = []
        self._pool, self._app, self._calendar = pool, app, calendar
        self._headers: dict[str, str] = {}

    async def live(self, facts: Sequence[Fact]) -> None:
        """Admit facts in this order: the first is at position 1."""
        self.facts = [*facts]
        numbered = enumerate(facts, start=1)
        deliveries = [Delivery(self.stream.name, number, {}, self._sealed(fact)) for number, fact in numbered]
        await ingest(self._pool, self.stream, deliveries, measures=MEASURES, calendar=self._calendar)
        code = self.stream.municipality
        told = self._app.state.settings.model_copy(update={"municipalities": (code,)})
        self._app.state.settings, now = told, datetime.now(UTC)
        async with self._pool.acquire() as db:
            token = await tokens.issue(db, name=code, municipality=code, scopes=("figures:exact",), now=now)
        self._headers = {"Authorization": f"Bearer {token}"}

    def _sealed(self, fact: Fact) -> bytes:
        source = fact.source.replace(":621:", f":{self.stream.municipality}:")
        lane = {"municipality": self.stream.municipality, "producer": self.stream.producer, "source": source}
        return seal(fact.event, **lane, id=fact.id, time=fact.time, corrects=fact.corrects).body

    def known_at(self, position: int) -> list[Fact]:
        """The facts that take effect; those with an absurd date do not."""
        return [fact for fact in self.facts[:position] if not self._is_absurd(fact)]

    def parked_at(self, position: int) -> int:
        return len([fact for fact in self.facts[:position] if self._is_absurd(fact)])

    def _is_absurd(self, fact: Fact) -> bool:
        return fact.occurred_on is not None and not is_within_reach(fact.occurred_on, TODAY)

    async def receipt(self, indicator: Indicator, question: Json) -> Json:
        """All pages of a receipt as one."""
        transport = httpx.ASGITransport(self._app)
        whole: Json = {"contributions": [], "facts": [], "moved": []}
        async with httpx.AsyncClient(transport=transport, base_url="http://impact", headers=self._headers) as client:
            cursor: int | None = 0
            while cursor is not None:
                answer = await client.get(f"/v1/figures/{indicator.id}/receipt", params={**question, "cursor": cursor})
                assert answer.status_code == 200, answer.text
                page = answer.json()
                assert max(len(page["contributions"]), len(page["moved"])) <= question["limit"]
                facts = [fact for fact in page["facts"] if fact not in whole["facts"]]
                parts = {name: whole[name] + page[name] for name in ("contributions", "moved")}
                whole, cursor = {**page, **parts, "facts": whole["facts"] + facts}, page["next_cursor"]
        assert len(whole["contributions"]) == whole["contributions_in_all"]
        assert len(whole["moved"]) == whole["moved_in_all"]
        return whole

    async def exactly(self, indicator: Indicator, question: Json, position: int) -> Value:
        """The figure with fractions, by the product's own way."""
        days = {
            name: date.fromisoformat(question[at])
            for name, at in (("first", "from"), ("until", "to"))
            if at in question
        }
        as_of = date.fromisoformat(question["as_of"])
        async with snapshot(self._pool) as db:
            lane = await known(db, self.stream.municipality, position)
            return (await figure_at(db, ask(indicator, self.stream.municipality, as_of=as_of, **days), lane)).whole


@pytest.fixture
async def lanes(pool: Pool, database_url: str, tmp_path: Path) -> AsyncIterator[Any]:
    """Makes lanes in one database."""
    (tmp_path / "clock").write_text(f"{TODAY}T08:00:00Z")
    calendar = FileCalendar(tmp_path / "clock")
    await migrate(database_url, [HTTP], clock=calendar)
    nowhere = {"database_url": "postgresql://127.0.0.1:9/none", "nats_url": "nats://127.0.0.1:9"}
    app = build_app(ImpactSettings.model_validate({**nowhere, "port": 0, "clock": f"file:{tmp_path / 'clock'}"}))
    app.state.pool = pool
    yield lambda: Lane(pool, app, calendar)


def cuts_of(indicator: Indicator, chance: Random) -> list[tuple[str, ...]]:
    """None, by each dimension, and by some two of them."""
    names = indicator.dimensions
    return [(), *((name,) for name in names), *chance.sample([*combinations(names, 2)], min(1, len(names) - 1))]


def asked(indicator: Indicator, lane: Lane, chance: Random) -> Json:
    """A question with any date, position and period that the indicator can be asked about."""
    days = [fact.occurred_on for fact in lane.known_at(len(lane.facts)) if fact.occurred_on] or [TODAY]
    as_of = min(chance.choice(days) + timedelta(chance.choice(DISTANCES)), date(2029, 6, 30))
    asked: Json = {
        "as_of": as_of.isoformat(),
        "known_as_of": chance.choice([len(lane.facts), chance.randint(0, len(lane.facts))]),
    }
    if indicator.evaluated_at is None and chance.random() < 0.5:
        first = as_of - timedelta(chance.choice([0, 10, 100, 800]))
        until = first + timedelta(chance.choice([32, 100, 1000]))
        if indicator.kind == "cohort":
            first, until = first.replace(day=1), until.replace(day=1)
        asked |= {"from": first.isoformat()} | ({"to": until.isoformat()} if chance.random() < 0.5 else {})
    return asked


@a_few
@given(data=st.data())
async def test_a_receipt_added_up_gives_the_figure_for_every_indicator_and_cut(
    lanes: Any, stories: Stories, data: st.DataObject
) -> None:
    lane, chance, limit = lanes(), Random(data.draw(st.integers(0, 10**6))), data.draw(st.sampled_from([1, 3, 1000]))
    await lane.live(data.draw(stories.flatmap(st.permutations)))

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
    lane, chance = lanes(), Random(data.draw(st.integers(0, 10**6)))
    await lane.live(data.draw(stories.flatmap(st.permutations)))

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
    lane, chance, limit = lanes(), Random(data.draw(st.integers(0, 10**6))), data.draw(st.sampled_from([2, 1000]))
    await lane.live(data.draw(stories.flatmap(st.permutations)))

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
