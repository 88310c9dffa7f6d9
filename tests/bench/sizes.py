"""How much of everything: what a run on two cores has time for, and less of it where fewer events are asked for."""

from dataclasses import dataclass

# Full batches of every contender's, so that none waits for what does not come.
FULL_BATCH = 500
SLICE, NAIVE_SLICE = 10_000, 2_000
RELAYED, AWAITED = 10_000, 2_000
COMMANDS, TIMED_COMMANDS = 1_000, 500
FRESH, FRESH_FAST = 2_000, 4_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of events and commands of one round; `whole` is what impact takes in once, ledger of all that follows."""

    whole: int
    rounds: int
    full: bool = False

    @property
    def slice(self) -> int:
        """Events of a lap."""
        return self._at_most(SLICE)

    @property
    def naive_slice(self) -> int:
        """Events of a lap of the naive contender."""
        return self._at_most(NAIVE_SLICE)

    @property
    def fresh(self) -> int:
        """Events at 200 a second."""
        return self._at_most(FRESH)

    @property
    def fresh_fast(self) -> int:
        """Events at 2,000 a second."""
        return self._at_most(FRESH_FAST)

    @property
    def relayed(self) -> int:
        """Rows of an outbox for the relay."""
        return self._at_most(RELAYED)

    @property
    def awaited(self) -> int:
        """Rows of an outbox that are published one after the other."""
        return self._at_most(AWAITED)

    @property
    def commands(self) -> int:
        """Commands as fast as they go."""
        return self._at_most(COMMANDS)

    @property
    def timed_commands(self) -> int:
        """Commands at a steady rate."""
        return self._at_most(TIMED_COMMANDS)

    def _at_most(self, number: int) -> int:
        return min(number, self.whole)
