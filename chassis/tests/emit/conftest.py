import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from chassis import cli, emitting, event_commands
from chassis.tests.emit.door import Door, Emit


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    thread = Thread(target=door.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield door
    door.server.shutdown()
    thread.join()
    door.server.server_close()


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitting, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(emitting, "LONGEST_PAUSE_SECONDS", 0.01)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def emit(tmp_path: Path, door: Door, monkeypatch: pytest.MonkeyPatch) -> Emit:
    (tmp_path / "token").write_text("kc_secret")

    def call(*options: str, file: str | None = None, url: str | None = None) -> int:
        app = cli.new_app("Test.")
        app.command(name="emit")(event_commands.emit)
        told = [file or str(tmp_path / "events"), "--url", url or door.url, "--token-file", str(tmp_path / "token")]
        monkeypatch.setattr(sys, "argv", ["kraftcenter", "emit", *told, *options])
        with pytest.raises(SystemExit) as exit_:
            cli.run(app, "kraftcenter")
        code: int = exit_.value.code  # type: ignore[assignment]
        return code

    return call
