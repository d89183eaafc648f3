"""`serving:` of metricgate.yaml: a running model server that must answer as the judged model does."""

import re
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator, model_validator

from metricgate.settings.values import Margin, MarginField, Names, Number, PolicySection

ServingMetric = Literal["latency_p50", "latency_p95", "error_share"]


class ServingGateSpec(PolicySection):
    """One rule on how the server answers. Exactly one of ``max`` and ``max_increase`` says what is asked."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [key]} for key in ("max", "max_increase")]})

    metric: ServingMetric = Field(
        description="`latency_p50` and `latency_p95`, in seconds for one request, or `error_share`, of all requests."
    )
    max: Number | None = Field(None, ge=0, description="The candidate's value must be at most this.")
    max_increase: MarginField | None = Field(
        None, description="How much it may rise: 0.01, or 10% of the baseline's value."
    )

    @model_validator(mode="after")
    def _has_one_rule(self) -> Self:
        if (self.max is None) == (self.max_increase is None):
            raise ValueError("needs one of max and max_increase")
        return self

    @property
    def margin(self) -> Margin | None:
        return self.max_increase


class ServingSpec(PolicySection):
    """A running model server, asked for the judged rows in batches. Read from the baseline, as gates are."""

    url: str = Field(description="Address of the candidate's server, such as http://model:8080/invocations.")
    baseline_url: str | None = Field(
        None, description="Address of the baseline's server, if it runs too: latency and errors are then judged."
    )
    data: str = Field(min_length=1, description="The test data: CSV, Parquet or JSON Lines, with the model's columns.")
    protocol: Literal["mlflow", "kserve", "json"] = Field(
        "mlflow",
        description=(
            "What is sent: `mlflow` (`dataframe_split`), `kserve` (the Open Inference Protocol; `/v1/` in the address: "
            "instances), or `json` (a list of objects)."
        ),
    )
    set: str | None = Field(None, description="Name of the prediction set, where there are several.")
    features: Names = Field(
        (), description="Columns to send. Default: all but the id, the label, and what the model answered."
    )
    answer: Literal["score", "prediction"] | None = Field(
        None, description="What the server answers. Default: scores, where the predictions have them."
    )
    field: str | int | None = Field(
        None, description="Where an answer holds it: a name, or an index from 0. Default: by the judged column's name."
    )
    tolerance: Number = Field(
        0.00001, ge=0, description="How far a number may be from the judged one; above 1, as a share of it."
    )
    batch: int | None = Field(
        None, ge=1, le=10_000, description="Rows in a request. Default: so many that about 200 requests are made."
    )
    timeout: Number = Field(10.0, gt=0, le=300, description="Seconds in which a request must be answered.")
    gates: tuple[ServingGateSpec, ...] = Field((), description="Rules on latency and errors.")

    @field_validator("url", "baseline_url")
    @classmethod
    def _is_plain_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            is_plain = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", value)
            has_port = parts.port is None or parts.port > 0
        except ValueError:
            is_plain = has_port = False
        if not is_plain or not has_port:
            raise ValueError("must be an address such as http://model:8080/invocations")
        if "@" in parts.netloc:
            raise ValueError("must hold no user or password: nothing secret is sent to a server under test")
        return value
