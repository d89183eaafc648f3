"""DVC's exceptions as the three sentences of an error: its exit codes and texts alone do not classify them."""

import re
from collections.abc import Iterator, Sequence

from metricgate.execution import memory
from metricgate.execution.memory import describe_kill
from metricgate.execution.messages import Failed
from metricgate.execution.worker.dvc_remote import Remote
from metricgate.execution.worker.pipeline_file_failures import explain_pipeline_file


class PipelineFailedError(Exception):
    """A failure that the worker itself explains."""

    def __init__(self, what: str, *, expected: str, fix: str, topic: str, details: str = "") -> None:
        super().__init__(what)
        self.failed = Failed(what=what, expected=expected, fix=fix, topic=topic, details=details)


class RemoteFailedError(PipelineFailedError):
    """The remote as a whole fails: no other file can be fetched either."""


_FAILED_COMMAND = "StageCmdFailedError"
_APPROVAL = (
    "Pull requests from forks and from Dependabot do not get secrets. To judge one after a review, start a workflow by "
    "hand (`on: workflow_dispatch`): its job has `environment:` with required reviewers and these secrets, checks out "
    "refs/pull/N/merge with `fetch-depth: 2`, ends unless HEAD^2 is the reviewed commit, and runs MetricGate with "
    "`baseline: HEAD^1`. "
    "examples/workflows/forks-approved.yml is that workflow."
)
_NO_CREDENTIALS = re.compile(
    r"NoCredentials|PartialCredentials|CredentialRetrieval|DefaultCredentials|Unable to locate credentials"
    r"|could not be determined .*credentials|No authentication|Authentication to Azure|AuthenticationRequired"
    r"|Anonymous caller|ProfileNotFound"
)
_REFUSED = re.compile(
    r"\b40[13]\b|Forbidden|Access ?Denied|InvalidAccessKeyId|SignatureDoesNotMatch|Unauthorized|ExpiredToken"
    r"|Permission denied|PermissionDenied|AuthenticationFailed|HostKeyNotVerifiable|Host key is not trusted",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"EndpointConnectionError|ConnectionRefused|ConnectionError|gaierror|Name or service not known|Could not connect"
    r"|ConnectTimeout|TimeoutError|timed out|Connection reset|ServiceUnavailable|\b503\b|No route to host"
)
_NOT_FETCHED = ("CheckoutError", "DownloadError", "FileMissingError", "CollectCacheError")
_OBJECT = re.compile(r"/files/md5/[0-9a-f]{2}/[0-9a-f]{30}")  # where caches and remotes keep a file
_FROM_STORAGE = re.compile(
    r"^(?:botocore|aiobotocore|s3fs|gcsfs|adlfs|azure|google|asyncssh|sshfs|aiohttp|webdav4|httpx|fsspec|dvc_)"
)


def explain_failure(error: BaseException, remote: Remote | None = None) -> Failed:
    """Return what happened, what was expected and what to do, for anything that DVC or a remote raises."""
    if isinstance(error, PipelineFailedError):
        return error.failed
    chain = list(_causes(error))
    return (
        _explain_stage(chain)
        or explain_pipeline_file(chain)
        or _explain_permission(chain)
        or (_explain_plugin(chain, remote) if remote else None)
        or (_explain_remote(chain, remote) if remote else None)
        or _explain_missing(chain)
        or _explain_anything(chain)
    )


def is_failed_command(error: BaseException) -> bool:
    """Return whether a stage's own command failed, rather than DVC."""
    return any(type(cause).__name__ == _FAILED_COMMAND for cause in _causes(error))


