"""Sending events to the gateway: in order within a source, until each is answered, and never one that was accepted."""

import asyncio
import json
import os
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, BinaryIO, Self

import httpx

from chassis.cli import CommandError
from chassis.client import is_problem, reasons_in, told

DOOR = "/v1/events"
SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 15.0
ACCEPTED = 202
AGAIN = frozenset({408, 425, 429})
SERVER_ERRORS = 500
# Neither another event nor another attempt would fare better.
HOPELESS = frozenset({401, 404, 405})
HOPELESS_PROBLEMS = frozenset({"urn:kraftcenter:problem:missing-scope", "urn:kraftcenter:problem:other-municipality"})


class NoAnswer(CommandError):
    """The gateway did not answer for longer than we are willing to wait."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One event on its way: where it stands in the file, who it is, and its bytes."""

    place: str
    source: str
    id: str
    body: bytes
    body_hash: str

    @property
    def key(self) -> str:
        """The Idempotency-Key: the same for the same event, however often it is sent."""
        return sha256(f"{self.source}#{self.id}#{self.body_hash}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Result:
    """What the gateway made of one event: accepted, duplicate, or refused for reasons (place, text)."""

    sending: Sending
    outcome: str
    status: int
    reasons: tuple[tuple[str, str], ...] = ()


class Receipts:
    """A file with a line for each event that a gateway accepted; it is on the disk before the next one is sent.

    Without a path nothing is remembered. A line that a crash cut short is as good as none.
    """

    def __init__(self, path: Path | None, url: str) -> None:
        self._path = path
        self._url = url
        self._file: BinaryIO | None = None
        self._known: set[tuple[str, str, str]] = set()

    def __enter__(self) -> Self:
        """Read what is there, and open the file for more. Raises CommandError."""
        if self._path is None:
            return self
        try:
            before = self._path.read_bytes() if self._path.exists() else b""
            self._known = {key for line in before.splitlines() if (key := self._key_in(line))}
            self._file = self._path.open("ab")
            if before and not before.endswith(b"\n"):
                self._write(b"\n")
        except OSError as error:
            raise CommandError(f"Cannot keep receipts in {self._path}: {error.strerror}.") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def holds(self, sending: Sending) -> bool:
        """Whether this gateway has accepted the event before."""
        return (sending.source, sending.id, sending.body_hash) in self._known

    def add(self, result: Result, received_at: str) -> None:
        """Remember that the event was accepted. Raises CommandError."""
        one = result.sending
        line = {
            "gateway": self._url,
            "source": one.source,
            "id": one.id,
            "body_hash": one.body_hash,
            "outcome": result.outcome,
            "received_at": received_at,
        }
        if self._file:
            try:
                self._write(json.dumps(line).encode() + b"\n")
            except OSError as error:
                raise CommandError(f"Cannot keep receipts in {self._path}: {error.strerror}.") from None

    def _write(self, line: bytes) -> None:
        assert self._file is not None  # noqa: S101 - whoever calls has looked
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())

    def _key_in(self, line: bytes) -> tuple[str, str, str] | None:
        """What the receipt is for, if it is one of this gateway."""
        try:
            receipt = json.loads(line)
            source, id_, body_hash = (str(receipt[name]) for name in ("source", "id", "body_hash"))
            return (source, id_, body_hash) if receipt["gateway"] == self._url else None
        except (ValueError, TypeError, KeyError):
            return None


@dataclass(frozen=True, slots=True)
class Emitter:
    """How events are sent: where to, with whose token, how patiently, and how many sources at once."""

    url: str
    token: str | None
    patience_seconds: float
    sources_at_once: int
    transport: httpx.AsyncBaseTransport | None = None

    async def emit(self, sendings: Sequence[Sending], receipts: Receipts, tell: Callable[[Result], None]) -> None:
        """Send all of them; sources go side by side, the events of one in their order, each result is told.

        Raises CommandError when sending more is of no use, and whatever `tell` raises.
        """
        by_source: dict[str, list[Sending]] = defaultdict(list)
        for one in sendings:
            by_source[one.source].append(one)
        at_once = asyncio.Semaphore(self.sources_at_once)
        async with httpx.AsyncClient(
            base_url=self.url, timeout=SECONDS, headers=self._headers(), transport=self.transport
        ) as client:

            async def in_order(events: Sequence[Sending]) -> None:
                async with at_once:
                    for one in events:
                        tell(await self._settled(client, one, receipts))

            try:
                async with asyncio.TaskGroup() as group:
                    for events in by_source.values():
                        group.create_task(in_order(events))
            except ExceptionGroup as errors:
                raise errors.exceptions[0] from None

    def _headers(self) -> dict[str, str]:
        told_about = {"Accept-Language": "en", "Content-Type": "application/cloudevents+json"}
        return told_about | ({"Authorization": f"Bearer {self.token}"} if self.token else {})

    async def _settled(self, client: httpx.AsyncClient, one: Sending, receipts: Receipts) -> Result:
        response = await self._answered(client, one)
        try:
            answer = response.json()
        except ValueError:
            raise self._no_gateway() from None
        if (
            response.status_code == ACCEPTED
            and isinstance(answer, dict)
            and {"outcome", "received_at"} <= answer.keys()
        ):
            result = Result(one, str(answer["outcome"]), ACCEPTED)
            receipts.add(result, str(answer["received_at"]))
            return result
        if response.is_success or not is_problem(answer):
            raise self._no_gateway()
        if response.status_code in HOPELESS or answer.get("type") in HOPELESS_PROBLEMS:
            raise CommandError(told(answer, response.status_code))
        reasons = reasons_in(answer) or [("", str(answer.get("detail", "")))]
        return Result(one, "refused", response.status_code, tuple(reasons))

    async def _answered(self, client: httpx.AsyncClient, one: Sending) -> httpx.Response:
        """The gateway's answer; while there is none, or it is busy, ask again and again, ever more slowly."""
        until = monotonic() + self.patience_seconds
        attempt = 0
        while True:
            wait = _pause(attempt)
            try:
                response = await client.post(DOOR, content=one.body, headers={"Idempotency-Key": one.key})
                if response.status_code not in AGAIN and response.status_code < SERVER_ERRORS:
                    return response
                wait = _retry_after(response.headers.get("retry-after"), default=wait)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol):
                raise CommandError(f"{self.url} is not an address. Give --url as http://127.0.0.1:8600.") from None
            except httpx.RequestError:
                pass
            if monotonic() + wait > until:
                raise NoAnswer(
                    f"No answer from {self.url}, or it is too busy. Is the gateway running? What was accepted stays so."
                )
            attempt += 1
            await asyncio.sleep(wait)

    def _no_gateway(self) -> CommandError:
        return CommandError(f"{self.url} answers, but not as a gateway. Check --url.")


def _pause(attempt: int) -> float:
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(attempt, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - spreads retries, guards nothing


def _retry_after(header: str | None, *, default: float) -> float:
    """Seconds that the gateway asks us to wait, told as such or as a date; never less than we would have."""
    try:
        if header is None:
            return default
        if header.strip().isdecimal():
            return max(default, float(header))
        return max(default, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return default


def sending_of(place: str, message: dict[str, Any], body: bytes, body_hash: bytes) -> Sending:
    """A message on its way; what has no source or no id is sent all the same, the gateway tells what is wrong."""
    source, id_ = (value if isinstance(value := message.get(name), str) else "" for name in ("source", "id"))
    return Sending(place, source, id_, body, body_hash.hex())
