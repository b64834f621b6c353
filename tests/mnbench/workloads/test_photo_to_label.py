"""From a photo to its label: the same answer as classify gives, in parts that make up the whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mninfer
from mnbench.job import Budget, Job
from mnbench.own_version import own_version
from mnbench.sampling import sample
from mnbench.workloads.photo_to_label import PhotoToLabel, open_workload
from mninfer.errors import InputError, MnError, PreprocessError, UnsupportedModelError
from support.builder import GraphBuilder
from support.networks import embedder, shapes_float, shapes_int8

pytestmark = pytest.mark.smoke


def opened(job: Job) -> PhotoToLabel:
    workload = open_workload(job)
    assert isinstance(workload, PhotoToLabel)
    return workload


def with_file(job: Job, folder: Path, data: bytes, **network: str) -> Job:
    (folder / "model.tflite").write_bytes(data)
    return replace(job, file=folder / "model.tflite", network=network)


def test_the_answer_is_that_of_classify(photo_job: Job) -> None:
    workload = opened(photo_job)
    workload.run()
    expected = mninfer.load(photo_job.file or "").classify(photo_job.picture).predictions
    assert workload.best == expected
    (scores,) = workload.outputs()
    assert scores.dtype == np.float32
    assert scores.max() == pytest.approx(expected[0].score)
    assert int(scores.argmax()) == expected[0].index
    workload.close()


@pytest.mark.parametrize("data", [shapes_int8(), shapes_float(softmax=False)], ids=["quantized", "logits"])
def test_a_foreign_file_is_prepared_as_the_job_says(photo_job: Job, tmp_path: Path, data: bytes) -> None:
    job = with_file(photo_job, tmp_path, data, preprocess="inception", resize="crop:0.875")
    workload = opened(job)
    workload.run()
    model = mninfer.load(data, preprocess="inception", resize="crop:0.875")
    assert workload.best == model.classify(job.picture).predictions


def test_the_parts_make_up_the_whole(photo_job: Job) -> None:
    workload = opened(photo_job)
    samples = sample(workload.run, Budget(seconds=0.3, warm_up_seconds=0.1), parts_of=workload.parts_ns)
    assert list(samples.parts_ns) == ["decode", "preprocess", "invoke", "postprocess"]
    together = [sum(parts) for parts in zip(*samples.parts_ns.values(), strict=True)]
    shares = [part / whole for part, whole in zip(together, samples.samples_ns, strict=True)]
    assert max(shares) <= 1
    assert np.median(shares) > 0.98


def test_facts_say_what_runs(photo_job: Job) -> None:
    workload = opened(photo_job)
    assert workload.facts()["label"] is None
    workload.run()
    facts = workload.facts()
    assert facts["version"] == own_version()
    assert facts["engine"].split()[0] in {"litert", "tflite-runtime", "tensorflow"}
    assert facts["coverage"]["num_operators"] > 0
    assert facts["label"] == workload.best[0].label
    assert facts["preprocess"].startswith("mean=127.5")


def test_without_xnnpack_none_of_it_is_delegated(photo_job: Job) -> None:
    plain = opened(replace(photo_job, cell=replace(photo_job.cell, use_xnnpack=False)))
    assert plain.facts()["coverage"]["num_delegated"] == 0


@pytest.mark.parametrize(
    ("change", "message"), [({"file": None}, "no model file"), ({"picture": None}, "no picture")], ids=str
)
def test_a_job_without_its_file_or_photo_is_refused(photo_job: Job, change: dict[str, None], message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_workload(replace(photo_job, **change))


def test_a_photo_is_one(photo_job: Job) -> None:
    with pytest.raises(InputError, match="one picture at a time, not 4"):
        open_workload(replace(photo_job, cell=replace(photo_job.cell, batch=4)))


def test_what_speaks_against_it_is_said_when_it_is_opened(photo_job: Job, tmp_path: Path) -> None:
    with pytest.raises(PreprocessError, match="nothing says how"):
        open_workload(with_file(photo_job, tmp_path, shapes_float()))
    with pytest.raises(UnsupportedModelError):
        open_workload(with_file(photo_job, tmp_path, _segmenter(), preprocess="inception"))
    with pytest.raises(InputError, match="no such file"):
        open_workload(replace(photo_job, picture=tmp_path / "gone.jpg"))
    with pytest.raises(MnError):
        open_workload(with_file(photo_job, tmp_path, b"no model"))


def test_features_are_scores_where_there_is_one_to_a_class(photo_job: Job, tmp_path: Path) -> None:
    """The runtime names the best of any [1, n] output; the workload does what it does."""
    job = with_file(photo_job, tmp_path, embedder(), preprocess="inception")
    workload = opened(job)
    workload.run()
    assert workload.best == mninfer.load(embedder(), preprocess="inception").classify(job.picture).predictions


def _segmenter() -> bytes:
    b = GraphBuilder()
    x, y = b.activation("input", (1, 8, 8, 3)), b.activation("output", (1, 8, 8, 3))
    b.operator("RELU6", [x], [y])
    return b.build([x], [y])
