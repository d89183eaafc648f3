"""What a DVC project holds: metrics files, parameters, data, plots."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from metricgate.execution.messages import Broken, FoundPlot
from metricgate.execution.worker.dvc_failures import explain_failure
from metricgate.execution.worker.dvc_project import Project
from metricgate.execution.worker.revision_files import RevisionFiles
from metricgate.models.snapshot import DataEntry, Parameter, PlotFile, Scalar

T = TypeVar("T")


def read_inventory(what: str, read: Callable[[], list[T]], problems: list[Broken]) -> list[T]:
    """Return what ``read`` returns; where it fails, an empty list, and the reason is added to ``problems``."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001  an unreadable part is reported, the rest still compared
        problems.append(Broken(what=what, reason=explain_failure(error).what))
        return []


def list_metrics(project: Project) -> list[str]:
    """Return the metrics files of stages and of the top level of every dvc.yaml, relative to the project."""
    found = {out.fs_path for out in project.repo.index.metrics}
    found |= _top_level(project, project.repo.index._metrics)  # noqa: SLF001  DVC has no public name for them
    return sorted(name for path in found if project.inside(path) for name in _expand(project, path))


def _top_level(project: Project, definitions: Mapping[str, Any]) -> set[str]:
    fs = project.repo.fs
    return {fs.normpath(fs.join(fs.parent(dvcfile), name)) for dvcfile, names in definitions.items() for name in names}


def _expand(project: Project, path: str) -> list[str]:
    """Return the files of a metrics or plots folder, or the file itself."""
    fs = project.repo.dvcfs
    inside = "/" + project.repo.fs.relpath(path, project.repo.root_dir)
    if not fs.isdir(inside):
        return [project.name(path)]
    join, root = project.repo.fs.join, project.repo.root_dir
    return sorted(project.name(join(root, *fs.parts(file.lstrip("/")))) for file in fs.find(inside))


def list_parameters(project: Project) -> list[Parameter]:
    """Return every parameter, flat, in the order of file and key."""
    from dvc.repo.params.show import show  # noqa: PLC0415  costs time where there are none

    found = []
    for result in show(project.repo).values():
        if "error" in result:
            raise result["error"]
        for file, content in (result.get("data") or {}).items():
            if "error" in content:
                raise content["error"]
            path = project.repo.fs.join(project.repo.root_dir, file)
            if project.inside(path):
                found += [
                    Parameter(file=project.name(path), key=key, value=value)
                    for key, value in _flatten(content.get("data") or {})
                ]
    return sorted(found, key=lambda parameter: (parameter.file, parameter.key))


def _flatten(values: Any, prefix: str = "") -> Iterator[tuple[str, Scalar]]:
    if isinstance(values, Mapping) and values:
        for key, value in values.items():
            yield from _flatten(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(values, bool | int | str) or values is None:
        yield prefix, values
    elif isinstance(values, float):
        # NaN and infinity are legal in YAML but not in report.json.
        yield prefix, values if values - values == 0 else str(values)
    else:
        yield prefix, json.dumps(values, sort_keys=True, default=str)


def list_data(project: Project) -> list[DataEntry]:
    """Return every file and folder that DVC tracks, as recorded: nothing is read."""
    entries = [
        DataEntry(
            path=project.name(out.fs_path),
            hash=out.hash_info.value if out.hash_info else None,
            size=out.meta.size if out.meta else None,
            files=out.meta.nfiles if out.meta else None,
            output=bool(stage.cmd),
        )
        for stage in project.stages
        for out in stage.outs
        if out.use_cache and not out.is_metric and not out.is_plot
    ]
    return sorted(entries, key=lambda entry: entry.path)


def list_plots(project: Project, files: RevisionFiles) -> Iterator[FoundPlot]:
    """Yield every declared plot's data file; a folder yields one plot for each of its files."""
    for path, properties in sorted(_declared_plots(project).items()):
        if project.inside(path):
            for name in _expand(project, path):
                yield FoundPlot(plot=_describe_plot(name, properties), file=files.find(name, optional=True))


def _declared_plots(project: Project) -> dict[str, Mapping[str, Any]]:
    fs = project.repo.fs
    found: dict[str, Mapping[str, Any]] = {}
    for out in project.repo.index.plots:
        found[out.fs_path] = out.plot if isinstance(out.plot, Mapping) else {}
    for dvcfile, definitions in project.repo.index._plots.items():  # noqa: SLF001  as for metrics
        for name, properties in _plot_definitions(definitions):
            axis = properties.get("y")
            for source in axis if isinstance(axis, Mapping) else (name,):
                columns = axis[source] if isinstance(axis, Mapping) else axis
                path = fs.normpath(fs.join(fs.parent(dvcfile), source))
                found[path] = {**properties, "y": columns}
    return found


def _plot_definitions(definitions: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield a top-level plot's name and properties; dvc.yaml has a mapping of them, or a list of names and mappings."""
    for entry in [definitions] if isinstance(definitions, Mapping) else definitions:
        if isinstance(entry, Mapping):
            yield from ((str(name), properties or {}) for name, properties in entry.items())
        else:
            yield str(entry), {}


def _describe_plot(name: str, properties: Mapping[str, Any]) -> PlotFile:
    def text(key: str) -> str | None:
        value = properties.get(key)
        if isinstance(value, list | tuple):
            value = value[0] if value else None
        return value if isinstance(value, str) else None

    return PlotFile(
        path=name,
        template=text("template") or "linear",
        x=text("x"),
        y=text("y"),
        title=text("title") or "",
        x_label=text("x_label") or "",
        y_label=text("y_label") or "",
    )
