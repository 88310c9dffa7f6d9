"""Why the pool says no, for a caseworker: a docstring is the English text. No value about a person is echoed.

Here is what every noun may be refused for; the modules beside are by noun.
"""

from collections.abc import Iterable
from typing import ClassVar, Self


class Refusal(Exception):
    """What was asked breaks a rule; `field` names what it concerns in the request, empty for the whole of it."""

    danish: ClassVar[str]
    field: str = ""

    def __init__(self, **facts: object) -> None:
        self.in_english = (self.__doc__ or "").format(**facts)
        self.in_danish = self.danish.format(**{name: str(fact).replace(".", ",") for name, fact in facts.items()})
        super().__init__(self.in_english)

    def at(self, field: str) -> Self:
        """The same, about a field of the request."""
        self.field = field
        return self

    @property
    def code(self) -> str:
        """Its name for programs, as `budget-exceeded`."""
        name = type(self).__name__
        return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")

    @property
    def reasons(self) -> tuple["Refusal", ...]:
        """Every single reason."""
        return (self,)


class Clash(Refusal):
    """What is registered already stands in the way."""


class SeveralReasons(Refusal):
    """More than one thing stands in the way."""

    danish = "Flere forhold står i vejen."

    def __init__(self, reasons: tuple[Refusal, ...]) -> None:
        super().__init__()
        self.all = reasons

    @property
    def reasons(self) -> tuple[Refusal, ...]:
        """Every single reason."""
        return self.all


def refuse(reasons: Iterable[Refusal]) -> None:
    """Raise what there is: nothing, the one reason, or all of them together."""
    found = tuple(reasons)
    if len(found) == 1:
        raise found[0]
    if found:
        raise SeveralReasons(found)


class NotRegistered(Refusal):
    """Nothing is registered under that id."""

    danish = "Der er ikke registreret noget under det id."


class DateOutOfReach(Refusal):
    """The date must lie between 1 January 1990 and two years from today."""

    danish = "Datoen skal ligge mellem 1. januar 1990 og to år frem fra i dag."


class CodeNotInForce(Refusal):
    """The code is not in its code list on that date."""

    danish = "Koden findes ikke i kodelisten på den dato."


class NothingChanges(Clash):
    """This is what is registered already; nothing would change."""

    danish = "Det er allerede registreret sådan; intet ville ændre sig."
