"""The image, run as GitHub's runner runs a container action."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from metricgate.processes.writable_folders import OPTIONS
from metricgate.publish.github.destination import STATE
from tests.container.container_job import RUNNER_UID, ContainerJob
from tests.e2e.laptop import copy_for_a_laptop, drop_place, run_on_a_laptop
from tests.e2e.test_forks import describe_run, make_fork, zip_folder
from tests.e2e.workflow import EVENT, NUMBER
from tests.github.fake import TOKEN
from tests.github.state import Artifact, Token

POST_ENTRYPOINT = "/opt/metricgate/bin/metricgate-post"  # action.yml's, which a test of the workflows compares

pytestmark = pytest.mark.acceptance


def test_the_worse_pull_request_is_blocked_in_one_comment_and_leaves_no_file_of_root(job: ContainerJob) -> None:
    job.open_pull_request()

    first = job.run()
    second = job.run()

    assert (first.exit_code, second.exit_code) == (1, 1), first.log
    assert first.outputs["verdict"] == first.report["verdict"] == "failed"
    assert first.outputs["baseline-sha"] == job.churn.sha("main")
    (comment,) = job.fake.comments(NUMBER)
    assert "ROC AUC is 0.026 lower" in comment.body
    *_, check = job.fake.checks(job.head)
    assert check.conclusion == "failure"
    assert "ROC AUC" in first.summary
    owner = str(job.workspace.stat().st_uid)
    command = ["find", str(job.runner), "!", "-uid", owner]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == ""


LOAD_ALL = """
import ctypes, os, pathlib, sys
libraries = sorted(pathlib.Path(sys.prefix).rglob("*.so"))
failed = {}
for path in libraries:
    try:
        ctypes.CDLL(str(path), mode=os.RTLD_LAZY)
    except OSError as error:
        failed[path.name] = str(error)
print(len(libraries), failed, flush=True)
os._exit(0)  # extension modules that were loaded as plain libraries cannot be finalised
"""


def test_every_compiled_module_of_the_image_still_loads(image: str) -> None:
    """Stripping a library whose layout auditwheel rewrote breaks it, and only its first user would notice."""
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "/opt/metricgate/bin/python", image]
    done = subprocess.run([*command, "-c", LOAD_ALL], check=True, capture_output=True, text=True)

    count, _, failed = done.stdout.partition(" ")
    assert int(count) > 200
    assert failed.strip() == "{}"


LOOK_AROUND = """
import importlib, json, shutil
for remote in ("s3", "gs", "azure", "ssh", "http", "webdav"):
    importlib.import_module(f"dvc_{remote}")