def find_remote_failure(error: BaseException, remote: Remote | None) -> RemoteFailedError | None:
    """Return the failure of the remote as a whole that ``error`` stems from; None where other files can be fetched."""
    chain = list(_causes(error))
    if remote is None or not (_explain_plugin(chain, remote) or _explain_remote(chain, remote)):
        return None
    failed = explain_failure(error, remote)
    return RemoteFailedError(
        failed.what, expected=failed.expected, fix=failed.fix, topic=failed.topic, details=failed.details
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _explain_stage(chain: Sequence[BaseException]) -> Failed | None:
    for cause in chain:
        if type(cause).__name__ == _FAILED_COMMAND:
            code = re.search(r"exited with (-?\d+)$", str(cause))
            if killed := describe_kill(int(code[1]) if code else 0):
                what = f"A stage of the pipeline was {killed}: {_sentence(cause)}"
                return Failed(what=what, expected=memory.EXPECTED, fix=memory.FIX, topic="a-stage-was-killed")
            return Failed(
                what=f"The pipeline failed: {_sentence(cause)}",
                expected="every stage to end with exit code 0.",
                fix="run `dvc repro` on your machine and fix the stage; the report shows its last lines of output.",
                topic="a-stage-failed",
            )
    return None


def _explain_permission(chain: Sequence[BaseException]) -> Failed | None:
    for cause in chain:
        if isinstance(cause, PermissionError) and cause.filename and cause.errno:
            return Failed(
                what=f"{cause.filename} cannot be written: {cause.strerror}.",
                expected="a checkout whose files belong to the user who runs the pipeline.",
                fix="change the owner of that file, or remove it; an earlier step may have run as root.",
                topic="a-file-cannot-be-written",
            )
    return None


def _explain_plugin(chain: Sequence[BaseException], remote: Remote) -> Failed | None:
    if not any(isinstance(cause, ImportError) and "is supported, but requires" in str(cause) for cause in chain):
        return None
    return Failed(
        what=f"{remote.title} needs DVC's plugin for {remote.kind}, which is not installed.",
        expected=f"the package dvc[{remote.kind}] installed with MetricGate (the action's image has it).",
        fix=f"install it: `pip install 'dvc[{remote.kind}]'`.",
        topic="dvc-needs-a-plugin",
    )


def _explain_remote(chain: Sequence[BaseException], remote: Remote) -> Failed | None:
    for cause in chain:
        if _NO_CREDENTIALS.search(str(cause)):
            return _classify(str(cause), remote)
        if not (_FROM_STORAGE.match(type(cause).__module__) or isinstance(cause, OSError)):
            continue
        if isinstance(cause, OSError) and cause.filename and not cause.filename2 and remote.kind != "local":
            continue  # a file of this machine
        text = f"{type(cause).__name__}: {cause}"
        if failed := _classify(text, remote):
            return failed
    return None


def _classify(text: str, remote: Remote) -> Failed | None:
    details = text[:2000]
    if _NO_CREDENTIALS.search(text):
        return Failed(
            what=f"{remote.title} asks for credentials, and there are none.",
            expected=f"{remote.needs}.",
            fix=f"add them to the step. {_APPROVAL}",
            details=details,
            topic="the-remote-asks-for-credentials",
        )
    if _REFUSED.search(text):
        return Failed(
            what=f"{remote.title} refuses these credentials.",
            expected=f"{remote.needs}.",
            fix=f"correct the secrets or the permissions of their user. {_APPROVAL}",
            details=details,
            topic="the-remote-refuses-the-credentials",
        )
    if _UNREACHABLE.search(text):
        return Failed(
            what=f"{remote.title} cannot be reached.",
            expected="a remote that this machine can reach.",
            fix="check the address in .dvc/config and the network or VPN of the runner; then run again.",
            details=details,
            topic="the-remote-cannot-be-reached",
        )
    return None


def _explain_missing(chain: Sequence[BaseException]) -> Failed | None:
    for cause in chain:
        if type(cause).__name__ in _NOT_FETCHED or (
            isinstance(cause, FileNotFoundError) and _OBJECT.search(str(cause))
        ):
            return Failed(
                what="Files that the pipeline needs are neither in the DVC cache nor in the remote.",
                expected="all files that dvc.lock and the .dvc files name, pushed to the remote.",
                fix="run `dvc push` on the machine that has them.",
                details=_sentence(cause),
                topic="files-are-missing-from-the-remote",
            )
        if isinstance(cause, FileNotFoundError) or type(cause).__name__ == "MissingDataSource":
            return Failed(
                what=f"A file that the pipeline needs does not exist: {_sentence(cause)}",
                expected="every dependency of a stage in Git, tracked by DVC, or written by an earlier stage.",
                fix="commit it, or track it with `dvc add` and `dvc push`.",
                topic="a-file-of-the-pipeline-does-not-exist",
            )
    return None


def _explain_anything(chain: Sequence[BaseException]) -> Failed:
    first, last = chain[0], chain[-1]
    return Failed(
        what=f"DVC failed: {_sentence(first)}",
        expected="a DVC project that `dvc status` and `dvc pull` work in.",
        fix="run `dvc status` and `dvc pull` in the checkout and fix what they report.",
        details=f"{type(last).__name__}: {last}" if last is not first else "",
        topic="dvc-failed",
    )


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if text.endswith(".") else f"{text}."
