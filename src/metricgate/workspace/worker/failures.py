"""DVC's exceptions as the three sentences of our errors: its exit codes and texts alone classify nothing."""

from collections.abc import Iterator

from metricgate.workspace.messages import Failed


class PipelineFailedError(Exception):
    """A failure of which the worker itself knows the sentences."""

    def __init__(self, what: str, *, expected: str, fix: str) -> None:
        super().__init__(what)
        self.failed = Failed(what=what, expected=expected, fix=fix)


def explain_failure(error: BaseException) -> Failed:
    """Return what happened, what was expected and what to do, for anything that DVC or a remote raises."""
    if isinstance(error, PipelineFailedError):
        return error.failed
    chain = list(_causes(error))
    for cause in chain:
        if type(cause).__name__ == "StageCmdFailedError":
            return Failed(
                what=f"The pipeline failed: {cause}.",
                expected="every stage of dvc.yaml to end with exit code 0.",
                fix="run `dvc repro` on your machine; the last lines of its output follow.",
            )
    last = chain[-1]
    return Failed(
        what=f"DVC failed: {_sentence(error)}",
        expected="a DVC project that `dvc repro` and `dvc pull` work in.",
        fix="run `dvc status` and `dvc pull` in the checkout and repair what they name.",
        details=f"{type(last).__name__}: {last}",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if text.endswith(".") else f"{text}."
