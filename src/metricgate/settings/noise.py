"""`noise:` of metricgate.yaml: how much the model changes when nothing but its random seed does."""

from typing import Annotated

from pydantic import Field

from metricgate.settings.values import PolicySection


class NoiseSpec(PolicySection):
    """Which parameter is the seed, and how often the pipeline runs with another one."""

    seed: str = Field(min_length=1, description="The seed's parameter: `train.seed`, or `FILE:name`.")
    runs: Annotated[int, Field(ge=3, le=30)] = Field(
        5, description="How many seeds `metricgate noise` trains with: 3 to 30."
    )
