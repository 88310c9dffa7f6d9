"""How a service's process starts and stops: `python -m <service> serve` and `migrate`, the same for every service."""

import gc
import signal
import sys
from collections.abc import Sequence
from pkgutil import resolve_name
from typing import TypeVar

import typer
import uvicorn

from chassis import logs
from chassis.calendar import calendar_of
from chassis.cli import complete, new_app, run
from chassis.migrate import Component, check_migrated, migrate
from chassis.settings import ServiceSettings, load

STOP_SECONDS = 10
# A batch of facts or a request makes many objects that last a while, and next to no cycles to collect.
OBJECTS_BETWEEN_COLLECTIONS = 50_000

S = TypeVar("S", bound=ServiceSettings)


def run_service(name: str, *, settings: type[S], components: Sequence[Component], wiring: str) -> None:
    """Run the process of a service, as its `__main__` does; `serve` refuses a database that is not migrated.

    `wiring` is the function that makes the ASGI application of the settings, as `module:name`: only `serve` imports it.
    """
    app = new_app(f"The service {name}.")

    @app.command(name="serve")
    def serve_command() -> None:
        """Answer requests until SIGTERM."""
        serve(name, load(settings), components, wiring)

    @app.command(name="migrate")
    def migrate_command() -> None:
        """Bring the database up to date, and name each file that was applied."""
        apply_migrations(load(settings), components)

    run(app, f"python -m {name}")


def serve(name: str, settings: ServiceSettings, components: Sequence[Component], wiring: str) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way and exit with code 0."""
    # uvicorn raises the signal again once it has stopped gracefully; by default that would kill the process.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    logs.configure(name)
    complete(check_migrated(settings.database_url.get_secret_value(), components))
    config = uvicorn.Config(
        resolve_name(wiring)(settings),
        host=settings.host,
        port=settings.port,
        lifespan="on",
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    _collect_seldom()
    uvicorn.Server(config).run()


def _collect_seldom() -> None:
    """Have the garbage collector pass over what lasts as long as the process, and look less often at the rest."""
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


def apply_migrations(settings: ServiceSettings, components: Sequence[Component]) -> None:
    """Migrate the database, and print what was applied. Raises CommandError."""
    clock = calendar_of(settings.clock)
    for applied in complete(migrate(settings.database_url.get_secret_value(), components, clock=clock)):
        typer.echo(applied)
