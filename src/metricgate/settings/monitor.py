"""The section `monitor:` of the policy: what is watched, against what, and how far it may move."""

from pydantic import Field

from metricgate.settings.values import Number, PolicySection


class MonitorMargins(PolicySection):
    """How far a column may move before it has drifted."""

    moved: Number = Field(
        0.05, gt=0, lt=1, description="Share of rows that moved: below any value of a number, or between categories."
    )
    distance: Number = Field(
        0.1, gt=0, description="Mean distance by which rows moved, in standard deviations of the reference."
    )
    new: Number = Field(
        0.01, gt=0, lt=1, description="Share of rows in values that the reference lacks, beyond what it lets expect."
    )
    missing: Number = Field(0.02, gt=0, lt=1, description="Change of the share of missing values.")
    classifier: Number = Field(
        0.55,
        gt=0.5,
        lt=1,
        description="ROC AUC of a classifier that tells current from reference rows: what only shows jointly.",
    )


DEFAULT_MARGINS = MonitorMargins()
