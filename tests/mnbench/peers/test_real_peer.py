"""One peer for real, the smallest: installed by pip, given a file by its own converter, measured in its own Python."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mnbench.cell import Cell, Variant, Work
from mnbench.job import Budget, Job
from mnbench.kit import make_kit
from mnbench.launching import Launch, run_worker
from mnbench.peers import convert, install_peer, python_of
from mnbench.record import Status
from mninfer.errors import MissingDependencyError
from support.network import float_model, forward, initial_network

pytestmark = [pytest.mark.environment, pytest.mark.slow]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNBENCH_PEERS", str(tmp_path_factory.mktemp("peers")))
        try:
            install_peer("mnn", lambda _: None)
        except MissingDependencyError as error:
            pytest.skip(f"MNN can't be installed here: {error.what}")
        python = python_of("mnn")
        assert python is not None
        yield python


@pytest.mark.parametrize("threads", [1, 2])
def test_mnn_computes_what_the_network_is(installed: Path, tmp_path: Path, threads: int) -> None:
    network = initial_network([(8, 2), (16, 2)], 5, seed=0)
    (tmp_path / "float32.tflite").write_bytes(float_model(network, (32, 32)))
    picture = np.random.default_rng(1).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    np.save(tmp_path / "input.npy", picture)
    job = Job(
        cell=Cell(work=Work.FORWARD, model="small", engine="mnn", threads=threads),
        budget=Budget(seconds=0.2, warm_up_seconds=0.1),
        input=tmp_path / "input.npy",
        file=convert("mnn", Variant.FLOAT32, tmp_path / "float32.tflite", tmp_path / "peers"),
        outputs=tmp_path / "outputs.npz",
    )
    variables = {"PYTHONPATH": str(make_kit(tmp_path / "kit")), "PYTHONNOUSERSITE": "1"}
    outcome = run_worker(job, Launch(scratch=tmp_path, python=str(installed), variables=variables))
    assert outcome.status is Status.MEASURED, outcome.reason
    assert outcome.process is not None
    assert outcome.process.facts["threads"] == threads
    with np.load(tmp_path / "outputs.npz") as outputs:
        np.testing.assert_allclose(outputs["output_0"], forward(network, picture), atol=1e-5)
