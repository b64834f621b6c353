"""Control-C in a training run: told in a line, exit code 130, and what is done is kept and gone on with."""

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

from support.commands import command_line, environment_for
from support.labelled import encoded, write_tree

pytestmark = pytest.mark.slow

PATIENCE_S = 240


def test_an_interrupted_run_keeps_its_checkpoint(tmp_path: Path) -> None:
    names = [(part, label, number) for part in ("train", "test") for label in ("dark", "light") for number in range(4)]
    data = write_tree(
        tmp_path / "data",
        {f"{part}/{label}/{n}.png": encoded(n + 99 * (label == "light"), (32, 32)) for part, label, n in names},
    )
    folder, checkpoint = tmp_path / "run", tmp_path / "run" / "checkpoint.npz"
    arguments = ["train", "cifar10_mobilenet_v1_025", "--data", data, "--folder", folder, "--alpha", "0.1"]
    line = command_line(*arguments, "--batch", "8", "--epochs", "1000", package="mnmodels")
    with subprocess.Popen(
        line, env=environment_for(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        deadline = time.monotonic() + PATIENCE_S
        while run.poll() is None and time.monotonic() < deadline and not checkpoint.exists():
            time.sleep(0.1)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 130, err
    assert out == ""
    assert err.endswith("interrupted\n")
    assert "Traceback" not in err
    told = re.search(r"^stopped in epoch (\d+); --resume goes on after epoch (\d+)$", err, re.MULTILINE)
    assert told
    num_done = int(told[2])
    assert num_done == int(told[1]) - 1

    line = command_line(*arguments, "--batch", "8", "--epochs", "1000", "--resume", package="mnmodels")
    with subprocess.Popen(
        line, env=environment_for(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        lines = iter(run.stderr.readline, "")
        first = next((line for line in lines if line.startswith(("epoch ", "Error"))), "nothing")
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=PATIENCE_S)
    # Where it was stopped between a checkpoint and the next epoch, one more is done than it said.
    assert first.startswith((f"epoch {num_done + 1}/1000", f"epoch {num_done + 2}/1000"))
