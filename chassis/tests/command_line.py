"""The chassis' commands as somebody types them."""

import sys

import pytest
import typer

from chassis import cli, commands


def app_of_commands() -> typer.Typer:
    """All of them in one program."""
    app = cli.new_app("Test.")
    app.add_typer(commands.tokens, name="tokens")
    app.command(name="provision")(commands.provision)
    app.add_typer(commands.phantoms, name="phantoms")
    return app


def call(app: typer.Typer, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code."""
    monkeypatch.setattr(sys, "argv", ["kraftcenter", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.run(app, "kraftcenter")
    code: int = exit_.value.code  # type: ignore[assignment]
    return code
