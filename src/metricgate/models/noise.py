"""How far a metric moves when nothing but the random seed of the training changes."""

from metricgate.models.base import Finite, Value


class NoiseFloor(Value):
    """Of one metric on all rows: ``floor`` bounds the difference of two equal recipes in 19 of 20 pairs.

    ``source`` is ``predictions`` or the metrics file. ``sd`` is the standard deviation over the seeds.
    """

    metric: str
    set: str = ""
    source: str = "predictions"
    sd: Finite
    floor: Finite


class NoiseResult(Value):
    """One measurement: ``pairs`` of models that differ in their seed alone were judged, ``blocked`` of them failed.

    ``at`` is an ISO time in UTC, ``revision`` the commit whose pipeline ran ``runs`` times.
    """

    version: int = 1
    revision: str
    at: str
    seed: str
    runs: int
    pairs: int
    blocked: int
    floors: tuple[NoiseFloor, ...]

    def find(self, metric: str, set_: str, source: str) -> NoiseFloor | None:
        """Return the floor of a metric; None if it was not measured."""
        wanted = (metric, set_, source)
        return next((one for one in self.floors if (one.metric, one.set, one.source) == wanted), None)
