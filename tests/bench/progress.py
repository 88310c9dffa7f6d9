"""What a run tells while it runs: what it is at, and what came of each step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Told:
    """Messages for whoever waits, on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._began = time.monotonic()

    @property
    def minutes(self) -> float:
        """How long the run has taken so far."""
        return (time.monotonic() - self._began) / 60

    def say(self, text: str) -> None:
        """One line that stays."""
        self._console.print(f"{self.minutes:5.1f} min  {text}", markup=False)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Show what is being done while the block runs."""
        with self._console.status(what):
            yield
