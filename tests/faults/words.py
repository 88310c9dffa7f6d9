"""What services say in their logs of what befalls them."""

import json
from functools import partial
from typing import Any

from local.waiting import until
from tests.faults.patience import PATIENCE_SECONDS
from tests.faults.town import Town


class Words:
    """The logs of some services from now on."""

    def __init__(self, town: Town, *names: str) -> None:
        self._names = names
        files = [town.stack.services[name].log_file for name in names]
        self._begins = {file: file.stat().st_size for file in files}

    async def tell_of(self, *words: str) -> None:
        """Return once all of these are in one line; TimeoutError after a minute and a half."""
        told = partial(self._have, {word.encode() for word in words})
        message = f"{' and '.join(self._names)} say nothing of {', '.join(words)}"
        await until(told, seconds=PATIENCE_SECONDS, message=message)

    def events(self) -> list[dict[str, Any]]:
        """What each line tells of. Raises ValueError for one that is no object of JSON."""
        return [dict(json.loads(line)) for line in self._lines()]

    def _have(self, words: set[bytes]) -> bool:
        return any(all(word in line for word in words) for line in self._lines())

    def _lines(self) -> list[bytes]:
        """All but one that is being written."""
        written = [file.read_bytes()[begin:] for file, begin in self._begins.items()]
        return [line for text in written for line in text[: text.rfind(b"\n") + 1].splitlines()]
