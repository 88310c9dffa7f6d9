"""What every registration is: plain data, with the day on which it is made and the day from which it is true."""

from dataclasses import dataclass, fields
from datetime import date
from string import Formatter
from typing import Any, ClassVar

Json = str | int | bool | list[Any] | dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One registration, made on `registered_on`."""

    path: ClassVar[str]
    registered_on: date

    def request(self) -> tuple[str, dict[str, Json]]:
        """Path and JSON body of the POST; what stands in the path, or is none, stays out of the body."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        elsewhere = {"registered_on", *(name for _, name, _, _ in Formatter().parse(self.path))}
        body = {name: as_json(value) for name, value in values.items() if name not in elsewhere and value is not None}
        return self.path.format_map(values), body


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated(Action):
    """A registration of what is true from `occurred_on`."""

    occurred_on: date


def as_json(value: Any) -> Json:
    """A value as the doors take it: decimals, dates and references are text."""
    match value:
        case int() | str():
            return value
        case tuple():
            return [as_json(each) for each in value]
        case dict():
            return {name: as_json(each) for name, each in value.items()}
        case _:
            return str(value)
