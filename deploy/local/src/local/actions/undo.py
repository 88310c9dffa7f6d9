"""What was registered wrongly: corrected, or taken back. The driver knows the events that an action became."""

from dataclasses import dataclass
from typing import Any, ClassVar

from local.actions.action import Action, Json, as_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct(Action):
    """New values, by field, for what an action said when it was first made; `action` may be a correction itself."""

    path: ClassVar[str] = "/v1/events/{event_id}/corrections"
    action: Action
    reason_code: str
    values: tuple[tuple[str, Any], ...]

    def request(self) -> tuple[str, dict[str, Json]]:
        """A path with a place for the event's id, and what is new."""
        return self.path, {"reason_code": self.reason_code, "values": as_json(dict(self.values))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Retract(Action):
    """What an action said never happened; of a correction: the version before it holds again."""

    path: ClassVar[str] = "/v1/events/{event_id}/retraction"
    action: Action
    reason_code: str

    def request(self) -> tuple[str, dict[str, Json]]:
        """A path with a place for the event's id, and why."""
        return self.path, {"reason_code": self.reason_code}
