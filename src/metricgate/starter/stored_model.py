"""Whether a stored model can be judged as it lies: it is loaded, and scores a table, before a policy names it."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from metricgate.context import RunContext
from metricgate.errors import MetricgateError
from metricgate.execution.model_scoring import ScoredModel, try_model
from metricgate.predictions import open_table
from metricgate.processes.progress import Progress
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import EvaluationSpec, PipelineSpec
from metricgate.starter.first_gates import choose_gates
from metricgate.starter.prediction_tables import TABLE_SUFFIXES, PredictionsFound
from metricgate.starter.project_survey import Survey, find_outputs

MODEL_SUFFIXES = (".joblib", ".skops", ".pkl", ".pickle", ".pkl.gz")
MOST_TRIED = 3
TIMEOUT_S = 600.0  # the packages may have to be installed first
TEST_WORDS = ("test", "holdout", "eval", "valid")


@dataclass(frozen=True, kw_only=True)
class ModelTrial:
    """What became of the stored models: the section of the policy for the one that works, or why none does."""

    evaluation: EvaluationSpec | None = None
    answers: PredictionsFound | None = None
    problem: str = ""


def try_models(checkout: Checkout, survey: Survey, progress: Progress) -> ModelTrial:
    """Load the project's stored models in its own Python, as its owner, until one scores the test data.

    Only where there are no predictions. Nothing is written to the project.
    """
    models = find_models(survey.files)
    if (survey.predictions is not None and survey.predictions.task is not None) or not models:
        return ModelTrial()
    data = find_test_data(survey.files)
    if data is None:
        return ModelTrial(
            problem=f"{models[0]} could be judged on a table of test data, and none is here "
            f"(a name with {', '.join(TEST_WORDS)})"
        )
    problems = []
    for model in models[:MOST_TRIED]:
        unkept = next((name for name in (model, data) if not _is_kept(checkout, name)), None)
        if unkept is not None:
            problems.append(f"{unkept} is neither in Git nor under DVC, so main's own is not known")
            continue
        try:
            return _try_model(checkout, survey, progress, model, data)
        except MetricgateError as error:
            problems.append(error.what.rstrip("."))
    return ModelTrial(problem="; ".join(problems))


def _is_kept(checkout: Checkout, name: str) -> bool:
    """Return whether each revision has a file of its own: in Git, in a .dvc file, or as an output of dvc.yaml."""
    around = [name, *map(str, Path(name).parents)]
    made = {output for output, _ in find_outputs(checkout.directory)}
    return any((checkout.directory / f"{path}.dvc").is_file() or path in made for path in around) or bool(
        checkout.git("-C", str(checkout.directory), "ls-files", "--", name)
    )


def find_models(files: Iterable[str]) -> tuple[str, ...]:
    """Return the files that joblib, pickle or skops may have written, those named like models first."""
    stored = [name for name in files if name.lower().endswith(MODEL_SUFFIXES)]
    return tuple(sorted(stored, key=lambda name: "model" not in name.lower()))


def find_test_data(files: Iterable[str]) -> str | None:
    """Return the table that is named like test data, the nearest first."""
    tables = [name for name in files if name.endswith(TABLE_SUFFIXES)]
    return next((name for word in TEST_WORDS for name in tables if word in Path(name).stem.lower()), None)


def _try_model(checkout: Checkout, survey: Survey, progress: Progress, model: str, data: str) -> ModelTrial:
    asked = EvaluationSpec.model_construct(model=model, data=data)
    with open_trial(checkout, progress) as context, progress.step(f"Try {model} on {data}"):
        found = try_model(context, PipelineSpec(requirements=survey.requirements), asked)
        return ModelTrial(evaluation=found.evaluation, answers=_read_answers(found))


@contextmanager
def open_trial(checkout: Checkout, progress: Progress) -> Iterator[RunContext]:
    """Yield the context of something that is tried and leaves nothing behind, where the checkout's owner may read."""
    with tempfile.TemporaryDirectory(prefix="metricgate-") as name:
        folder = Path(name)
        scratch = folder / "scratch"
        scratch.mkdir()
        for path in (folder, scratch):
            path.chmod(0o755)
        yield RunContext(
            checkout=checkout,
            progress=progress,
            logs=folder / "logs",
            scratch=scratch,
            timeout_s=TIMEOUT_S,
            use_active=True,
        )


def _read_answers(found: ScoredModel) -> PredictionsFound:
    with open_table(found.file, found.evaluation.data) as table:
        ((rows,),) = table.ask("SELECT count(*) FROM rows")
    task = found.columns.task
    assert task is not None  # noqa: S101  scoring names it
    return PredictionsFound(
        spec=found.columns, task=task, rows=rows, gates=choose_gates(found.file, found.columns, task)
    )
