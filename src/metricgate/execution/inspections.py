"""What other revisions recorded, asked of the candidate's worker before it runs any code."""

import shutil
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from metricgate.errors import TimeLimitError, WorkspaceError
from metricgate.execution.messages import Answer, FoundFile, Request
from metricgate.execution.session import WorkerSession

__all__ = ["Inspections", "copy_files"]


@dataclass(frozen=True, kw_only=True)
class Inspections:
    """Requests about other revisions, and the answers that a worker gave to them beside another question.

    Importing DVC costs more processor time than reading a revision, so one worker is asked everything.
    """

    requests: tuple[Request, ...] = ()
    answers: dict[Request, Answer | WorkspaceError] = field(default_factory=dict)

    def ask(self, session: WorkerSession) -> None:
        """Have every request answered by a worker that has run nothing yet."""
        for request in self.requests:
            try:
                self.answers[request] = session.ask(request)
            except TimeLimitError:
                raise
            except WorkspaceError as error:
                self.answers[request] = error

    def secure(self, folder: Path) -> None:
        """Copy the files that were found into ``folder``, which code that runs next has no right to write to.

        Raises
        ------
        WorkspaceError
            If a revision could not be read: better said before the pipeline runs than after.
        """
        for number, (request, answer) in enumerate(self.answers.items()):
            if isinstance(answer, WorkspaceError):
                raise answer
            self.answers[request] = copy_files(answer, folder / str(number))

    def take(self, request: Request) -> Answer | None:
        """Return the answer to a request that was asked already; None if it was not.

        Raises
        ------
        WorkspaceError
            If that revision could not be read.
        """
        answer = self.answers.get(request)
        if isinstance(answer, WorkspaceError):
            raise answer
        return answer


def copy_files(answer: Answer, folder: Path) -> Answer:
    """Return the answer with copies of its files in ``folder``."""
    number = count()

    def copy(file: FoundFile) -> FoundFile:
        if file.local is None:
            return file
        # A folder for each: readers go by the suffix, and a path from the repository may lead anywhere.
        target = folder / str(next(number)) / Path(file.path).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.local, target)
        return file.model_copy(update={"local": str(target)})

    return answer.model_copy(
        update={
            "metrics": tuple(map(copy, answer.metrics)),
            "predictions": tuple(map(copy, answer.predictions)),
            "plots": tuple(plot.model_copy(update={"file": copy(plot.file)}) for plot in answer.plots),
        }
    )
