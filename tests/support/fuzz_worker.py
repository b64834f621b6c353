"""Run damaged models in this process, one after the other, and say after each what came of it.

python fuzz_worker.py '{"engine": …, "base": FILE, "seed": …, "indices": […], "checked": true, "pythonpath": […]}'

The first line on stdout is ``ready``: the undamaged model ran. Each other is ``[index, kind, verdict, detail]``,
written before the next begins: when the process dies, the next index killed it. Verdicts: refused (our check), failed
(the engine raised), ran, bug (our check raised something else), large (more than 2 GiB was asked for, after which the
process ends, as the peak does not come down).
"""

import json
import os
import sys
from typing import Any

ALLOCATION_LIMIT = 2 << 30


def main(request: dict[str, Any]) -> int:
    sys.path[:0] = request["pythonpath"]
    import numpy as np

    from mninfer.errors import MnError
    from mninfer.model_file.check import check_model
    from support.model_mutants import mutant

    if request["engine"] == "litert":
        from ai_edge_litert.interpreter import Interpreter
    else:
        from tflite_runtime.interpreter import Interpreter  # type: ignore[no-redef]

    report = os.fdopen(os.dup(1), "w", buffering=1)
    with open(request["base"], "rb") as file:
        base = file.read()

    def run(data: bytes) -> None:
        interpreter = Interpreter(model_content=data, num_threads=1)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            shape = tuple(detail["shape"])
            interpreter.set_tensor(
                detail["index"], (np.arange(np.prod(shape)) % 251).reshape(shape).astype(detail["dtype"])
            )
        interpreter.invoke()
        for detail in interpreter.get_output_details():
            interpreter.get_tensor(detail["index"]).copy()

    run(base)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    _limit_memory()
    allowed = _peak_bytes() + ALLOCATION_LIMIT
    report.write("ready\n")
    for index in request["indices"]:
        data, kind = mutant(base, request["seed"], index)
        verdict, detail = "ran", ""
        try:
            if request["checked"]:
                check_model(data)
        except MnError as error:
            verdict, detail = "refused", error.what
        except Exception as error:
            verdict, detail = "bug", repr(error)
        if verdict == "ran":
            try:
                run(data)
            except Exception as error:
                verdict, detail = "failed", f"{type(error).__name__}: {error}"
        is_large = _peak_bytes() > allowed
        report.write(json.dumps([index, kind, "large" if is_large else verdict, detail[:300]]) + "\n")
        if is_large:
            break
    return 0


def _limit_memory() -> None:
    """Let nothing take the machine down; what is over the limit is seen in the peak."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_peak_bytes() + 4 * ALLOCATION_LIMIT, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _peak_bytes() -> int:
    """The most address space that this process ever had: it grows with what is asked for, touched or not."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmPeak"))


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
