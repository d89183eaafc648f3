"""The file that was judged, in the form of report.json: what a statement about the verdict speaks of."""

from pydantic import Field

from metricgate.models.base import Value


class JudgedModel(Value):
    """The candidate's model by its hash, the policy that judged it, and when."""

    path: str
    sha256: str = Field(pattern=r"^([0-9a-f]{64})?$")  # empty: see `problem`
    policy: str = ""
    policy_sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    judged: str = ""  # UTC, ISO 8601
    problem: str = ""  # why there is no statement
