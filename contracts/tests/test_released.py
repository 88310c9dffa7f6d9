"""What was released stays as it is, and more is only added when it fits."""

import json
import shutil
from copy import deepcopy
from pathlib import Path

import pytest

from contracts.catalogue import EVENTS, published
from contracts.released import CHECKSUMS, ReleasesRefused, read, release

RELEASED = Path(__file__).parents[1] / "released"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One release, of today's schemas."""
    releases = tmp_path / "released"
    releases.mkdir()
    (releases / CHECKSUMS).touch()
    release(releases, "0.1.0", published())
    return releases


def test_the_committed_releases_are_what_was_released() -> None:
    assert "flexjob.started.v1" in read(RELEASED)["0.1.0"]


def test_what_other_systems_send_is_released_so_that_it_cannot_change_under_them() -> None:
    newest = [*read(RELEASED).values()][-1]
    sent = {event.contract.file_stem for event in EVENTS if "gateway" in event.contract.producers}

    assert sent
    assert sent <= newest.keys()


def test_a_release_is_read_again_as_it_was_written(folder: Path) -> None:
    release(folder, "0.10.0", published())

    assert list(read(folder)) == ["0.1.0", "0.10.0"]
    assert read(folder)["0.10.0"] == published()


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "0.1"])
def test_a_version_that_is_not_newer_is_refused(version: str, folder: Path) -> None:
    with pytest.raises(ReleasesRefused, match=version):
        release(folder, version, published())

    assert list(read(folder)) == ["0.1.0"]


def test_what_does_not_fit_is_not_released(folder: Path) -> None:
    schemas = deepcopy(published())
    del schemas["flexjob.started.v1"]["properties"]["data"]["properties"]["need_id"]

    with pytest.raises(ReleasesRefused, match="/data/need_id"):
        release(folder, "0.2.0", schemas)

    assert list(read(folder)) == ["0.1.0"]


def test_an_edited_release_is_noticed(folder: Path) -> None:
    path = folder / "0.1.0" / "flexjob.started.v1.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")

    with pytest.raises(ReleasesRefused, match=r"0.1.0/flexjob.started.v1.json"):
        read(folder)


def test_a_release_that_lost_or_got_a_file_is_noticed(folder: Path) -> None:
    shutil.move(folder / "0.1.0" / "flexjob.started.v1.json", folder / "0.1.0" / "flexjob.begun.v1.json")

    with pytest.raises(ReleasesRefused, match=r"flexjob\.begun(.|\n)*flexjob\.started"):
        read(folder)


@pytest.mark.parametrize("line", [b"abc\n", b"\xff\xfe 0.1.0/x.json\n", b"abc  0.1.0/two words.json\n"])
def test_a_line_among_the_checksums_that_is_none_is_named(line: bytes, folder: Path) -> None:
    with (folder / CHECKSUMS).open("ab") as checksums:
        checksums.write(line)

    with pytest.raises(ReleasesRefused, match=line.split(maxsplit=1)[-1].decode().strip()):
        read(folder)


def test_a_folder_without_releases_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleasesRefused, match=CHECKSUMS):
        read(tmp_path)
