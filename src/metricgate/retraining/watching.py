"""What `monitor:` shows about the released model, as reasons to retrain it."""

from metricgate.errors import WorkspaceError
from metricgate.monitoring.story import WatchRequest, list_drifted, list_losses, watch_release
from metricgate.processes.progress import Progress
from metricgate.report.headline import headline
from metricgate.retraining.plan import Watched


def watch(request: WatchRequest, progress: Progress) -> Watched:
    """Return what drifted and what lost too much.

    Raises
    ------
    WorkspaceError
        If the released model could not be watched: "nothing is shown" would be a guess.
    """
    report = watch_release(request, progress)
    if report.failure is not None:
        raise WorkspaceError(
            f"The released model could not be watched: {report.failure.what}",
            expected=report.failure.expected,
            fix=report.failure.fix,
            details=report.failure.details,
            topic=report.failure.topic,
        )
    return Watched(drifted=list_drifted(report), lost=list_losses(report), headline=headline(report))
