"""`proof:` of metricgate.yaml: which file a statement about the verdict speaks of."""

from pydantic import Field, field_validator

from metricgate.settings.values import PolicySection


class ProofSpec(PolicySection):
    """The judged model's file, for a statement that a deployment can verify. Read from the baseline, as gates are."""

    model: str = Field(min_length=1, description="The model's file, relative to the project.")

    @field_validator("model")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        if value.startswith("/") or ".." in value.split("/"):
            raise ValueError(f"names {value!r}, which leads out of the project: write a path below it")
        return value
