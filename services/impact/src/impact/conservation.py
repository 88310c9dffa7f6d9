"""What must close, so that nothing is lost and nothing is left out: accounts with two sides, counted apart. Pure.

Every delivery and every fact is in exactly one count of its account; what a source published must have arrived.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from impact.chronicle import Outcome
from impact.indicator import Bilingual


class Explained(NamedTuple):
    """What an account is about, and what stands on each side."""

    title: Bilingual
    left: str
    right: str


def _explained(danish: str, english: str, left: str, right: str) -> Explained:
    return Explained(Bilingual(danish, english), left, right)


COMPLETENESS = "completeness"
HEARD = "heard"
CATALOGUE = "catalogue"

EXPLAINED: dict[str, Explained] = {
    "deliveries": _explained(
        "Enhver levering er talt ét sted",
        "Every delivery is counted in one place",
        "lane.deliveries",
        "first copies + duplicates + conflicts + unreadable",
    ),
    "positions_allotted": _explained(
        "Enhver position er gået til én indførsel",
        "Every position went to one entry",
        "lane.position",
        "first copies + replays + discards",
    ),
    "first_copies": _explained(
        "Dagens første kopier er dagens fakta",
        "The first copies of a day are its facts",
        "first copies of every stream",
        "facts of every source",
    ),
    "outcomes": _explained(
        "Ethvert faktum har ét udfald",
        "Every fact has one outcome",
        "facts",
        "parked + retracted + superseded + waiting + counted + out_of_scope",
    ),
    COMPLETENESS: _explained(
        "Alt, hvad kilden har udsendt, er nået frem",
        "Everything that the source published has arrived",
        "published, as its last heartbeat says",
        "received, heartbeats aside",
    ),
    "positions": _explained(
        "Positionerne er uden huller", "Positions have no gaps", "lane.position", "ledger rows from 1 to there"
    ),
    "last_position": _explained(
        "Intet står efter den sidste position", "Nothing stands after the last position", "lane.position", "last row"
    ),
    "ledger_by_stream": _explained(
        "Strømmens første kopier står i hovedbogen",
        "The first copies of a stream stand in the ledger",
        "delivery.first_copies",
        "ledger rows",
    ),
    "ledger_by_source": _explained(
        "Kildens fakta står i hovedbogen", "The facts of a source stand in the ledger", "fact_count", "ledger rows"
    ),
    "ledger_columns": _explained(
        "Hovedbogens kolonner siger det samme som meddelelserne",
        "The columns of the ledger say what the bodies say",
        "facts that took effect",
        "with source, id, type, time and day as in the body",
    ),
    "ledger_heartbeats": _explained(
        "Parkerede livstegn står i hovedbogen",
        "Parked heartbeats stand in the ledger",
        "fact_count.heartbeats",
        "ledger rows",
    ),
    "outcome_rows": _explained(
        "Ethvert faktum har præcis én udfaldsrække",
        "Every fact has exactly one outcome row",
        "facts in the ledger",
        "outcome rows",
    ),
    "outcome_counts": _explained(
        "Udfaldene er talt rigtigt", "Outcomes are counted rightly", "outcome_count", "outcome rows"
    ),
    "counted_days": _explained(
        "De fakta, der tæller, er talt rigtigt pr. type og dag",
        "The facts that count are counted rightly by type and day",
        "counted_day",
        "facts in the ledger whose outcome is counted",
    ),
    "parked": _explained(
        "Netop de parkerede fakta er uden virkning",
        "The parked facts, and no others, are without effect",
        "facts parked in the ledger and not replayed",
        "outcome rows that say parked",
    ),
    "histories": _explained(
        "Ethvert faktum står i sine historikker",
        "Every fact stands in its histories",
        "keys in the raw bodies",
        "history rows",
    ),
    "roots": _explained(
        "Netop de gældende versioner gælder i historikkerne",
        "The versions in force, and no others, hold in the histories",
        "history rows",
        "history rows that agree with their fact's outcome",
    ),
    "links": _explained(
        "Enhver rettelse og tilbagetrækning peger på sit mål",
        "Every correction and retraction points at its target",
        "targets in the raw bodies",
        "link rows",
    ),
    "delta_positions": _explained(
        "Enhver delta har et faktum, der trådte i kraft",
        "Every delta has a fact that took effect",
        "delta rows",
        "delta rows with their fact",
    ),
    "ordinals": _explained(
        "Deltaer er nummereret uden huller", "Deltas are numbered without gaps", "last numbers", "delta rows"
    ),
    "sums": _explained(
        "Summerne er deltaernes", "The sums are those of the deltas", "sums of delta rows", "running_sum rows"
    ),
    "evidence": _explained(
        "Ethvert bevis er gemt", "Every piece of evidence is kept", "lane.evidence", "evidence rows"
    ),
    "definitions": _explained(
        "Enhver definition, der har deltaer, føres", "Every definition with deltas is kept", "with deltas", "kept"
    ),
    CATALOGUE: _explained(
        "Banen fører ethvert mål i kataloget",
        "The lane keeps every measure of the catalogue",
        "measures of the catalogue",
        "kept",
    ),
    HEARD: _explained(
        "Enhver kilde med fakta har givet livstegn",
        "A heartbeat was heard of every source with facts",
        "sources with facts",
        "heard of",
    ),
}


@dataclass(frozen=True, slots=True)
class Account:
    """Two counts of the same; `of` says of which stream, source, day or measure, and is empty for the whole lane.

    `odd` is how many rows only one side has, where the rows must agree and not their number alone.
    """

    name: str
    of: str
    left: int
    right: int
    odd: int = 0

    @property
    def closes(self) -> bool:
        """Whether both sides agree."""
        return self.left == self.right and self.odd == 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What a producer last said that it had published of a source; `received_at` is real time, as `sent_at` is."""

    producer: str
    source: str
    published: int
    sent_at: datetime
    received_at: datetime


