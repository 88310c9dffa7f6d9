"""How the account of a lane is shown; the field descriptions are what the API's document says."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from impact.conservation import Arrival

EXAMPLE: JsonDict = {
    "municipality": "621",
    "position": 2,
    "recorded_at": "2026-06-30T08:00:00Z",
    "thorough": False,
    "balanced": True,
    "complete": False,
    "deliveries": {
        "total": {"delivered": 4, "first_copies": 2, "duplicates": 1, "conflicts": 0, "unreadable": 1},
        "days": [
            {
                "stream": "EVENTS_621_FLEXJOB_POOL",
                "received_on": "2026-06-30",
                "delivered": 4,
                "first_copies": 2,
                "duplicates": 1,
                "conflicts": 0,
                "unreadable": 1,
            }
        ],
    },
    "facts": {
        "total": {
            "first_copies": 2,
            "parked": 0,
            "retracted": 0,
            "superseded": 0,
            "waiting": 1,
            "counted": 1,
            "out_of_scope": 0,
        },
        "days": [
            {
                "source": "urn:kraftcenter:621:flexjob_pool",
                "received_on": "2026-06-30",
                "first_copies": 2,
                "parked": 0,
                "retracted": 0,
                "superseded": 0,
                "waiting": 1,
                "counted": 1,
                "out_of_scope": 0,
            }
        ],
    },
    "completeness": [
        {
            "source": "urn:kraftcenter:621:flexjob_pool",
            "status": "missing",
            "published": 3,
            "received": 2,
            "missing": 1,
            "heartbeats": [
                {
                    "producer": "flexjob_pool",
                    "published": 3,
                    "sent_at": "2026-06-30T08:00:05Z",
                    "received_at": "2026-06-30T08:00:05.012Z",
                }
            ],
        }
    ],
    "checked": ["deliveries", "positions_allotted", "first_copies", "outcomes", "completeness"],
    "open": [
        {
            "account": "completeness",
            "title": {
                "da": "Alt, hvad kilden har udsendt, er nået frem",
                "en": "Everything that the source published has arrived",
            },
            "of": "urn:kraftcenter:621:flexjob_pool",
            "left": {"is": "published, as its last heartbeat says", "count": 3},
            "right": {"is": "received, heartbeats aside", "count": 2},
            "odd": 0,
        }
    ],
}


class Texts(BaseModel):
    """A text in Danish and English."""

    da: str
    en: str


class DeliveryCounts(BaseModel):
    """delivered = first_copies + duplicates + conflicts + unreadable."""

    model_config = ConfigDict(from_attributes=True)

    delivered: int
    first_copies: int = Field(description="Became facts.")
    duplicates: int = Field(description="Known already, and changed nothing.")
    conflicts: int = Field(description="Had a known id and another body; kept as evidence.")
    unreadable: int = Field(description="Had no valid envelope; kept as evidence.")


class DeliveryDayShown(DeliveryCounts):
    """The deliveries of one stream on one Danish day of receipt."""

    stream: str
    received_on: date


class DeliveriesShown(BaseModel):
    """Every delivery there ever was."""

    total: DeliveryCounts
    days: list[DeliveryDayShown] = Field(description="The latest day first.")


class FactCounts(BaseModel):
    """first_copies = parked + retracted + superseded + waiting + counted + out_of_scope: the first that applies."""

    first_copies: int
    parked: int = Field(description="Cannot be counted as it is: see /v1/ledger/parked.")
    retracted: int = Field(description="Never happened, says its source.")
    superseded: int = Field(description="A later correction holds.")
    waiting: int = Field(description="What must be in force first is not: see /v1/ledger/waiting.")
    counted: int = Field(description="A rule reads it, or it is a correction or retraction that took effect.")
    out_of_scope: int = Field(description="A known type that no rule reads.")


class FactDayShown(FactCounts):
    """The facts of one source that came on one Danish day, and what has become of them since."""

    source: str
    received_on: date


class FactsShown(BaseModel):
    """Every fact there is."""

    total: FactCounts
    days: list[FactDayShown] = Field(description="The latest day first.")


class HeardShown(BaseModel):
    """What a producer last said."""

    model_config = ConfigDict(from_attributes=True)

    producer: str
    published: int = Field(description="Events of the source that it had ever published, heartbeats aside.")
    sent_at: datetime
    received_at: datetime


class CompletenessShown(BaseModel):
    """Whether everything that a source published has arrived."""

    model_config = ConfigDict(from_attributes=True)

    source: str
    status: Arrival = Field(description="unheard: facts came from it, and no heartbeat speaks of it.")
    published: int | None = Field(description="The sum of the heartbeats; null when none was heard.")
    received: int = Field(description="First copies, heartbeats aside; more than published when some came since.")
    missing: int | None = Field(description="published - received, not below 0; null when none was heard.")
    heartbeats: list[HeardShown] = Field(validation_alias="heard")


class Side(BaseModel):
    """One side of an account."""

    is_: str = Field(serialization_alias="is", description="What is counted.")
    count: int


class AccountShown(BaseModel):
    """An account that does not close."""

    account: str
    title: Texts
    of: str = Field(description="Which stream, source, day, kind of history or measure; empty for the whole lane.")
    left: Side
    right: Side
    odd: int = Field(description="Rows that only one side has, or has otherwise, where not their number alone counts.")


class BalanceShown(BaseModel):
    """The account of a municipality's lane at one position."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    municipality: str
    position: int = Field(description="How many positions have been allotted, without gaps.")
    recorded_at: datetime | None = Field(description="When the last one was; null before the first.")
    thorough: bool
    balanced: bool = Field(description="Everything that was received is accounted for.")
    complete: bool | None = Field(
        description="Everything that was published was received; null when a source was not heard, or none was."
    )
    deliveries: DeliveriesShown
    facts: FactsShown
    completeness: list[CompletenessShown]
    checked: list[str] = Field(description="The accounts that were looked at.")
    open_: list[AccountShown] = Field(serialization_alias="open", description="Those of them that do not close.")
