"""The envelope: CloudEvents 1.0 in structured JSON, with nothing defaulted on the wire."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from contracts.types import Instant, Text, without_personal_number

MAX_BYTES = 64 * 1024
TYPE_PREFIX = "dk.kraftcenter."

EventId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$"), AfterValidator(without_personal_number)]
Source = Annotated[str, StringConstraints(pattern=r"^urn:kraftcenter:[0-9]{3}:[a-z][a-z0-9_]{0,62}$")]
TypeName = Annotated[
    str,
    StringConstraints(pattern=r"^dk\.kraftcenter\.[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}\.v[1-9][0-9]{0,2}$"),
]
Classification = Literal["open", "internal", "confidential", "special_category"]


class Envelope(BaseModel):
    """What every event says about itself; `data` stays untyped until its type is looked up in the catalogue.

    `time` is when the source registered the event; `data.occurred_on` is when it became true.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"]
    id: EventId
    source: Source
    type: TypeName
    subject: Text
    time: Instant
    datacontenttype: Literal["application/json"]
    dataclassification: Classification
    data: dict[str, Any]
    dataschema: Text | None = None
    corrects: EventId | None = None
    correlationid: Text | None = None
    causationid: Text | None = None
    traceparent: Text | None = None

    @property
    def municipality(self) -> str:
        """The municipality code in the source."""
        return self.source.split(":")[2]

    @property
    def name(self) -> str:
        """`<noun>.<verb>`, without prefix and major version."""
        return self.type.removeprefix(TYPE_PREFIX).rpartition(".")[0]

    @property
    def major(self) -> int:
        """The major version of the type."""
        return int(self.type.rpartition(".v")[2])


def source_of(municipality: str, system: str) -> str:
    """The source of a system of a municipality, as `urn:kraftcenter:621:flexjob_pool`."""
    return f"urn:kraftcenter:{municipality}:{system}"
