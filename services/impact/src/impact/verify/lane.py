"""A lane beside its figures: its account down to the rows, and all that follows from its ledger told again."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from chassis.database import ACQUIRE_SECONDS, UNAVAILABLE, Connection, Pool
from impact.catalogue import measures_of
from impact.fold import RuleError
from impact.indicator import Indicator
from impact.rebuild import Progress, compare
from impact.store import definitions
from impact.store.definitions import DefinitionMissing
from impact.store.replay import NotAsAdmitted
from impact.store.thorough import thorough_balance

LEDGER = "ledger"


class Odd(NamedTuple):
    """What does not agree with the ledger: an account, a table; or why the ledger could not be told again."""

    kind: Literal["account", "table", "position", "rule"]
    name: str

    @property
    def named(self) -> dict[str, Any]:
        """The same as a cell, for those who read which cells differ."""
        return {"indicator": LEDGER, "cell": {self.kind: self.name}}


async def open_accounts(db: Connection, municipality: str, indicators: Sequence[Indicator]) -> list[Odd]:
    """The accounts of a lane that do not close, each once; the connection must hold one snapshot.

    What a source has sent, and whether it was heard of, is no matter of the figures.
    """
    balance = await thorough_balance(db, municipality, measures_of(indicators))
    return [Odd("account", name) for name in dict.fromkeys(account.name for account in balance.open_in_lane)]


async def retold(
    pool: Pool,
    municipality: str,
    indicators: Sequence[Indicator],
    progress: Progress = lambda _, __: None,
    *,
    rest: float = 0,
) -> list[Odd]:
    """The tables that differ from what the ledger comes to when it is told again by the definitions in force.

    `rest` is as `compare` has it. Raises DefinitionMissing when a newer program keeps others.
    """
    measures = measures_of(indicators)
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        lacking = await definitions.missing(db, municipality, measures)
    known = [measure for measure in measures if measure not in lacking]
    try:
        rebuilt = await compare(pool, municipality, known, progress, rest=rest)
    except NotAsAdmitted as error:
        return [Odd("position", str(error.position))]
    except RuleError as error:
        return [Odd("rule", str(error))]
    except (*UNAVAILABLE, DefinitionMissing):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a forged row leads to is told, and ends nothing
        return [Odd("rule", type(error).__name__)]
    return [Odd("table", table) for table in rebuilt.differing]


def by_retelling(row: dict[str, Any]) -> bool:
    """Whether a named row is of what only telling again can find, and can find mended."""
    return bool(row["indicator"] == LEDGER and "account" not in row["cell"])
