"""The model that a run judged, as a folder that a destination after the verdict can read."""

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from metricgate.models.base import Value

FILE_NAME: Final = "model.json"
FOLDER: Final = "model"


class JudgedModel(Value):
    """What is known about a model; its file or folder lies below ``FOLDER``, under ``name``.

    Attributes
    ----------
    commit : the revision it belongs to
    digest : MD5 of its content, as DVC writes it; empty if it is not known
    baseline_digest : that of the model that it was compared with
    remote : its address in DVC's remote, for others to read; empty if it has none
    """

    name: str
    commit: str
    digest: str = ""
    baseline_digest: str = ""
    remote: str = ""

    @classmethod
    def read(cls, folder: Path) -> "JudgedModel | None":
        """Return the model that was kept in ``folder``; None if there is none."""
        try:
            return cls.model_validate_json((folder / FILE_NAME).read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, folder: Path) -> None:
        (folder / FILE_NAME).write_text(self.model_dump_json(), encoding="utf-8")

    def list_files(self, folder: Path) -> tuple[tuple[str, Path], ...]:
        """Return the model's files by their names below it; links lead anywhere, and are left out."""
        model = folder / FOLDER / self.name
        if not model.is_dir():
            return ((self.name, model),)
        found = sorted(path for path in model.rglob("*") if path.is_file() and not path.is_symlink())
        return tuple((path.relative_to(model).as_posix(), path) for path in found)
