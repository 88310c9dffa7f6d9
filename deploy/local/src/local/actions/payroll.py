"""What the payroll system sends to the gateway about its employments, and what a caseworker tells of these."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from local.actions.action import Action, Json, as_json

SOURCE = "sd_loen"
NIGHT_RUN = time(2, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Action):
    """An event that payroll had on `told_on`, and that reaches the gateway when it is registered; perhaps once more."""

    path: ClassVar[str] = "/v1/events"
    type: ClassVar[str]
    classification: ClassVar[str] = "special_category"
    message_id: UUID
    employment_ref: UUID
    told_on: date
    corrects: UUID | None = None
    reason_code: str | None = None

    @property
    def time(self) -> datetime:
        """The instant of payroll's run; nothing else is told of the employment in the same one."""
        return datetime.combine(self.told_on, NIGHT_RUN)

    @property
    def subject(self) -> str:
        """What payroll files it under."""
        return f"employment/{self.employment_ref}"

    def data(self) -> dict[str, Any]:
        """What the event says."""
        return {"reason_code": self.reason_code}

    def event(self, municipality: str) -> dict[str, Json]:
        """The event in CloudEvents' structured JSON."""
        data = {name: as_json(value) for name, value in self.data().items() if value is not None}
        attributes: dict[str, Any] = {
            "specversion": "1.0",
            "id": str(self.message_id),
            "source": f"urn:kraftcenter:{municipality}:{SOURCE}",
            "type": f"dk.kraftcenter.{self.type}.v1",
            "subject": self.subject,
            "time": f"{self.time:%Y-%m-%dT%H:%M:%SZ}",
            "datacontenttype": "application/json",
            "dataclassification": self.classification,
            "data": data,
        }
        return attributes | ({"corrects": str(self.corrects)} if self.corrects else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class EmploymentMessage(Message):
    """What is so in an employment from a day on; it is paid for one placement of one person."""

    placement_id: UUID
    person_ref: UUID
    occurred_on: date

    def data(self) -> dict[str, Any]:
        """What both kinds of message say."""
        names = ("occurred_on", "employment_ref", "placement_id", "person_ref")
        return Message.data(self) | {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWorkingTime(EmploymentMessage):
    """The share of full time that is paid from `occurred_on` until the day before `ends_on`, or without end."""

    type: ClassVar[str] = "payroll.working_time_changed"
    occupation_rate: Decimal
    ends_on: date | None = None

    def data(self) -> dict[str, Any]:
        """The interval."""
        interval = {"occupation_rate": self.occupation_rate, "ends_on": self.ends_on}
        return EmploymentMessage.data(self) | interval


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEmployment(EmploymentMessage):
    """The employment is over from `occurred_on`, the day after its last day."""

    type: ClassVar[str] = "payroll.employment_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(Message):
    """An earlier message never was."""

    type: ClassVar[str] = "event.retracted"
    classification: ClassVar[str] = "internal"
    taken_back: UUID

    @property
    def subject(self) -> str:
        """The event that is gone."""
        return f"event/{self.taken_back}"

    def data(self) -> dict[str, Any]:
        """Which one, and why."""
        return Message.data(self) | {"event_id": self.taken_back}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchEmployment(Action):
    """A caseworker says which flexjob an employment pays for that payroll knew under another id."""

    path: ClassVar[str] = "/v1/payroll/employments/{employment_ref}/match"
    employment_ref: UUID
    placement_id: UUID
