import os
import sys
from pathlib import Path

import pytest

from metricgate.errors import TimeLimitError, WorkspaceError
from metricgate.processes.command import run_command, scrub_environment
from metricgate.processes.running_command import start_command

ENV = dict(os.environ)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_output_is_kept_and_passed_on(tmp_path: Path) -> None:
    seen: list[str] = []
    code = "import sys; print('out'); sys.stdout.flush(); print('err', file=sys.stderr); sys.exit(3)"

    ended = run_command(python(code), cwd=tmp_path, env=ENV, log=tmp_path / "logs/a.log", output=seen.append)

    assert ended.returncode == 3
    assert "".join(seen) == "out\nerr\n"
    assert ended.output == "out\nerr"
    assert (tmp_path / "logs/a.log").read_text() == "out\nerr\n"


def test_request_and_reply_go_over_pipes_of_their_own(tmp_path: Path) -> None:
    got: list[bytes] = []
    code = "import os, sys; os.write(int(os.environ['METRICGATE_REPLY']), sys.stdin.buffer.read()[::-1]); print('x')"

    with start_command(python(code), cwd=tmp_path, env=ENV, reply=got.append) as running:
        running.send(b"abc")
        running.close_input()
        running.attend()

    assert b"".join(got) == b"cba"
    assert running.last_lines() == "x"


def test_a_process_can_be_asked_again_after_its_answer(tmp_path: Path) -> None:
    got: list[bytes] = []
    code = "import os, sys\nfor line in sys.stdin.buffer: os.write(int(os.environ['METRICGATE_REPLY']), line[::-1])"

    with start_command(python(code), cwd=tmp_path, env=ENV, reply=got.append) as running:
        for question in (b"abc\n", b"def\n"):
            before = len(got)
            running.send(question)
            running.attend(timeout_s=50, until=lambda: len(got) > before)  # noqa: B023  called in this turn only

        assert b"".join(got) == b"\ncba\nfed"
        assert is_running(running.process.pid)

    assert not is_running(running.process.pid)


def test_time_limit_ends_the_whole_group(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\ntime.sleep(60)"
    )

    with pytest.raises(TimeLimitError, match="stopped after 1 s") as caught:
        run_command(python(code), cwd=tmp_path, env=ENV, timeout_s=1)

    assert not is_running(int(caught.value.details))


def test_child_that_outlives_its_parent_is_ended_and_not_waited_for(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\nprint(child.pid)"
    )

    # The child keeps the pipe open for longer than the limit: waiting for it would be a TimeLimitError.
    ended = run_command(python(code), cwd=tmp_path, env=ENV, timeout_s=50)

    assert not is_running(int(ended.output))


def test_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no-such-program could not be started"):
        run_command(["no-such-program"], cwd=tmp_path, env=ENV)


def test_long_output_keeps_its_start_and_its_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    code = "import sys\nfor i in range(900_000): sys.stdout.write(f'{i:08}\\n')"

    ended = run_command(python(code), cwd=tmp_path, env=ENV, log=log)

    text = log.read_text()
    assert text.startswith("00000000\n00000001\n")
    assert text.endswith("00899999\n")
    assert "characters left out" in text
    assert len(text) < 6_000_000
    assert ended.output.splitlines()[-1] == "00899999"


def test_tokens_and_runner_files_are_withheld_and_remote_credentials_stay() -> None:
    withheld = {
        "INPUT_GITHUB-TOKEN": "a",
        "GITHUB_TOKEN": "a",
        "GH_TOKEN": "a",
        "ACTIONS_RUNTIME_TOKEN": "a",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a",
        "GITHUB_OUTPUT": "/f",
        "GITHUB_ENV": "/f",
        "GITHUB_PATH": "/f",
        "GITHUB_STEP_SUMMARY": "/f",
        "STATE_x": "a",
        "GIT_DIR": "/elsewhere",
        "MLFLOW_TRACKING_URI": "http://mlflow:5000",
        "mlflow_tracking_token": "a",
        "RAY_ADDRESS": "http://ray:8265",
        "SLACK_CHANNEL": "#models",
        "TEAMS_WEBHOOK": "a",
        "My_Webhook_Url": "a",
        "DATABASE_URL": "postgresql+psycopg://ann:secret@db/churn",
        "BROKER": "see amqp://:secret@queue:5672//",
    }
    kept = {
        "AWS_SECRET_ACCESS_KEY": "b",
        "GITHUB_SHA": "c",
        "PATH": "/bin",
        "https_proxy": "http://ann:secret@proxy:3128",
        "HTTP_PROXY": "http://ann:secret@proxy:3128",
        "HOMEPAGE": "https://example.org:443/a@b",
        "CLONE_URL": "https://git@github.com/acme/churn",
        "ARRAY_SIZE": "10",
        "SSH_REMOTE": "ssh://ann@host:22/data",
    }

    scrubbed = scrub_environment(withheld | kept)

    assert {name: scrubbed[name] for name in scrubbed if name not in ("DVC_NO_ANALYTICS", "PYTHONUNBUFFERED")} == kept
