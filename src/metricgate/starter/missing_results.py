"""A policy without a gate would pass for ever: what a project lacks for its first one."""

from metricgate.errors import ConfigurationError
from metricgate.settings.policy import FILE_NAME
from metricgate.settings.policy_file import read_policy
from metricgate.starter.framework import show_lines
from metricgate.starter.number_gates import suggest_gates
from metricgate.starter.project_survey import Survey

_EXPECTED = "predictions, a metrics file with a number whose name says which way is better, or a stored model and its test data."


def require_gates(text: str, survey: Survey, problem: str) -> None:
    """Raise ConfigurationError for a policy that would judge nothing, and say what the project lacks."""
    policy = read_policy(text, origin=FILE_NAME)
    if policy.gates or policy.predictions is not None:
        return
    _, numbers = suggest_gates(survey.metrics)
    if numbers:
        what = f"No number of this project has a name that says which way is better: {', '.join(numbers[:8])}."
        raise ConfigurationError(
            f"{what} Nothing was written.",
            expected=_EXPECTED,
            fix=_describe_gate(numbers[0]),
            topic="nothing-to-judge-yet",
        )
    if survey.predictions is not None and not survey.absent:
        raise ConfigurationError(
            f"{survey.predictions.why_not}, and there is no metrics file. Nothing was written.",
            expected=_EXPECTED,
            fix=f"make it readable, then run `metricgate init` again; or name its columns in {FILE_NAME} yourself.",
            topic="nothing-to-judge-yet",
        )
    tried = f" No stored model can be judged as it lies: {problem}." if problem else ""
    raise ConfigurationError(
        f"{_describe_absence(survey)}{tried} Nothing was written.",
        expected=_EXPECTED,
        fix=_name_way_out(survey),
        details="" if survey.absent else show_lines(survey.framework),
        topic="nothing-to-judge-yet",
    )


def _describe_gate(name: str) -> str:
    return (
        f"write {FILE_NAME} with the line `gates: [{{metric: {name}, max_drop: 5%}}]` "
        "(max_increase where lower is better), then run `metricgate init` again for the workflow."
    )


def _describe_absence(survey: Survey) -> str:
    if survey.absent:
        return f"dvc.yaml names {', '.join(survey.absent[:5])} as metrics, and no such file is here."
    return "There are no predictions and no metrics file, so there is nothing to judge."


def _name_way_out(survey: Survey) -> str:
    if survey.absent:
        return "run `dvc pull` or `dvc repro`, then `metricgate init` again."
    if survey.command:
        return f"run `{survey.command}` once; if it leaves no results, add lines like these to it; then `metricgate init` again."
    return "let the training write its predictions (these lines do it) or a metrics.json, then `metricgate init` again."
