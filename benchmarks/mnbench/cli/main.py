"""The command line ``mnbench``: measure, show, compare."""

from collections.abc import Sequence

from mninfer.cli.frame import CommandGroup, run_command_line

__all__ = ["main"]

COMMANDS = {
    "run": "Measure on this device, or on another: ssh, adb.",
    "plan": "Print what would be measured, and how long that takes.",
    "prepare": "Make the files to be measured, to be carried to a device without TensorFlow.",
    "table": "Show results as a table: the layout of 2017, or everything.",
    "plot": "Draw results: latency, accuracy against latency, threads, operators.",
    "report": "Write results as one page that needs nothing else.",
    "compare": "Hold two results against each other: faster, slower, can't tell.",
    "peers": "Install, list or remove other runtimes, each in an environment of its own.",
    "import": "Read the results of benchmark_model or litert-benchmark.",
    "export": "Write a result as litert-benchmark does.",
}

group = CommandGroup(
    "mnbench",
    "How long MobileNets take on this device, and whether to believe it.",
    commands=COMMANDS,
    example_lines=(
        "mnbench run --preset quick -o pi5.json",
        "mnbench table pi5.json",
        "mnbench run --models mobilenet_int8.tflite --threads 1,2,4 -o threads.json",
        "mnbench compare before.json after.json --fail-over 5%",
        "mnbench run --on ssh:pi@raspberrypi.local -o pi5.json",
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: this process's) and return the exit code."""
    return run_command_line(group, argv)