class Arrival(StrEnum):
    """Whether what a source published has arrived."""

    COMPLETE = "complete"
    MISSING = "missing"
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True)
class Completeness:
    """A source: what came of it, heartbeats aside, and what each of its producers says to have published."""

    source: str
    received: int
    heard: tuple[Heard, ...]

    @property
    def published(self) -> int | None:
        """What all its producers have published; None when none was heard."""
        return sum(beat.published for beat in self.heard) if self.heard else None

    @property
    def missing(self) -> int | None:
        """How many events have not arrived; what came after the heartbeat makes up for none."""
        return None if self.published is None else max(self.published - self.received, 0)

    @property
    def status(self) -> Arrival:
        """What that amounts to."""
        if self.missing is None:
            return Arrival.UNHEARD
        return Arrival.MISSING if self.missing else Arrival.COMPLETE


@dataclass(frozen=True, slots=True)
class DeliveryDay:
    """What a stream delivered on a day of receipt."""

    stream: str
    received_on: date
    first_copies: int
    duplicates: int
    conflicts: int
    unreadable: int

    @property
    def delivered(self) -> int:
        """All of them."""
        return self.first_copies + self.duplicates + self.conflicts + self.unreadable


@dataclass(frozen=True, slots=True)
class FactDay:
    """The facts of a source that came on a day, and what has become of them since."""

    source: str
    received_on: date
    first_copies: int
    outcomes: Mapping[Outcome, int]


@dataclass(frozen=True, slots=True)
class Balance:
    """The account of a lane; `names` are the accounts that were looked at, `open_accounts` those that do not close."""

    names: tuple[str, ...]
    open_accounts: tuple[Account, ...]
    completeness: tuple[Completeness, ...]

    @property
    def balanced(self) -> bool:
        """Whether everything that was received is accounted for."""
        return all(account.name == COMPLETENESS for account in self.open_accounts)

    @property
    def open_in_lane(self) -> tuple[Account, ...]:
        """What does not close by the lane's own rows, whatever sources leave unsaid and definitions are to come."""
        return tuple(each for each in self.open_accounts if each.name not in (COMPLETENESS, HEARD, CATALOGUE))

    @property
    def complete(self) -> bool | None:
        """Whether everything that was published was received; None when nobody can tell."""
        found = {each.status for each in self.completeness}
        if Arrival.MISSING in found:
            return False
        return None if Arrival.UNHEARD in found or not found else True


def completeness_of(received: Mapping[str, int], heard: Iterable[Heard]) -> tuple[Completeness, ...]:
    """Every source that something came of, or that a producer speaks of."""
    beats: dict[str, list[Heard]] = {source: [] for source in received}
    for beat in heard:
        beats.setdefault(beat.source, []).append(beat)
    return tuple(Completeness(source, received.get(source, 0), tuple(said)) for source, said in sorted(beats.items()))


def missing_of(completeness: Iterable[Completeness]) -> list[Account]:
    """The sources of which something has not arrived."""
    return [
        Account(COMPLETENESS, each.source, each.published or 0, each.received) for each in completeness if each.missing
    ]


def heard_of(completeness: Iterable[Completeness]) -> list[Account]:
    """The sources that facts came from, and of which nobody says how many there should be."""
    return [
        Account(HEARD, each.source, 1, 0) for each in completeness if each.status is Arrival.UNHEARD and each.received
    ]
