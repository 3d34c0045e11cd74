"""One table of exit codes in the code, one in the docs, and they are the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gitforge import errors
from gitforge.cli import main

DOCS = Path(__file__).parent.parent / "docs/exit-codes.md"


def subclasses(kind: type[BaseException]) -> set[type[BaseException]]:
    return {kind, *(below for one in kind.__subclasses__() for below in subclasses(one))}


def test_the_table_in_the_docs_is_the_one_in_the_code() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+?) \|$", DOCS.read_text("utf-8"), re.MULTILINE)
    assert [(int(code), meaning) for code, meaning in rows] == list(main.EXIT_CODES.items())


def test_every_expected_failure_has_an_exit_code_of_the_table() -> None:
    expected = subclasses(errors.GitforgeError) - {errors.GitforgeError}
    for kind in expected:
        codes = [code for one, code in main._BY_ERROR if issubclass(kind, one)]
        assert codes, f"{kind.__name__} has no exit code"
        assert codes[0] in main.EXIT_CODES
        assert codes[0] not in {main.DONE, main.BUG}


def test_neither_what_is_said_of_a_bug_nor_its_report_holds_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    told = "sk-0123456789 is not for http://me:p4ssword@localhost:1/v1"
    assert main._report_bug(RuntimeError(told)) == main.BUG
    (report,) = tmp_path.iterdir()
    for text in (capsys.readouterr().err, report.read_text("utf-8")):
        assert "RuntimeError: [OPENAI_API_KEY] is not for http://[hidden]@localhost:1/v1" in text
        assert "sk-0123456789" not in text
        assert "p4ssword" not in text
