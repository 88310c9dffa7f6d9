"""Which entry of the catalogue answers, where an indicator has several definition versions. Pure.

What a lane keeps is given as the position from which each measure's version is in force.
"""

from collections.abc import Iterable, Mapping, Sequence

from impact.indicator import Indicator

Definitions = Mapping[tuple[str, int], int]


def entries_by_id(indicators: Iterable[Indicator]) -> dict[str, list[Indicator]]:
    """The entries of each indicator, oldest definition first; the ids stay in the catalogue's order."""
    entries: dict[str, list[Indicator]] = {}
    for indicator in indicators:
        entries.setdefault(indicator.id, []).append(indicator)
    return {id_: sorted(found, key=lambda entry: entry.definition_version) for id_, found in entries.items()}


def in_force_from(entry: Indicator, definitions: Definitions) -> int | None:
    """The position from which a lane keeps all that the entry is read from; None when it does not keep it."""
    positions = [definitions.get((measure.id, measure.version)) for measure in entry.kept]
    found = [position for position in positions if position is not None]
    return max(found) if len(found) == len(positions) else None


def entry_at(entries: Sequence[Indicator], definitions: Definitions, position: int) -> Indicator | None:
    """The latest definition in force at a position, None when there is none; `entries` have the oldest first."""
    if _knows_nothing(definitions, position):
        return entries[-1]
    for entry in reversed(entries):
        since = in_force_from(entry, definitions)
        if since is not None and since <= position:
            return entry
    return None


def entry_of_version(
    entries: Iterable[Indicator], version: int, definitions: Definitions, position: int
) -> Indicator | None:
    """The entry of a version, which answers at any position, as long as the lane keeps it; else None."""
    for entry in entries:
        kept = in_force_from(entry, definitions) is not None or _knows_nothing(definitions, position)
        if entry.definition_version == version and kept:
            return entry
    return None


def entries_at(indicators: Iterable[Indicator], definitions: Definitions, position: int) -> list[Indicator]:
    """Every indicator by its latest definition in force at a position; what the lane does not keep is left out."""
    found = (entry_at(entries, definitions, position) for entries in entries_by_id(indicators).values())
    return [entry for entry in found if entry]


def _knows_nothing(definitions: Definitions, position: int) -> bool:
    """Before its first fact a lane keeps no definitions, and every definition says the same of nothing."""
    return not definitions and position == 0
