"""A municipality with a history, and somebody who may ask about it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import httpx
from fastapi import FastAPI

from chassis import tokens
from chassis.calendar import FileCalendar
from chassis.database import Pool
from chassis.wire import seal
from contracts.reach import is_within_reach
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.figures import Value, ask
from impact.fold import Fact
from impact.indicator import Indicator
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.store.figures import figure_at, known, snapshot

# What is dated after the latest day is parked; some stories go on for longer.
TODAY, LATEST = date(2026, 6, 30), date(2028, 6, 30)
MEASURES = measures_of(INDICATORS)
MUNICIPALITIES = (f"{number:03}" for number in count(101))

Json = dict[str, Any]


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
        # Whoever asks other municipalities for candidates does so in its own name.
        asking = {"from_municipality": self.stream.municipality} if hasattr(fact.event, "from_municipality") else {}
        event = fact.event.model_copy(update=asking)
        return seal(event, **lane, id=fact.id, time=fact.time, corrects=fact.corrects).body

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
        assert all(Decimal(each["amount"]) for each in whole["contributions"] + whole["moved"])
        assert len(whole["contributions"]) == whole["contributions_in_all"]
        assert len(whole["moved"]) == whole["moved_in_all"]
        return whole

    async def exactly(self, indicator: Indicator, question: Json, position: int) -> Value:
        """The figure with fractions, by the product's own way."""
        as_of, first, until = (
            date.fromisoformat(question[at]) if at in question else None for at in ("as_of", "from", "to")
        )
        assert as_of
        about = ask(indicator, self.stream.municipality, as_of=as_of, first=first, until=until)
        async with snapshot(self._pool) as db:
            return (await figure_at(db, about, await known(db, self.stream.municipality, position))).whole
