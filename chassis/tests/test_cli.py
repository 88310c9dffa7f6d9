import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import asyncpg
import pytest
import typer

from chassis.cli import GROUP, CommandError, add, complete, main, new_app, run

GROUP_OF_COMMANDS = typer.Typer(help="A group.")


@GROUP_OF_COMMANDS.command()
def one(number: int) -> None:
    typer.echo(number + 1)


@GROUP_OF_COMMANDS.command()
def two() -> None:
    """Exists so that `one` needs its name."""


def greet(name: str = "Kolding") -> None:
    """Greet someone."""
    typer.echo(f"Hej {name}")


def stumble() -> None:
    raise CommandError("There is no [such] thing: give another.")


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setitem(sys.modules, "some_commands", sys.modules[__name__])
    app = new_app("Test.")
    for name, value in (("numbers", "GROUP_OF_COMMANDS"), ("greet", "greet"), ("stumble", "stumble")):
        add(app, entry(name, f"some_commands:{value}"))
    return app


def call(app: typer.Typer, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["kraftcenter", *arguments])
    with pytest.raises(SystemExit) as exit_:
        run(app, "kraftcenter")
    code: int = exit_.value.code  # type: ignore[assignment]
    return code


def test_a_function_is_a_command_and_a_typer_a_group(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(app, monkeypatch, "greet", "--name", "Vejle") == 0
    assert call(app, monkeypatch, "numbers", "one", "41") == 0

    assert capsys.readouterr().out == "Hej Vejle\n42\n"


def test_what_the_user_can_put_right_is_one_message_on_stderr(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(app, monkeypatch, "stumble") == 1

    said = capsys.readouterr()
    assert said.err == "There is no [such] thing: give another.\n"
    assert said.out == ""


@pytest.mark.parametrize(
    "arguments",
    [["nothing"], ["greet", "--colour", "red"], ["numbers", "one"], ["numbers", "one", "x"], ["numbers", "three"]],
)
def test_a_wrong_command_line_is_told_on_stderr_with_code_2(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert call(app, monkeypatch, *arguments) == 2

    said = capsys.readouterr()
    assert said.err
    assert said.out == ""
    assert "Traceback" not in said.err


@pytest.mark.parametrize("value", ["no_such_package:x", "some_commands:missing", "chassis.cli:GROUP.nothing"])
def test_a_broken_command_is_named_and_harms_no_other(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    add(app, entry("broken", value))

    assert call(app, monkeypatch, "greet") == 0
    said = capsys.readouterr()
    assert said.out == "Hej Kolding\n"
    assert f"The command `broken` ({value}) cannot be loaded" in said.err


@pytest.mark.parametrize(("asked", "loaded"), [("greet", False), ("--help", True)])
def test_a_command_is_run_without_loading_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked: str, loaded: bool
) -> None:
    monkeypatch.setitem(sys.modules, "some_commands", sys.modules[__name__])
    installed = [entry("broken", "some_commands:missing"), entry("greet", "some_commands:greet")]
    monkeypatch.setattr("chassis.cli.entry_points", lambda group: installed if group == GROUP else [])
    monkeypatch.setattr(sys, "argv", ["kraftcenter", asked])

    with pytest.raises(SystemExit) as exit_:
        main()

    assert exit_.value.code == 0
    assert ("The command `broken`" in capsys.readouterr().err) is loaded


def test_help_lists_the_commands_of_the_installed_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["kraftcenter", "--help"])

    with pytest.raises(SystemExit) as exit_:
        main()

    assert exit_.value.code == 0
    assert "Kraftcenter" in capsys.readouterr().out


def test_a_database_that_does_not_answer_is_a_message(tmp_path: Path) -> None:
    async def ask() -> None:
        await asyncpg.connect(host=str(tmp_path), database="none", user="nobody")

    with pytest.raises(CommandError, match="does not answer"):
        complete(ask())


def test_a_database_without_tables_is_a_message(database_url: str) -> None:
    async def ask() -> None:
        db = await asyncpg.connect(database_url)
        try:
            await db.execute("SELECT * FROM token")
        finally:
            await db.close()

    with pytest.raises(CommandError, match="not migrated"):
        complete(ask())
