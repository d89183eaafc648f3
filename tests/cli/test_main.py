"""The front door: exit codes, typos, and what `--help` must not import."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "pydantic", "sklearn", "scipy", "matplotlib", "dvc", "github", "duckdb", "requests")
# A command of this test's own, in the place of the real ones: what escapes from it must never look like a verdict.
FAILING = """
import sys, types, click
import metricgate.cli, metricgate.__main__
from metricgate.errors import {imports}
module = types.ModuleType("metricgate.cli.fail")

@click.command(name="fail")
def command():
    raise {error}

module.command = command
sys.modules["metricgate.cli.fail"] = module
metricgate.cli.COMMANDS["fail"] = "Fail."
sys.argv = ["metricgate", "fail"]
metricgate.__main__.main()
"""
CONFIGURATION = "ConfigurationError('It broke.', expected='wholeness.', fix='Mend it.')"


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, metricgate.__main__ as front; sys.argv = ['metricgate', '--help']\n"
        "try: front.main()\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )

    done = run_python("-c", script)

    assert done.returncode == 0
    assert "compare" in done.stdout
    assert done.stderr.strip() == "[]"


def test_an_unexpected_exception_is_a_bug_and_never_a_verdict() -> None:
    done = run_python("-c", FAILING.format(imports="MetricgateError", error="ZeroDivisionError('oops')"))

    assert done.returncode == 70
    assert "ZeroDivisionError: oops" in done.stderr
    assert "bug in MetricGate" in done.stderr


def test_output_that_is_not_read_is_not_a_verdict() -> None:
    script = FAILING.format(imports="MetricgateError", error="SystemExit(click.echo('x' * 200_000))")
    started = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    started.stdout.close()

    _, messages = started.communicate()

    assert started.returncode == 141
    assert messages == "metricgate: the output was closed too early; the run ended without a verdict.\n"


def test_output_and_messages_that_are_not_read_are_not_a_verdict() -> None:
    script = FAILING.format(imports="MetricgateError", error="SystemExit(click.echo('x' * 200_000, err=True))")
    started = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert started.stdout is not None
    started.stdout.close()

    assert started.wait() == 141


def test_an_expected_error_is_three_sentences_without_a_traceback() -> None:
    done = run_python("-c", FAILING.format(imports="ConfigurationError", error=CONFIGURATION))

    assert done.returncode == 2
    assert done.stderr == (
        "Configuration: It broke.\n  Expected: wholeness.\n  What to do: Mend it.\n"
        "  More: https://github.com/metricgate/metricgate/blob/main/docs/errors/configuration.md\n"
    )


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [(["rnu"], "Did you mean 'run'?"), (["run", "--basline", "x"], "--baseline"), (["compare", "a.csv"], "CANDIDATE")],
)
def test_a_mistyped_command_line_is_a_configuration_error_with_a_hint(arguments: list[str], hint: str) -> None:
    done = run_python("-m", "metricgate", *arguments)

    assert done.returncode == 2
    assert hint in done.stderr
