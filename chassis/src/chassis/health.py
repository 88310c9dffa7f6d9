"""Whether a service is well: `/livez` says that the process answers, `/readyz` that what it needs answers too."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

CHECK_SECONDS = 3.0
WELL = "ok"

Check = Callable[[], Awaitable[str | None] | str | None]


class Health:
    """Named checks; each gives None when well, else the reason in words for operations, without data."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Ask this check at every `/readyz`."""
        self._checks[name] = check

    async def ask(self) -> dict[str, str]:
        """Every check's answer, `ok` or the reason; all are asked at once and none may keep the others waiting."""
        answers = await asyncio.gather(*(_answer(check) for check in self._checks.values()))
        return dict(zip(self._checks, answers, strict=True))


async def _answer(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            answer = check()
            reason = await answer if inspect.isawaitable(answer) else answer
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001 - whatever a check meets is an answer; its text might hold data
        return f"failed: {type(error).__name__}"
    return reason or WELL
