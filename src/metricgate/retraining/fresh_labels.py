"""New labelled rows of the imports: counted before anything is trained."""

from collections.abc import Sequence

import numpy as np

from metricgate.errors import ConfigurationError
from metricgate.execution.evaluation import TABLES
from metricgate.execution.messages import ImportState
from metricgate.predictions.fresh_rows import is_among, read_ids
from metricgate.predictions.prediction_table import open_table
from metricgate.retraining.work_tree import TrainingTree
from metricgate.settings.policy import Policy


def count_new_labels(tree: TrainingTree, updates: Sequence[ImportState], policy: Policy) -> int:
    """Return how many rows of updated imports have a label, and an id that the data before the update did not have.

    Raises
    ------
    ConfigurationError
        If the policy does not name the columns of id and label.
    """
    spec = next(iter(policy.judged_sets.values()), None)
    if spec is None or not spec.id or spec.label is None:
        raise ConfigurationError(
            "`retrain: {min_rows: …}` counts new rows with a label, and the policy does not say which columns those are.",
            expected="`predictions:` with `id` and `label`, by which the imported data name them too.",
            fix="add `predictions: {id: …, label: …}`, or drop `min_rows`.",
            topic="retraining-is-not-described",
        )
    changed = [state for state in updates if state.is_changed and state.path.endswith(TABLES)]
    total = 0
    for state in changed:
        file = tree.checkout.directory / state.path
        ids = read_ids(file, spec.id, shown=state.path)
        with open_table(file, state.path) as table:
            table.require(spec.label, "label")
            missing = table.fetch(f"{table.as_text(spec.label)} IS NULL OR {table.as_text(spec.label)} = ''")
        before = tree.bring(state.path, state.before)
        known = [read_ids(before, spec.id, shown=state.path)] if before else []
        total += int(np.count_nonzero(~is_among(ids, known) & ~np.asarray(missing, dtype=np.bool_)))
    return total