tools = [name for name in ("cc", "gcc", "g++", "make", "strip", "ld") if shutil.which(name)]
import sklearn.metrics
print(json.dumps([tools, sklearn.metrics.__cached__]))
"""


def test_the_image_has_every_remote_no_compiler_and_bytecode(image: str) -> None:
    run = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "/opt/metricgate/bin/python", image]
    done = subprocess.run([*run, "-c", LOOK_AROUND], check=True, capture_output=True, text=True)
    labels = subprocess.run(
        ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", image],
        check=True,
        capture_output=True,
        text=True,
    )

    tools, bytecode = json.loads(done.stdout)
    found = subprocess.run([*run[:-2], "test", image, "-f", bytecode], check=False)
    assert tools == []
    assert found.returncode == 0, f"{bytecode} was not kept"
    wanted = {"title", "description", "source", "licenses", "version", "revision"}
    assert {f"org.opencontainers.image.{name}" for name in wanted} <= set(json.loads(labels.stdout))


def test_a_laptop_says_the_same_as_the_image(job: ContainerJob, tmp_path: Path) -> None:
    job.open_pull_request()
    laptop = copy_for_a_laptop(job.churn, tmp_path)

    in_the_image = job.run()
    here = run_on_a_laptop(laptop)

    assert here.exit_code == in_the_image.exit_code == 1, in_the_image.log
    assert drop_place(here.report) == drop_place(in_the_image.report)


def test_the_pipeline_runs_as_the_owner_and_sees_neither_token_nor_the_runners_files(job: ContainerJob) -> None:
    spy = "import json, os\njson.dump([dict(os.environ), os.getuid()], open('seen.json', 'w'))\n"
    job.churn.write("src/train.py", spy + (job.churn.repository / "src/train.py").read_text(encoding="utf-8"))
    job.churn.commit()
    job.open_pull_request()

    step = job.run()

    environment, uid = json.loads((job.workspace / "seen.json").read_text(encoding="utf-8"))
    assert step.outputs["verdict"] == "failed", step.log
    assert TOKEN not in str(environment)
    assert not {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE"} & set(environment)
    assert uid == job.workspace.stat().st_uid


def test_nothing_is_imported_from_the_pull_request_by_root(job: ContainerJob) -> None:
    trap = (
        "import os\nif os.getuid() == 0:\n    open('trapped', 'w').close()\nraise ImportError('from the workspace')\n"
    )
    for name in ("click", "pydantic", "numpy", "dvc"):
        job.churn.write(f"{name}.py", trap)
    job.churn.commit()
    job.open_pull_request()

    step = job.run()

    assert not (job.workspace / "trapped").exists()
    assert step.outputs["verdict"] == "failed", step.log


def test_it_decides_without_any_network(job: ContainerJob) -> None:
    job.open_pull_request()
    job.network = "none"

    step = job.run(github_token="")

    assert step.exit_code == 1, step.log
    assert step.outputs["verdict"] == "failed"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_job_says_so(job: ContainerJob, sent: signal.Signals) -> None:
    job.churn.write("src/train.py", "import time\nprint('training now', flush=True)\ntime.sleep(600)\n")
    job.churn.commit()
    job.open_pull_request()

    client = job.start()
    assert client.stdout is not None
    while "training now" not in (line := client.stdout.readline()):
        assert line, "the container ended before it trained"
    os.kill(client.pid, sent)  # the docker client hands the signal on to PID 1
    step = job.finish(client)

    assert step.exit_code == 130, step.log
    assert step.outputs["verdict"] == "cancelled"
    *_, check = job.fake.checks(job.head)
    assert check.conclusion == "cancelled"


@pytest.mark.parametrize(
    "options",
    [("--user", f"{RUNNER_UID}:127"), ("--cap-drop", "KILL"), ("--read-only", *OPTIONS.split())],
    ids=["a user id without a name", "no CAP_KILL", "a read-only root"],
)
def test_a_narrower_container_gives_the_same_verdict(job: ContainerJob, options: tuple[str, ...]) -> None:
    job.open_pull_request()
    job.options = options

    step = job.run()

    assert step.exit_code == 1, step.log
    assert step.outputs["verdict"] == "failed"
    assert "Traceback" not in step.log
    assert "ROC AUC is 0.026 lower" in job.fake.comments(NUMBER)[0].body


def test_a_read_only_root_is_told_which_folders_it_needs(job: ContainerJob) -> None:
    job.open_pull_request()
    job.options = ("--read-only",)

    step = job.run()

    assert step.exit_code == 2, step.log
    assert "Nothing can be written to /tmp and /var/tmp in this container." in step.log
    assert OPTIONS in step.summary
    assert "Traceback" not in step.log


def test_without_cap_kill_the_error_of_the_pipeline_is_told(job: ContainerJob) -> None:
    leave = "import subprocess, sys\nsubprocess.Popen(['sleep', '600'])\nsys.exit(3)\n"
    job.churn.write("src/train.py", leave)
    job.churn.commit()
    job.open_pull_request()
    job.options = ("--cap-drop", "KILL")

    step = job.run()

    assert step.exit_code == 4, step.log
    assert "exited with 3" in step.report["failure"]["what"]
    assert "Traceback" not in step.log


def test_a_misspelt_input_is_refused_by_name(job: ContainerJob) -> None:
    job.open_pull_request()

    step = job.run(working_directry=".")

    assert step.exit_code == 2
    assert "Did you mean 'working-directory'?" in step.log


def test_a_fork_is_judged_without_rights_and_answered_by_a_second_container(job: ContainerJob) -> None:
    head = job.open_pull_request()
    make_fork(job)
    job.fake.tokens[TOKEN] = Token(permissions={"contents": "read"})
    judged = job.run()
    assert (judged.exit_code, job.fake.writes) == (1, []), judged.log

    report = zip_folder(job.workspace / judged.outputs["report"])
    job.fake.artifacts.append(Artifact(1, "metricgate-report", 4711, report))
    job.fake.tokens[TOKEN] = Token()
    job.runner.joinpath(EVENT).write_text(json.dumps(describe_run(job, head)), encoding="utf-8")
    job.add_variables(GITHUB_EVENT_NAME="workflow_run", GITHUB_RUN_ID="4712")
    published = job.run(mode="publish")

    assert published.exit_code == 1, published.log
    (comment,), (check,) = job.fake.comments(NUMBER), job.fake.checks(head)
    assert "Blocked: ROC AUC" in comment.body
    assert check.conclusion == "failure"


def test_the_post_step_completes_the_check_of_a_killed_container(job: ContainerJob) -> None:
    job.churn.write("src/train.py", "import time\nprint('training now', flush=True)\ntime.sleep(600)\n")
    job.churn.commit()
    job.open_pull_request()
    client = job.start()
    assert client.stdout is not None
    while "training now" not in (line := client.stdout.readline()):
        assert line, "the container ended before it trained"
    subprocess.run(["docker", "kill", job.container], check=True, capture_output=True)
    job.finish(client)
    (check,) = job.fake.checks(job.head)
    assert check.status == "in_progress"

    job.add_variables(**{f"STATE_{STATE}": str(check.number)})
    job.entrypoint = POST_ENTRYPOINT
    post = job.run()

    assert post.exit_code == 0, post.log
    (check,) = job.fake.checks(job.head)
    assert (check.status, check.conclusion) == ("completed", "failure")
