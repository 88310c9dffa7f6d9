from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings, SettingsRefused, load, read, variable

DSN = "postgresql://pool:s3cret@localhost:5432/pool"
GOOD = {"POOL_DATABASE_URL": DSN, "POOL_NATS_URL": "nats://localhost:4222", "POOL_PORT": "8602"}


class PoolSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="POOL_")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    monkeypatch.delenv("CLOCK", raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return GOOD


@pytest.mark.usefixtures("environment")
def test_settings_come_from_the_environment() -> None:
    settings = read(PoolSettings)

    assert settings.database_url.get_secret_value() == DSN
    assert (settings.port, settings.municipality, settings.clock, settings.host) == (8602, "621", "system", "127.0.0.1")


@pytest.mark.usefixtures("environment")
def test_the_clock_is_shared_and_has_no_prefix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("2026-01-01T08:00:00Z")
    monkeypatch.setenv("CLOCK", f"file:{clock}")

    assert read(PoolSettings).clock == f"file:{clock}"


@pytest.mark.usefixtures("environment")
def test_any_setting_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (("POOL_DATABASE_URL", DSN), ("POOL_PORT", "9000"), ("CLOCK", "system")):
        (tmp_path / name).write_text(f"{value}\n")
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))

    settings = read(PoolSettings)

    assert settings.database_url.get_secret_value() == DSN
    assert (settings.port, settings.clock) == (9000, "system")


@pytest.mark.usefixtures("environment")
def test_a_setting_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text(DSN)
    monkeypatch.setenv("POOL_DATABASE_URL_FILE", str(tmp_path / "dsn"))

    with pytest.raises(SettingsRefused, match="POOL_DATABASE_URL: is given twice"):
        read(PoolSettings)


@pytest.mark.usefixtures("environment")
def test_a_file_that_is_not_there_is_refused_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("POOL_DATABASE_URL")
    monkeypatch.setenv("POOL_DATABASE_URL_FILE", str(tmp_path / "none"))

    with pytest.raises(SettingsRefused) as refusal:
        read(PoolSettings)

    assert str(refusal.value) == "POOL_DATABASE_URL_FILE: names a file that cannot be read as text"


def test_everything_wrong_is_said_at_once_and_no_value_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {
        "POOL_DATABASE_URL": "mysql://root:hunter2@localhost",
        "POOL_PORT": "hunter2",
        "POOL_MUNICIPALITY": "hunter2",
        "POOL_HEARTBEAT_SECONDS": "0",
        "CLOCK": "hunter2",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POOL_NATS_URL", "")

    with pytest.raises(SystemExit) as exit_:
        load(PoolSettings)

    said = capsys.readouterr().err
    assert exit_.value.code == 2
    assert {line.partition(":")[0] for line in said.splitlines()} == {*wrong, "POOL_NATS_URL"}
    assert "POOL_NATS_URL: is missing; set it, or let POOL_NATS_URL_FILE name a file that holds it" in said
    assert "hunter2" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:pass/word@host/db",
        "postgresql://u:p@host:port/db",
        "postgresql://u:p@host:1:2/db",
        "postgresql://[::1/db",
        "postgresql://u:p@host:99999/db",
        "postgresql://u:p@host:0/db",
        "postgresql://a:1,b:99999/db",
        "postgresql:///db?host=a&port=99999",
        "postgresql://u:p[@host/db",
        "postgresql://u:p@a..b/db",
        "postgresql://u:p@a,b..c:5432/db",
        "postgresql://u:p@a,,b/db",
        "postgresql://u:p@w..@host/db",
        f"postgresql://u:p@{'x' * 64}/db",
        "postgresql:///db?host=a..b",
        "postgresql:///db?host=a,,b",
        "postgresql://u:p@%00/db",
        "postgresql:///db?host=%00x",
        "postgresql:///db?host=/tmp/%00",
        "postgresql://u:p@host/db?sslmode",
        "localhost:5432",
    ],
)
@pytest.mark.usefixtures("environment")
def test_a_dsn_that_the_driver_would_trip_over_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, dsn: str) -> None:
    monkeypatch.setenv("POOL_DATABASE_URL", dsn)

    with pytest.raises(SettingsRefused, match="POOL_DATABASE_URL: must look like") as refusal:
        read(PoolSettings)

    assert dsn not in str(refusal.value)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql:///db?host=/tmp/run",
        "postgres://u:p%2Fw@[::1]:5432/db",
        "postgresql://a:1,b:2/db",
        "postgresql://u:p@w@host/db",
        "postgresql://[::1]/db?application_name=a:99999",
        "postgresql://u:p@%2Ftmp%2Frun..d/db",
        "postgresql:///db?host=/tmp/run..d,b",
        "postgresql://host./db",
        f"postgresql://{'x' * 63}:5432/db",
    ],
)
@pytest.mark.usefixtures("environment")
def test_every_shape_of_dsn_that_the_driver_reads_is_accepted(monkeypatch: pytest.MonkeyPatch, dsn: str) -> None:
    monkeypatch.setenv("POOL_DATABASE_URL", dsn)

    assert read(PoolSettings).database_url.get_secret_value() == dsn


@pytest.mark.parametrize(
    "url",
    [
        "tls://h",
        "wss://h",
        "ws://h",
        "h:4222",
        "nats://",
        "nats://h:port",
        "nats://h:99999",
        "nats://[::1",
        "nats://a..b:4222",
        f"nats://{'x' * 64}:4222",
    ],
)
@pytest.mark.usefixtures("environment")
def test_a_nats_that_could_not_be_spoken_to_as_asked_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("POOL_NATS_URL", url)

    with pytest.raises(SettingsRefused, match="POOL_NATS_URL: must be a URL such as nats://host:4222; TLS is not"):
        read(PoolSettings)


@pytest.mark.parametrize("url", ["nats://u:1234#x@h", "nats://u:99/x@h", "nats://u:99?x@h", "nats://h:4222/"])
@pytest.mark.usefixtures("environment")
def test_a_password_that_would_pass_for_a_host_and_port_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("POOL_NATS_URL", url)

    with pytest.raises(SettingsRefused, match="POOL_NATS_URL: must be a URL such as") as refusal:
        read(PoolSettings)

    assert "99" not in str(refusal.value)


@pytest.mark.usefixtures("environment")
def test_settings_do_not_show_their_secrets() -> None:
    assert "s3cret" not in repr(read(PoolSettings))


def test_a_variable_that_is_not_set_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POOL_X", raising=False)

    assert variable("POOL_X") is None
