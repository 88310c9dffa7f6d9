"""What an event model is: typed data, and a contract that says who owns it, on what legal basis, and for how long."""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator

from contracts.envelope import TYPE_PREFIX, Classification, Envelope
from contracts.types import Code, Day, Key


@dataclass(frozen=True, slots=True)
class Opening:
    """The event that must be in force, on the same key, before this one counts."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Contract:
    """What holds for every event of one type, whatever its data."""

    name: str
    owner: str
    legal_basis: str
    retention: str
    classification: Classification
    subject: str
    producers: tuple[str, ...]
    phase: Literal["start", "change", "end"] = "change"
    opened_by: Opening | None = None
    major: int = 1

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"{TYPE_PREFIX}{self.file_stem}"

    @property
    def file_stem(self) -> str:
        """The name of its schema and example files, as `flexjob.started.v1`."""
        return f"{self.name}.v{self.major}"


class Event(BaseModel):
    """The data of an event: frozen, and open, since consumers survive fields that are newer than they are.

    Read together with its envelope (validation context `envelope`), it must agree with it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    contract: ClassVar[Contract]

    @model_validator(mode="after")
    def _agrees_with_its_envelope(self, info: ValidationInfo) -> Self:
        envelope: Envelope | None = (info.context or {}).get("envelope")
        if envelope and envelope.dataclassification != self.contract.classification:
            raise ValueError(f"dataclassification of {self.contract.name} must be {self.contract.classification}")
        if envelope and envelope.corrects and getattr(self, "reason_code", None) is None:
            raise ValueError("a correction must say why, in reason_code")
        return self

    @property
    def about(self) -> str:
        """The producer's own aggregate, for the envelope's `subject`."""
        return self.contract.subject.format_map(self.model_dump())

    @cached_property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """Every history that the event belongs to, as (kind, key)."""
        fields = key_fields(type(self))
        return tuple((kind, str(value)) for field, kind in fields if (value := getattr(self, field)) is not None)


class DatedEvent(Event):
    """An event that became true on a date; `reason_code` says why, and a correction must have one."""

    occurred_on: Day
    reason_code: Code | None = None


@cache
def key_fields(model: type[Event]) -> tuple[tuple[str, str], ...]:
    """The key fields of a model, as (field, kind of history)."""
    return tuple(
        (name, mark.kind)
        for name, field in model.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Key)
    )
