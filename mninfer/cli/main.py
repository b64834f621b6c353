"""The command line ``mninfer``: its commands, each a module beside this one that is imported only when it runs."""

from collections.abc import Sequence

from mninfer.cli.frame import CommandGroup, run_command_line

__all__ = ["group", "main"]

group = CommandGroup(
    "mninfer",
    "Run MobileNet-like TFLite models on pictures, folders, videos and cameras.",
    commands={
        "classify": "Say what is in pictures.",
        "detect": "Find objects in pictures, with their boxes.",
        "segment": "Say which class every pixel belongs to.",
        "camera": "Watch a camera or a video, live.",
        "info": "Say what a model is, and what is known of it.",
        "check": "Prove that a model computes here what it computed where it was made.",
        "annotate": "Put preprocessing, labels and golden vectors into a .tflite file.",
    },
    example_lines=(
        "mninfer classify mobilenet.tflite cat.jpg",
        "mninfer info mobilenet.tflite",
        "mninfer COMMAND --help",
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: this process's) and return the exit code."""
    return run_command_line(group, argv)
