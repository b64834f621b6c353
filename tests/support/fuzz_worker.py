"""Run damaged models through the check and an engine, in forked processes that may die.

python fuzz_worker.py '{"engine": …, "base": FILE, "seed": …, "count": …, "is_checked": true, "pythonpath": […]}'

Prints a line ``[index, kind, verdict, detail]`` for each damaged model. Verdicts: refused (our check), failed (the
engine raised), ran; and what must not be: killed, hung (10 s), large (more than 2 GiB of address space asked for), bug
(our check raised something else than its errors). A process goes on to the next model until it dies.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

ALLOCATION_LIMIT = 2 << 30
HANG_SECONDS = 10
Answer = tuple[int, str, str, str]


def main(request: dict[str, Any]) -> int:
    sys.path[:0] = request["pythonpath"]
    from support.model_mutants import KINDS

    with open(request["base"], "rb") as file:
        base = file.read()
    run = load_engine(request["engine"])
    judge = judge_with(base, request["seed"], run, is_checked=request["is_checked"])
    if request["is_checked"]:  # the undamaged model must run; without the check, that was seen before
        run(base)
    waiting = list(range(request["count"]))
    while waiting:
        done = 0
        for answer in in_child(judge, waiting):
            if answer[1] == "":
                answer = (waiting[done], KINDS[waiting[done] % len(KINDS)][0], *answer[2:])
            print(json.dumps(answer), flush=True)
            done += 1
        waiting = waiting[done:]
    return 0


def load_engine(engine: str) -> Callable[[bytes], None]:
    """A function that runs a model once with the plain engine."""
    import numpy as np

    if engine == "litert":
        from ai_edge_litert.interpreter import Interpreter
    else:
        from tflite_runtime.interpreter import Interpreter  # type: ignore[no-redef]

    def run(data: bytes) -> None:
        interpreter = Interpreter(model_content=data, num_threads=1)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            shape = tuple(detail["shape"])
            values = (np.arange(np.prod(shape)) % 251).reshape(shape)
            interpreter.set_tensor(detail["index"], values.astype(detail["dtype"]))
        interpreter.invoke()
        for detail in interpreter.get_output_details():
            interpreter.get_tensor(detail["index"]).copy()

    return run


def judge_with(base: bytes, seed: str, run: Callable[[bytes], None], *, is_checked: bool) -> Callable[[int], Answer]:
    """A function that says what comes of the damaged model of an index."""
    from mninfer.errors import MnError
    from mninfer.model_file.check import check_model
    from support.model_mutants import mutant

    def judge(index: int) -> Answer:
        data, kind = mutant(base, seed, index)
        try:
            if is_checked:
                check_model(data)
        except MnError as error:
            return index, kind, "refused", error.what
        except Exception as error:
            return index, kind, "bug", repr(error)
        try:
            run(data)
        except Exception as error:
            return index, kind, "failed", f"{type(error).__name__}: {error}"
        return index, kind, "ran", ""

    return judge


def in_child(judge: Callable[[int], Answer], indices: Sequence[int]) -> Iterator[Answer]:
    """Answers from a forked process; if it dies, a last one of index 0 and no kind says how."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        answer_all(judge, indices, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as lines:
        for line in lines:
            index, kind, verdict, detail = json.loads(line)
            yield index, kind, verdict, detail
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        yield 0, "", "hung" if number == signal.SIGALRM else "killed", f"signal {number}"
    elif os.WEXITSTATUS(status):
        yield 0, "", "killed", f"exit code {os.WEXITSTATUS(status)}"


def answer_all(judge: Callable[[int], Answer], indices: Sequence[int], writing: int) -> None:
    """Write an answer for each index, then end the process: early when too much memory was asked for."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    allowed = peak_bytes() + ALLOCATION_LIMIT
    limit_memory(allowed + 4 * ALLOCATION_LIMIT)
    for index in indices:
        signal.alarm(HANG_SECONDS)  # its default action ends the process, wherever it hangs
        answer = judge(index)
        signal.alarm(0)
        is_large = peak_bytes() > allowed
        if is_large:
            answer = (answer[0], answer[1], "large", answer[3])
        os.write(writing, json.dumps([*answer[:3], answer[3][:300]]).encode() + b"\n")
        if is_large:
            break
    os._exit(0)


def limit_memory(size: int) -> None:
    """Let nothing take the machine down; what is over the limit is seen in the peak."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def peak_bytes() -> int:
    """The most address space that this process ever had: it grows with what is asked for, touched or not."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmPeak"))


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
