"""scripts/acceptance.py names what did not run, and never counts that as a failure or a success."""

from pathlib import Path

import pytest

from scripts import acceptance


def test_every_skipped_test_is_named_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.xml"
    results.write_text(
        '<testsuites><testsuite><testcase classname="tests.container.test_action" name="test_forks">'
        '<skipped type="pytest.skip" message="no Docker Engine">…</skipped></testcase>'
        '<testcase classname="tests.report.test_page" name="test_dark"/></testsuite></testsuites>',
        encoding="utf-8",
    )

    acceptance.report_skips(results)

    printed = capsys.readouterr().out
    assert "NOT RUN (1 tests): no Docker Engine\n    tests.container.test_action::test_forks" in printed
    assert "test_dark" not in printed
    assert "everything ran" not in printed


def test_without_root_a_missing_engine_is_reported_and_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))

    with acceptance.running_engine() as environment:
        assert environment["PATH"] == str(tmp_path)

    assert "no Docker Engine answers" in capsys.readouterr().out


def test_the_exit_code_is_that_of_the_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = tmp_path / "test_failing.py"
    failing.write_text(
        "import pytest\n\n@pytest.mark.acceptance\ndef test_it() -> None:\n    assert False\n", encoding="utf-8"
    )
    monkeypatch.setenv("WORKERS", "0")

    code = acceptance.run_tests([str(failing), f"--rootdir={tmp_path}"], {"PATH": "/usr/bin"}, tmp_path / "r.xml")

    assert code == 1
