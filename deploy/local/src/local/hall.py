"""A municipality on a running stack: its own doors, its lane of impact, and others' keys, which must not fit."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import nats

from local.comparison import Line, compare
from local.expected.answers import Answers, Pair
from local.pipeline import Pipeline
from local.plan.story import Year
from local.simulator import Office
from local.stack import Stack

ANSWER_SECONDS = 60
# Less than the five seconds after which a service closes an idle connection: none is used just as it goes.
IDLE_SECONDS = 2
TURNED_AWAY = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}


class AskingAgain(httpx.AsyncHTTPTransport):
    """Asks once more where a connection closed before the answer: what is sent has a key, or changes nothing."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and if its connection is lost, send it again over another."""
        try:
            return await super().handle_async_request(request)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            return await super().handle_async_request(request)


class Stranger(Exception):
    """A door opened to the token of another municipality."""


@dataclass(frozen=True, slots=True)
class Hall:
    """One municipality: whoever registers its year, and who asks for its figures."""

    office: Office
    impact: httpx.AsyncClient

    @property
    def year(self) -> Year:
        """The year that it lives through."""
        return self.office.year

    @property
    def municipality(self) -> str:
        """Its code."""
        return self.year.town.municipality

    async def compare(self, answers: Answers, pair: Pair) -> list[Line]:
        """Every value of its figures at a pair of days, beside what it must be."""
        as_of, known_on = pair
        expected = await answers.of(self.municipality, pair)
        return await compare(self.impact, expected, municipality=self.municipality, as_of=as_of, known_on=known_on)

    async def account(self) -> dict[str, Any]:
        """What impact was delivered from it, and what became of that, as /v1/ledger/balance tells."""
        answer = await self.impact.get("/v1/ledger/balance", params={"municipality": self.municipality})
        account: dict[str, Any] = answer.raise_for_status().json()
        return account

    async def turns_away(self, tokens: Iterable[str]) -> None:
        """Return when none of these tokens opens a door here. Raises Stranger for one that does."""
        for token in tokens:
            headers = {"Authorization": f"Bearer {token}"}
            own = {"municipality": self.municipality}
            for door, path in (
                (self.office.pool, "/v1/flexjobs"),
                (self.office.gateway, "/v1/rejections"),
                (self.impact, "/v1/ledger/balance"),
                (self.impact, "/v1/figures/J1/receipt"),
            ):
                answer = await door.get(path, headers=headers, params=own if door is self.impact else None)
                if answer.status_code not in TURNED_AWAY:
                    raise Stranger(f"{path} of {self.municipality} answered another's token: {answer.status_code}")


@asynccontextmanager
async def halls(stack: Stack, years: Sequence[Year]) -> AsyncIterator[list[Hall]]:
    """The municipalities that live on a stack, their doors open."""
    async with AsyncExitStack() as opened:
        bus = await nats.connect(stack.nats_url)
        opened.push_async_callback(bus.close)
        found = []
        for year in years:
            code = year.town.municipality
            headers = {"Authorization": f"Bearer {stack.tokens[code]}"}
            pool, gateway, impact = [
                await opened.enter_async_context(
                    httpx.AsyncClient(
                        base_url=stack.url_of(name, code),
                        headers=headers,
                        timeout=ANSWER_SECONDS,
                        transport=AskingAgain(limits=httpx.Limits(keepalive_expiry=IDLE_SECONDS)),
                    )
                )
                for name in ("flexjob_pool", "gateway", "impact")
            ]
            pipeline = Pipeline(code, pool=pool, gateway=gateway, jetstream=bus.jetstream())
            found.append(Hall(Office(year, pool, gateway, pipeline), impact))
        yield found
