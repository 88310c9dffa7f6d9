import io
from pathlib import Path

import pytest

from chassis.cli import CommandError
from chassis.client import token_in


def test_a_token_is_read_from_a_file_or_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("of-a-file\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("as-it-was-typed\n"))

    assert token_in(tmp_path / "token") == "of-a-file"
    assert token_in(Path("-")) == "as-it-was-typed"
    assert token_in(None) is None


def test_standard_input_that_says_nothing_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(CommandError, match="- holds no token"):
        token_in(Path("-"))
