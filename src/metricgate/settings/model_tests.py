"""`tests:` of metricgate.yaml: the team's own tests of the model, by a command that writes JUnit XML."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from metricgate.settings.values import Names, PolicySection


class ModelTestsSpec(PolicySection):
    """The team's own tests of the model: a shell command, or these keys."""

    command: str = Field(
        min_length=1, description="Shell command that runs the tests, after the pipeline, on both revisions."
    )
    junit: str | None = Field(
        None,
        min_length=1,
        description=(
            "JUnit XML file that the command writes, relative to the project. Without it, pytest is told where to "
            "write one."
        ),
    )
    needs: Names = Field(
        (),
        description=(
            "Files and folders under DVC that the tests read, and that are brought before they run. Without it, "
            "everything that DVC tracks."
        ),
    )

    @field_validator("junit", "needs")
    @classmethod
    def _stays_inside(cls, value: str | tuple[str, ...] | None) -> Any:
        for path in (value,) if isinstance(value, str) else value or ():
            if path.startswith("/") or ".." in path.split("/"):
                raise ValueError(f"names {path!r}, which leads out of the project: write a path below it")
        return value


def _as_mapping(raw: Any) -> Any:
    return {"command": raw} if isinstance(raw, str) else raw


ModelTestsField = Annotated[ModelTestsSpec, BeforeValidator(_as_mapping, json_schema_input_type=ModelTestsSpec | str)]
