import hashlib
import json
import sys
from pathlib import Path

import pytest

from chassis import cli
from chassis.contract_commands import contracts
from contracts.catalogue import published
from contracts.released import CHECKSUMS, read, release

RELEASED = Path(__file__).parents[2] / "contracts" / "released"
STARTED = "0.1.0/flexjob.started.v1.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One release, of today's schemas."""
    releases = tmp_path / "released"
    releases.mkdir()
    (releases / CHECKSUMS).touch()
    release(releases, "0.1.0", published())
    return releases


@pytest.fixture
def unfit(folder: Path) -> Path:
    """Releases that hold what is gone today."""
    path = folder / STARTED
    schema = json.loads(path.read_text(encoding="utf-8"))
    schema["properties"]["data"]["properties"]["gone"] = {"type": "boolean"}
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(json.dumps(schema), encoding="utf-8")
    noted = (folder / CHECKSUMS).read_text(encoding="utf-8")
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / CHECKSUMS).write_text(noted.replace(before, after), encoding="utf-8")
    return folder


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    app = cli.new_app("Test.")
    app.add_typer(contracts, name="contracts")
    monkeypatch.setattr(sys, "argv", ["kraftcenter", "contracts", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.run(app, "kraftcenter")
    code: int = exit_.value.code  # type: ignore[assignment]
    return code


def test_schemas_that_fit_are_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "compat", "--folder", str(RELEASED)) == 0

    said = capsys.readouterr()
    assert said.out == f"{len(published())} event types fit every release: {', '.join(read(RELEASED))}\n"
    assert said.err == ""


def test_a_schema_that_does_not_fit_ends_with_code_1_and_names_the_field(
    unfit: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "compat", "--folder", str(unfit)) == 1

    said = capsys.readouterr()
    line = "flexjob.started.v1 /data/gone: was removed since 0.1.0; put it back, or make it flexjob.started.v2\n"
    assert said.out == line


def test_differences_are_data_too(
    unfit: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "compat", "--json", "--folder", str(unfit)) == 1

    told = json.loads(capsys.readouterr().out)
    (found,) = told["differences"]
    assert told["releases"] == ["0.1.0"]
    assert (found["event"], found["pointer"]) == ("flexjob.started.v1", "/data/gone")


def test_an_edited_release_and_a_missing_one_are_told_without_a_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / STARTED).write_text("{", encoding="utf-8")

    assert call(monkeypatch, "compat", "--folder", str(folder)) == 1
    assert call(monkeypatch, "compat", "--folder", str(folder / "nowhere")) == 1

    edited, missing = capsys.readouterr().err.splitlines()
    assert edited.startswith(STARTED)
    assert "--folder" in missing


def test_what_stands_in_the_way_of_a_release_is_named_without_a_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "0.2.0").touch()
    assert call(monkeypatch, "release", "0.2.0", "--folder", str(folder)) == 1
    (folder / "0.1.0" / "drafts").mkdir()
    assert call(monkeypatch, "compat", "--folder", str(folder)) == 1

    file, drafts = capsys.readouterr().err.splitlines()
    assert file == f"{folder / '0.2.0'}: File exists."
    assert drafts == f"{folder / '0.1.0' / 'drafts'}: Is a directory."


def test_nothing_is_said_to_fit_where_nothing_was_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / CHECKSUMS).touch()

    assert call(monkeypatch, "compat", "--folder", str(tmp_path)) == 1
    assert "holds no release yet" in capsys.readouterr().err
    assert call(monkeypatch, "release", "0.1.0", "--folder", str(tmp_path)) == 0
    assert call(monkeypatch, "compat", "--folder", str(tmp_path)) == 0


def test_a_release_is_kept_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "release", "0.2.0", "--folder", str(folder)) == 0
    assert call(monkeypatch, "release", "0.2.0", "--folder", str(folder)) == 1
    assert call(monkeypatch, "compat", "--folder", str(folder)) == 0

    said = capsys.readouterr()
    assert said.out.endswith("fit every release: 0.1.0, 0.2.0\n")
    assert said.err == "0.2.0 is not newer than 0.2.0: choose a higher version.\n"


def test_the_document_of_a_service_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "asyncapi", "--service", "gateway") == 0

    told = json.loads(capsys.readouterr().out)
    assert all(name.startswith("gateway.") for name in told["channels"])


def test_a_service_that_has_no_events_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "asyncapi", "--service", "nobody") == 2

    assert "flexjob_pool" in capsys.readouterr().err


def test_the_page_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "page") == 0

    assert capsys.readouterr().out.startswith("# Events")
