"""Simulated test rows: two models that resemble each other, as a pull request's do."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray, Sample, SamplePair


def simulate_binary(
    rng: np.random.Generator,
    rows: int,
    *,
    prevalence: float = 0.27,
    loss: float = 0.0,
    likeness: float = 0.9,
    signal: float = 1.5,
    weight: FloatArray | None = None,
    decimals: int | None = None,
) -> SamplePair:
    """Two models whose scores share ``likeness`` of their noise; the candidate's signal is weaker by ``loss``."""
    label = (rng.random(rows) < prevalence).astype(np.int8)
    shared = rng.standard_normal(rows)
    sides = []
    for strength in (signal, signal - loss):
        noise = np.sqrt(likeness) * shared + np.sqrt(1 - likeness) * rng.standard_normal(rows)
        logit = strength * (strength / 2 * (2.0 * label - 1) + noise) + np.log(prevalence / (1 - prevalence))
        sides.append(binary_sample(label, 1 / (1 + np.exp(-logit)), weight=weight, decimals=decimals))
    return SamplePair(baseline=sides[0], candidate=sides[1])


def binary_sample(
    label: NDArray[Any], scores: FloatArray, *, weight: FloatArray | None = None, decimals: int | None = None
) -> Sample:
    scores = scores if decimals is None else np.round(scores, decimals)
    return Sample(
        task="binary",
        rows=len(label),
        label=label,
        prediction=(scores >= 0.5).astype(np.int8),
        scores=scores,
        weight=weight,
        classes=("No", "Yes"),
    )


def simulate_regression(
    rng: np.random.Generator,
    rows: int,
    *,
    loss: float = 0.0,
    likeness: float = 0.8,
    weight: FloatArray | None = None,
    skewed: bool = False,
) -> SamplePair:
    """Two models whose errors share ``likeness`` of their variance; skewed targets have skewed errors."""
    signal = rng.standard_normal(rows)
    shared = rng.standard_normal(rows)
    label = np.exp(signal) if skewed else signal
    scale = label if skewed else np.ones(rows)
    sides = []
    for extra in (1.0, 1.0 + loss):
        noise = np.sqrt(likeness) * shared + np.sqrt(1 - likeness) * rng.standard_normal(rows)
        sides.append(regression_sample(label, label + 0.5 * extra * scale * noise, weight=weight))
    return SamplePair(baseline=sides[0], candidate=sides[1])


def regression_sample(label: FloatArray, prediction: FloatArray, *, weight: FloatArray | None = None) -> Sample:
    return Sample(task="regression", rows=len(label), label=label, prediction=prediction, weight=weight)


def simulate_multiclass(
    rng: np.random.Generator,
    rows: int,
    *,
    shares: tuple[float, ...] = (0.5, 0.3, 0.2),
    loss: float = 0.0,
    likeness: float = 0.9,
    weight: FloatArray | None = None,
) -> SamplePair:
    """Two models whose class scores are softmaxes of a signal for the label plus mostly shared noise."""
    label = rng.choice(len(shares), size=rows, p=shares)
    shared = rng.standard_normal((rows, len(shares)))
    sides = []
    for strength in (1.5, 1.5 - loss):
        noise = np.sqrt(likeness) * shared + np.sqrt(1 - likeness) * rng.standard_normal(shared.shape)
        logit = noise + strength * (np.arange(len(shares)) == label[:, None])
        sides.append(multiclass_sample(label, np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True), weight=weight))
    return SamplePair(baseline=sides[0], candidate=sides[1])


def multiclass_sample(label: NDArray[Any], scores: FloatArray, *, weight: FloatArray | None = None) -> Sample:
    return Sample(
        task="multiclass",
        rows=len(label),
        label=label,
        prediction=scores.argmax(axis=1),
        scores=scores,
        weight=weight,
        classes=tuple("abcdefghij"[: scores.shape[1]]),
    )
