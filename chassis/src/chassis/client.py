"""What commands that ask a running service have in common: a token from a file, and a refusal in words."""

import sys
from pathlib import Path
from typing import Any

from chassis.cli import CommandError

STDIN = Path("-")
PLACES = ("parameter", "header", "pointer")


def token_in(file: Path | None) -> str | None:
    """The token that a file holds, or standard input for `-`; None without a file. Raises CommandError."""
    if file is None:
        return None
    try:
        token = (sys.stdin.read() if file == STDIN else file.read_text(encoding="ascii")).strip()
    except OSError as error:
        raise CommandError(f"Cannot read the token file {file}: {error.strerror}.") from None
    except ValueError:
        raise CommandError(f"{file} holds no token.") from None
    if not token.isprintable() or " " in token or not token:
        raise CommandError(f"{file} holds no token: it must be one line of text without spaces.")
    return token


def told(problem: Any, status: int) -> str:
    """A problem+json as lines for a terminal: what is wrong, then each reason with its place."""
    if not is_problem(problem):
        return f"The service answered with status {status}."
    reasons = [f"  {place}: {detail}" for place, detail in reasons_in(problem)]
    return "\n".join([f"{problem['title']}. {problem.get('detail', '')}".strip(), *reasons])


def is_problem(answer: Any) -> bool:
    """Whether this is how our services say no."""
    return isinstance(answer, dict) and "title" in answer


def reasons_in(problem: dict[str, Any]) -> list[tuple[str, str]]:
    """Every single reason, as (place, text)."""
    errors = problem.get("errors")
    return [
        (str(next((error[place] for place in PLACES if place in error), "")), str(error.get("detail", "")))
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
