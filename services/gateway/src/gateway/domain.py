"""Whether what somebody tells is let in: who may tell what, and what is the same, another, or a second thing."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from contracts.platform import EventRetracted

RETRACTION = EventRetracted.contract.type


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong, in both languages, and where: a JSON pointer from the root of the event."""

    pointer: str
    danish: str
    english: str


OTHER_MUNICIPALITY = Reason("/source", "hører til en anden kommune", "is of another municipality")
NOT_REGISTERED = Reason("/source", "er ikke registreret her", "is not registered here")
REVOKED = Reason("/source", "må ikke længere sende", "may send no longer")
OTHER_TOKEN = Reason("/source", "er registreret til et andet token", "is registered with another token")
OTHER_TYPE = Reason(
    "/type", "er ikke blandt de typer, som kilden må sende", "is not among the types that the source may send"
)
CONFLICT = Reason(
    "/id",
    "er brugt til en anden hændelse fra samme kilde; den første står ved magt",
    "was used for another event of the same source; the first one stands",
)


@dataclass(frozen=True, slots=True)
class Source:
    """A system of the municipality that may tell something, of some types, with one token."""

    source: str
    types: frozenset[str]
    token_name: str
    revoked: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What arrived: who sent it, what it says about itself as far as that is well-formed, and what is wrong with it."""

    token_name: str
    source: str | None
    id: str | None
    type: str | None
    body_hash: bytes | None
    faults: tuple[Reason, ...]


class Outcome(StrEnum):
    """What becomes of what is let in; a second copy changes nothing."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"


class Refused(Exception):
    """It is not let in, for all these reasons."""

    status: ClassVar[int]

    def __init__(self, reasons: tuple[Reason, ...]) -> None:
        super().__init__()
        self.reasons = reasons


class NotAllowed(Refused):
    """Whoever sent it may not tell this."""

    status = 403


class Invalid(Refused):
    """It is no event of the contract."""

    status = 422


class Conflict(Refused):
    """It is well-formed, and its id stands for something else."""

    status = 409


def decide(told: Told, registered: Source | None, known_hash: bytes | None, *, municipality: str) -> Outcome:
    """Let it in, or not. `known_hash` is of the event that was let in under its source and id.

    A copy of what was let in is one, even if it would not be let in any more. Raises Refused with all reasons.
    """
    if not_allowed := tuple(_reasons_against_sender(told, registered, municipality)):
        raise NotAllowed((*not_allowed, *told.faults))
    if told.source and known_hash is not None and known_hash == told.body_hash:
        return Outcome.DUPLICATE
    conflict = () if known_hash is None else (CONFLICT,)
    if told.faults:
        raise Invalid((*told.faults, *conflict))
    if conflict:
        raise Conflict(conflict)
    return Outcome.ACCEPTED


def _reasons_against_sender(told: Told, registered: Source | None, municipality: str) -> Iterator[Reason]:
    """A source that is no source at all is told by the faults already."""
    if told.source is None:
        return
    if told.source.split(":")[2] != municipality:
        yield OTHER_MUNICIPALITY
    elif registered is None:
        yield NOT_REGISTERED
    else:
        if registered.revoked:
            yield REVOKED
        if registered.token_name != told.token_name:
            yield OTHER_TOKEN
        if told.type and told.type != RETRACTION and told.type not in registered.types:
            yield OTHER_TYPE
