"""Real servers for DVC's remotes, on this machine: what works, and what is said where it does not."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from metricgate.errors import WorkspaceError
from metricgate.models.snapshot import Source
from tests.execution.conftest import Yield, states, values
from tests.projects import TinyProject

RCLONE = str(Path(sys.executable).parent / "rclone")


@contextmanager
def serve(*arguments: str) -> Iterator[str]:
    """Run `rclone serve` on a free port of the loopback interface and yield its host and port."""
    command = [RCLONE, "serve", *arguments, "--addr", "127.0.0.1:0", "--config", "/dev/null"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            for line in server.stderr:
                if "127.0.0.1:" in line:
                    break
            else:
                pytest.fail("rclone ended before it served")
            yield "127.0.0.1:" + line.split("127.0.0.1:")[1].split("/")[0].split("]")[0].strip().rstrip('"')
        finally:
            server.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def s3_settings(address: str, *, bucket: str = "models", key: str = "SECRET") -> str:
    return (
        f"['remote \"storage\"']\n    url = s3://{bucket}/dvc\n    endpointurl = http://{address}\n"
        f"    access_key_id = KEY\n    secret_access_key = {key}\n    use_ssl = false\n"
    )


@pytest.fixture
def s3(tiny: TinyProject, tmp_path: Path) -> Iterator[str]:
    """Serve an S3 store that holds what was pushed, under the bucket ``models``, and yield its address."""
    store = tmp_path / "s3" / "models" / "dvc"
    store.parent.mkdir(parents=True)
    tiny.remote.rename(store)
    with serve("s3", "--auth-key", "KEY,SECRET", str(tmp_path / "s3")) as address:
        yield address


@pytest.mark.acceptance
def test_s3_remote_is_read_for_the_baseline_and_the_candidate(
    tiny: TinyProject, s3: str, baseline_of: Yield, produce: Yield
) -> None:
    tiny.forget_cache()
    tiny.write(".dvc/config.local", s3_settings(s3))
    tiny.write("params.yaml", "shift: 0.2\n")

    assert baseline_of(tiny).info.source == Source.DVC_REMOTE
    assert values(produce(tiny))["metrics.json:accuracy"] == pytest.approx(0.8)


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (lambda address: s3_settings(address, key="WRONG"), "refuses these credentials"),
        (lambda address: s3_settings(address, bucket="nobody"), "names a bucket that does not exist"),
        (lambda _: s3_settings(f"127.0.0.1:{free_port()}"), "cannot be reached: .* Connection refused"),
    ],
    ids=["wrong key", "missing bucket", "nobody listens"],
)
@pytest.mark.parametrize("action", ["baseline", "candidate"])
def test_s3_remote_that_fails_is_one_message_with_its_cause(  # noqa: PLR0917  three fixtures, three parameters
    tiny: TinyProject,
    s3: str,
    baseline_of: Yield,
    produce: Yield,
    settings: Callable[[str], str],
    message: str,
    action: str,
) -> None:
    tiny.forget_cache()
    tiny.write(".dvc/config.local", settings(s3))
    tiny.write("params.yaml", "shift: 0.2\n")

    with pytest.raises(WorkspaceError, match=message) as caught:
        produce(tiny) if action == "candidate" else baseline_of(tiny)

    assert "storage" in caught.value.what
    assert caught.value.fix


@pytest.mark.acceptance
def test_s3_remote_without_credentials_says_which_are_needed(
    tiny: TinyProject, s3: str, baseline_of: Yield, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny.forget_cache()
    kept = [line for line in s3_settings(s3).splitlines() if "_key" not in line]
    tiny.write(".dvc/config.local", "\n".join(kept))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(WorkspaceError, match="asks for credentials, and there are none") as caught:
        baseline_of(tiny)

    assert "AWS_ACCESS_KEY_ID" in caught.value.expected
    assert "forks" in caught.value.fix
    assert "examples/workflows/forks-approved.yml" in caught.value.fix


@pytest.mark.acceptance
@pytest.mark.parametrize("protocol", ["http", "webdav", "sftp"])
def test_other_remotes_are_read(tiny: TinyProject, baseline_of: Yield, produce: Yield, protocol: str) -> None:
    tiny.forget_cache()
    options = ("--user", "ada", "--pass", "secret") if protocol == "sftp" else ()
    with serve(protocol, *options, str(tiny.remote)) as address:
        url = {"sftp": f"ssh://ada@{address}/", "http": f"http://{address}", "webdav": f"webdav://{address}"}[protocol]
        password = "    password = secret\n" if protocol == "sftp" else ""
        tiny.write(".dvc/config.local", f"['remote \"storage\"']\n    url = {url}\n{password}")
        tiny.write("params.yaml", "shift: 0.2\n")

        assert baseline_of(tiny).info.source == Source.DVC_REMOTE
        assert values(produce(tiny))["metrics.json:accuracy"] == pytest.approx(0.8)


@pytest.mark.acceptance
@pytest.mark.parametrize("url", ["gs://bucket/x", "azure://container/x"])
def test_cloud_remote_without_credentials_or_network_is_one_message(
    tiny: TinyProject, baseline_of: Yield, url: str
) -> None:
    tiny.forget_cache()
    tiny.use_remote(url)

    with pytest.raises(WorkspaceError, match=r"^The DVC remote storage \(.*\) (cannot be reached|asks for)"):
        baseline_of(tiny)


def test_folder_that_does_not_exist_is_one_message(tiny: TinyProject, baseline_of: Yield) -> None:
    tiny.forget_cache()
    tiny.use_remote("/nonexistent")

    with pytest.raises(WorkspaceError, match=r"storage .*/nonexistent.* does not exist here"):
        baseline_of(tiny)


def test_unreachable_remote_does_not_matter_where_nothing_is_needed_from_it(tiny: TinyProject, produce: Yield) -> None:
    tiny.use_remote("/nonexistent")
    tiny.write("params.yaml", "shift: 0.2\n")

    assert values(produce(tiny))["metrics.json:accuracy"] == pytest.approx(0.8)


def test_no_default_remote_is_one_message(tiny: TinyProject, produce: Yield) -> None:
    tiny.forget_cache()
    tiny.write(".dvc/config", "")
    (tiny.root / ".dvc/config.local").unlink()

    with pytest.raises(WorkspaceError, match="DVC has no default remote"):
        produce(tiny)


def test_object_that_nobody_has_is_not_read_as_no_change(tiny: TinyProject, baseline_of: Yield) -> None:
    tiny.forget_cache()
    for path in (tiny.remote / "files/md5").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.unlink()

    with pytest.raises(
        WorkspaceError, match=r"data/raw\.csv is needed and is neither in the DVC cache nor in the remote"
    ):
        baseline_of(tiny)


def test_results_that_were_never_pushed_are_produced_again(
    tiny: TinyProject, produce: Yield, baseline_of: Yield
) -> None:
    tiny.start_branch()
    tiny.write("params.yaml", "shift: 0.2\n")
    tiny.dvc("repro", "--quiet")
    tiny.commit("forgot dvc push")
    tiny.forget_cache()

    assert states(produce(tiny)) == {"prepare": "unchanged", "evaluate": "ran"}
    tiny.forget_cache()
    assert values(baseline_of(tiny, "change"))["eval/cached.json:shift"] == 0.2


def test_results_that_were_never_pushed_are_an_error_where_nothing_may_run(tiny: TinyProject, produce: Yield) -> None:
    tiny.start_branch()
    tiny.write("params.yaml", "shift: 0.2\n")
    tiny.dvc("repro", "--quiet")
    tiny.commit("forgot dvc push")
    tiny.forget_cache()

    with pytest.raises(WorkspaceError, match=r"is not available: eval/\S+ is neither") as caught:
        produce(tiny, reproduce="never")

    assert "dvc push" in caught.value.fix
