"""The commands about the published language: whether it still fits what was released, and how it is shown to others."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from chassis.cli import CommandError
from contracts import asyncapi as described
from contracts import released
from contracts.catalogue import published
from contracts.compat import differences
from contracts.page import page as page_text

COMPAT_EXAMPLE = (
    "Examples: kraftcenter contracts compat; kraftcenter contracts compat --folder contracts/released --json"
)
RELEASE_EXAMPLE = "Example: kraftcenter contracts release 0.2.0"
ASYNCAPI_EXAMPLE = "Examples: kraftcenter contracts asyncapi; kraftcenter contracts asyncapi --service flexjob_pool"
PAGE_EXAMPLE = "Example: kraftcenter contracts page > docs/events.md"

T = TypeVar("T")

contracts = typer.Typer(help="The published language: events, their schemas and their releases.", no_args_is_help=True)
contracts.callback()(lambda: None)

Folder = Annotated[Path, typer.Option(help="The released schemas, one folder per version.")]
RELEASED = Path("contracts/released")


@contracts.command(epilog=COMPAT_EXAMPLE)
def compat(
    folder: Folder = RELEASED,
    as_json: Annotated[bool, typer.Option("--json", help="Print the differences as JSON.")] = False,
) -> None:
    """Hold the event schemas of today to every released one: each must read what the other writes.

    Exit code 1 with a line per difference, which names the field and says what to do.
    """
    releases = _admitted(lambda: released.read(folder))
    if not releases:
        raise CommandError(f"{folder} holds no release yet: `kraftcenter contracts release 0.1.0` keeps the first one.")
    found = differences(current := published(), releases)
    if as_json:
        typer.echo(json.dumps({"releases": [*releases], "differences": [*map(asdict, found)]}, ensure_ascii=False))
    elif found:
        typer.echo("\n".join(map(str, found)))
    else:
        typer.echo(f"{len(current)} event types fit every release: {', '.join(releases)}")
    if found:
        raise typer.Exit(1)


@contracts.command(epilog=RELEASE_EXAMPLE)
def release(
    version: Annotated[str, typer.Argument(help="Newer than every release, as 0.2.0.")], folder: Folder = RELEASED
) -> None:
    """Keep the event schemas of today as a release; from then on they change only by addition."""
    _admitted(lambda: released.release(folder, version, published()))
    typer.echo(f"{len(published())} schemas released in {folder / version}; commit them with {released.CHECKSUMS}")


@contracts.command(epilog=ASYNCAPI_EXAMPLE)
def asyncapi(
    service: Annotated[str | None, typer.Option(help="Only what this service sends and receives.")] = None,
) -> None:
    """Print the AsyncAPI 3 document of the events."""
    if service and service not in (known := sorted(described.services())):
        raise typer.BadParameter(f"--service must be one of {', '.join(known)}")
    typer.echo(released.text_of(described.document(service)), nl=False)


@contracts.command(epilog=PAGE_EXAMPLE)
def page() -> None:
    """Print the catalogue of events as a page for people, in Markdown."""
    typer.echo(page_text(), nl=False)


def _admitted(work: Callable[[], T]) -> T:
    try:
        return work()
    except released.ReleasesRefused as refusal:
        raise CommandError(str(refusal)) from None
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}.") from None
