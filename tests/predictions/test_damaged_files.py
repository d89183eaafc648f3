"""Whatever a file holds, the answer is predictions or an error that a person can read."""

from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metricgate.errors import PredictionsError
from metricgate.predictions import infer_spec, read_predictions
from metricgate.settings.policy import PredictionsSpec

SPEC = PredictionsSpec(path="p", id=("id",), label="label", score="score", slices=("plan",))
CSV = b'id,label,score,plan\n1,0,0.5,"a"\n2,1,0.25,b\n3,1,1,b\n'
JSON = b'{"id": 1, "label": true, "score": 0.5, "plan": "a"}\n{"id": 2, "label": false, "score": 1, "plan": null}\n'
PIECES = st.one_of(
    st.binary(max_size=4), st.sampled_from([b",", b'"', b"\n", b"\r", b"nan", b"{", b"]", b"\x00", b"'"])
)


@given(whole=st.sampled_from([CSV, JSON]), start=st.integers(0, 90), length=st.integers(0, 8), piece=PIECES)
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, whole: bytes, start: int, length: int, piece: bytes) -> None:
    path = tmp_path / "p"
    path.write_bytes(whole[:start] + piece + whole[start + length :])

    with suppress(PredictionsError):
        assert read_predictions(path, SPEC).rows > 0
    with suppress(PredictionsError):
        assert infer_spec(path).label is not None
