"""How a revision's results are produced, in the checkout or in a work tree of the baseline's."""

import hashlib
from pathlib import Path

from metricgate.errors import WorkspaceError
from metricgate.execution.environment import find_python, prepare_environment
from metricgate.execution.messages import Answer, FoundFile, Override, Request
from metricgate.execution.session import ask_worker, explain_missing_module, start_worker, withhold_unreadable
from metricgate.execution.work_tree import ProduceOptions, Site
from metricgate.models.snapshot import Stage
from metricgate.processes.owner import Owner
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import FILE_NAME, PipelineSpec, Policy

__all__ = ["hash_command", "produce_results"]


_PARAMETERS = "params.yaml"


def hash_command(checkout: Checkout, pipeline: PipelineSpec, revision: str) -> str:
    """Return the key of a command's inputs: what it reads is not known, so all of the project's folder but the policy."""
    listed = checkout.git("ls-tree", f"{revision}:{checkout.prefix}").splitlines()
    tree = "\n".join(line for line in listed if not line.endswith(f"\t{FILE_NAME}"))
    return hashlib.sha256(f"{pipeline.model_dump_json()}\n{tree}".encode()).hexdigest()


def produce_results(site: Site, policy: Policy, options: ProduceOptions, known: tuple[str, ...] = ()) -> Answer:
    """Run what must be run at ``site``, and say what is there then; nothing if its inputs are among the ``known``.

    Raises
    ------
    WorkspaceError
        If DVC, the pipeline or its environment fails; TimeLimitError if it is too slow.
    """
    request = Request(
        action="produce",
        directory=str(site.directory),
        reproduce=options.reproduce == "if-needed",
        predictions=tuple(spec.path for spec in policy.prediction_sets.values()),
        metrics=options.pipeline.metrics,
        files=str(site.make_folder(site.files)),
        shares_with=None if site.shares_with is None else str(site.shares_with),
        known=known,
        overrides=list_overrides(options.pipeline),
    )
    if options.pipeline.command is None:
        return _complete(_ask_pipeline(site, request, options), request, site.owner)
    if options.reproduce == "never":
        return _complete(_ask(site, request.model_copy(update={"action": "read"}), options), request, site.owner)
    pulled = _ask(site, request.model_copy(update={"action": "pull"}), options)
    if pulled.state == "known":
        return pulled
    environment = prepare_environment(site, options)
    stage = _run_pipeline_command(site, options.pipeline.command, options, environment)
    answer = _ask(site, request.model_copy(update={"action": "read"}), options)
    answer = answer.model_copy(update={"stages": (stage,), "python": find_python(site, environment)})
    return _complete(answer, request, site.owner)


def list_overrides(pipeline: PipelineSpec) -> tuple[Override, ...]:
    """Return the policy's other values for parameters, in the order of the file."""
    named = {name.rpartition(":")[::2]: value for name, value in pipeline.params.items()}
    return tuple(
        Override(file=file or _PARAMETERS, key=key, value=tuple(value) if isinstance(value, list) else value)
        for (file, key), value in named.items()
    )


def _ask_pipeline(site: Site, request: Request, options: ProduceOptions) -> Answer:
    """Have one worker say what is there, read the other revisions, and only then run what must be run."""
    with start_worker(
        site.directory,
        site.files,
        progress=site.progress,
        log=site.logs / f"{site.name}.log",
        owner=site.owner,
        timeout_s=options.timeout_s,
    ) as session:
        answer = session.ask(request.model_copy(update={"may_run": False}))
        if answer.state == "known":
            return answer
        for inspection in options.inspections.requests:
            site.make_folder(Path(inspection.files))
            site.progress.line(f"reading what {(inspection.revision or '')[:9]} recorded")
        options.inspections.ask(session)
        if answer.state == "done":
            return answer
        options.inspections.secure(options.scratch / "recorded")
        environment = prepare_environment(site, options)
        answer = session.ask(request.model_copy(update={"environment": tuple(environment.items())}), last=True)
    return answer.model_copy(update={"python": find_python(site, environment)})


def _ask(site: Site, request: Request, options: ProduceOptions) -> Answer:
    return ask_worker(
        request,
        progress=site.progress,
        log=site.logs / f"{site.name}.log",
        owner=site.owner,
        timeout_s=options.timeout_s,
    )


def _run_pipeline_command(site: Site, command: str, options: ProduceOptions, environment: dict[str, str]) -> Stage:
    site.progress.line(f"running `{command}`")
    ended = site.run(command, log="command", timeout_s=options.timeout_s, environment=environment)
    if ended.returncode != 0:
        raise WorkspaceError(
            f"The pipeline's command ended with exit code {ended.returncode}: {command}",
            expected="a command that ends with exit code 0.",
            fix=explain_missing_module(ended.output) or "run it on your machine and repair it.",
            details=ended.output,
        )
    return Stage(name="command", state="ran", seconds=ended.seconds)


def _complete(answer: Answer, request: Request, owner: Owner | None) -> Answer:
    """Find the files of a project without DVC, which the worker has nothing to say about."""
    if answer.project:
        return answer

    def find(name: str) -> FoundFile:
        path = Path(request.directory) / name
        if path.is_file():
            return FoundFile(path=name, local=str(path), source="workspace")
        return FoundFile(path=name, problem=f"{name} is not in the checkout", missing=True)

    found = {
        "metrics": tuple(map(find, sorted(request.metrics))),
        "predictions": tuple(map(find, request.predictions)),
    }
    return withhold_unreadable(answer.model_copy(update=found), owner)
