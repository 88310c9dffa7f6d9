"""Events that every producer may emit: a retraction, and the heartbeat that makes completeness checkable."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict

from contracts.envelope import EventId, Source
from contracts.event import Contract, Event
from contracts.types import Code, Count, OfList

ANY_PRODUCER = ("partnerships", "flexjob_pool", "volunteering", "gateway")


class EventRetracted(Event):
    """An event of the same source never happened; all its effects vanish from all periods."""

    contract: ClassVar = Contract(
        name="event.retracted",
        owner="The source's data owner",
        legal_basis="GDPR art. 5(1)(d), accuracy",
        retention="As the retracted event",
        classification="internal",
        subject="event/{event_id}",
        producers=ANY_PRODUCER,
    )

    event_id: EventId
    reason_code: Annotated[Code, OfList("retraction_reason")]


class Published(BaseModel):
    """How many events of one source a producer has ever put into its outbox, heartbeats aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: Source
    events: Count


class ServiceHeartbeat(Event):
    """A producer lives, and tells what it has published; received must catch up with it. Enters no ledger."""

    contract: ClassVar = Contract(
        name="service.heartbeat",
        owner="Operations",
        legal_basis="None: no personal data",
        retention="One hour in the outbox, 400 days on the stream",
        classification="internal",
        subject="service/{producer}",
        producers=ANY_PRODUCER,
    )

    producer: Code
    published: tuple[Published, ...]
