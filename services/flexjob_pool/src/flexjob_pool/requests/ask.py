"""What every request has in common; an unknown field is refused rather than overlooked."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from contracts.types import Day, HoursPerWeek, Ore

# More than none, and no more than a week has: as JSON Schema can say it of a text.
WORKED = r"^(0\.(0[1-9]|[1-9]\d?)|([1-9]\d?|1[0-5]\d|16[0-7])(\.\d{1,2})?|168(\.00?)?)$"

HoursWorked = Annotated[
    HoursPerWeek, Field(gt=0), WithJsonSchema({"type": "string", "pattern": WORKED, "x-unit": "h/week"})
]
Money = Annotated[Ore, Field(gt=0)]
Months = Annotated[int, Field(strict=True, ge=1, le=120)]


class Ask(BaseModel):
    """Whatever is asked became or becomes true on a date, in Denmark."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    noun: ClassVar[str]
    """The type of the resource that is decided on."""
    named: ClassVar[str] = ""
    """The field of a body that may name a new resource; its id is minted when it is absent."""
    within: ClassVar[str] = ""
    """The field that the address fills in and no body has."""
    beside: ClassVar[frozenset[str]] = frozenset()
    """What is shared with decisions on other resources: `rules`, `money`."""
    by_itself: ClassVar[bool] = False
    """Whether the service asks it by itself, so that it stands in nobody's way when a story is told again."""
    stated_later: ClassVar[frozenset[str]] = frozenset()
    """The fields of what the service asks by itself that somebody may state by a correction."""

    occurred_on: Day


RULES = frozenset({"rules"})
MONEY = frozenset({"money"})
