"""What a contender is: a process that reads a stream, and what it promises of what it writes."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Flag, auto

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from chassis.calendar import Calendar, calendar_of
from chassis.provision import MAX_ACK_PENDING
from contracts.streams import Stream

ACK_WAIT_SECONDS = 30.0


class Promise(Flag):
    """What the gate holds a contender to."""

    NOTHING = 0
    LEDGER = auto()  # each event once, as it was told, and every delivery accounted for
    ROWS = auto()  # every row that follows is what telling the ledger again gives
    FIGURES = auto()  # every figure is what the second implementation says
    ALL = LEDGER | ROWS | FIGURES


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contender works."""

    database_url: str
    nats_url: str
    stream: Stream
    clock: str
    port: int = 0

    @property
    def env(self) -> dict[str, str]:
        """The same for the process of a contender of the bench's own."""
        return {
            "BENCH_DATABASE_URL": self.database_url,
            "BENCH_NATS_URL": self.nats_url,
            "BENCH_MUNICIPALITY": self.stream.municipality,
            "CLOCK": self.clock,
        }

    @property
    def calendar(self) -> Calendar:
        """What dates its records."""
        return calendar_of(self.clock)


def here() -> Place:
    """Where this process was told to work."""
    told = os.environ
    stream = Stream(told["BENCH_MUNICIPALITY"], "flexjob_pool")
    return Place(told["BENCH_DATABASE_URL"], told["BENCH_NATS_URL"], stream, told["CLOCK"])


def _own_settings(place: Place) -> Mapping[str, str]:
    return place.env


@dataclass(frozen=True, slots=True)
class Contender:
    """A module that is run as a process, and the consumer that it reads by."""

    name: str
    promise: Promise
    module: str
    durable: str
    arguments: tuple[str, ...] = ()
    ack_policy: AckPolicy = AckPolicy.EXPLICIT
    deliver_subject: str | None = None
    at_once: int = MAX_ACK_PENDING
    # Impact would not believe a consumer that begins at the end; FastStream's pulling dies of one that pauses.
    held_by_pause: bool = False
    settings: Callable[[Place], Mapping[str, str]] = _own_settings

    @property
    def argv(self) -> list[str]:
        """How to start it."""
        return [sys.executable, "-m", self.module, *self.arguments]

    @property
    def consumer(self) -> ConsumerConfig:
        """From the first message on, as impact's is provisioned."""
        return ConsumerConfig(
            durable_name=self.durable,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=self.ack_policy,
            ack_wait=ACK_WAIT_SECONDS,
            max_deliver=-1,
            max_ack_pending=self.at_once,
            deliver_subject=self.deliver_subject,
        )
