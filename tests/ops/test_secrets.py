"""The passwords of an installation: none is a default, none is known to two, none is lost."""

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chassis.addresses import nats_url, postgres_dsn
from tests.ops.cluster import ROOT, SERVICES, output_of

SHORTEST = 43


def test_every_password_is_long_of_its_own_and_for_its_owner_alone(secrets: Path) -> None:
    passwords = [file.read_text().strip() for file in secrets.glob("*_password")]
    passwords += [urlsplit(file.read_text()).password or "" for file in secrets.glob("*_nats_url")]

    assert len(passwords) == 2 * len(SERVICES) + 3 + len(SERVICES) + 1
    assert len({*passwords}) == len(passwords)
    assert all(len(password) >= SHORTEST for password in passwords)
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets.iterdir()} == {0o600}
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700


@pytest.mark.parametrize("service", SERVICES)
def test_addresses_are_such_as_the_services_take(secrets: Path, service: str) -> None:
    for role in (service, f"{service}_owner"):
        told = urlsplit(postgres_dsn((secrets / f"{role}_database_url").read_text().strip()))
        assert (told.username, told.hostname, told.path) == (role, "postgres", f"/{service}")
        assert told.password == (secrets / f"{role}_password").read_text().strip()
    assert urlsplit(nats_url((secrets / f"{service}_nats_url").read_text().strip())).username == service


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    output_of([ROOT / "deploy" / "make-secrets", tmp_path])
    made = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    with pytest.raises(AssertionError, match="is there already"):
        output_of([ROOT / "deploy" / "make-secrets", tmp_path])

    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == made


@pytest.mark.parametrize("interruption", ["exit 1", "kill -INT $PPID; sleep 1", "kill -TERM $PPID; sleep 1"])
def test_one_that_was_interrupted_leaves_nothing_in_the_way_of_the_next(tmp_path: Path, interruption: str) -> None:
    stand_in, target = tmp_path / "bin" / "mv", tmp_path / "deploy"
    for folder in (stand_in.parent, target):
        folder.mkdir()
    stand_in.write_text(f"#!/bin/sh\n{interruption}\n")
    stand_in.chmod(0o700)

    with pytest.raises(AssertionError, match="make-secrets"):
        output_of([ROOT / "deploy" / "make-secrets", target], {"PATH": f"{stand_in.parent}:{os.environ['PATH']}"})

    assert list(target.iterdir()) == []
    output_of([ROOT / "deploy" / "make-secrets", target])


def test_other_installations_have_other_passwords(tmp_path: Path, secrets: Path) -> None:
    output_of([ROOT / "deploy" / "make-secrets", tmp_path])

    for file in {*secrets.iterdir()} - {*secrets.glob("alert_*")}:
        assert (tmp_path / "secrets" / file.name).read_bytes() != file.read_bytes()


def test_git_ignores_them() -> None:
    for name in ("secrets/impact_password", ".env"):
        output_of(["git", "-C", ROOT, "check-ignore", "--quiet", ROOT / "deploy" / name])
