"""What a decision may look at and change."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar, cast
from uuid import UUID

from flexjob_pool.domain.refusals import NotRegistered, Refusal

if TYPE_CHECKING:  # rules are adopted in a case, and a case holds rules
    from flexjob_pool.domain.rules import Rules

Key = UUID | str
Place = tuple[str, str]


class Resource(Protocol):
    """Something that is registered, as it stands: a frozen dataclass."""

    noun: ClassVar[str]

    @property
    def key(self) -> str:
        """Its own id among those of its noun."""
        ...

    @property
    def links(self) -> tuple[Place, ...]:
        """The resources that rules about it may look at, as (noun, key)."""
        ...


R = TypeVar("R", bound=Resource)


class Case:
    """The resources that a decision concerns, as they stand, at one desk on one day.

    `today` is the day of registration of the decision that is told just now, `rules` are the versions known by then;
    who tells the next decision sets both.
    """

    def __init__(
        self, resources: Iterable[Resource] = (), *, rules: Sequence["Rules"] = (), municipality: str, today: date
    ) -> None:
        self.today = today
        self.rules = rules
        self.municipality = municipality
        self._resources: dict[Place, Resource] = {place_of(one): one for one in resources}
        self._changed: dict[Place, Resource] = {}
        self._looked_at: set[Place] = set()

    @property
    def changed(self) -> Mapping[Place, Resource]:
        """What was put since the case was opened or settled."""
        return self._changed

    @property
    def looked_at(self) -> frozenset[Place]:
        """Everything that was found, missed or put since the case was opened or settled."""
        return frozenset(self._looked_at)

    def find(self, kind: type[R], key: Key | None) -> R | None:
        """A resource as it stands; None when none is registered under the key, or there is no key."""
        if key is None:
            return None
        place = (kind.noun, str(key))
        self._looked_at.add(place)
        return cast("R | None", self._resources.get(place))

    def known(self, kind: type[R], key: Key | None, otherwise: type[Refusal] = NotRegistered) -> R:
        """A resource as it stands. Raises NotRegistered, or the refusal given, when there is none."""
        found = self.find(kind, key)
        if found is None:
            raise otherwise
        return found

    def put(self, resource: Resource) -> None:
        """Let a resource stand so from now on."""
        place = place_of(resource)
        self._looked_at.add(place)
        self._resources[place] = self._changed[place] = resource

    def settle(self) -> None:
        """Begin anew to note what is changed and looked at."""
        self._changed = {}
        self._looked_at = set()


def place_of(resource: Resource) -> Place:
    """Where a resource stands, as (noun, key)."""
    return resource.noun, resource.key
