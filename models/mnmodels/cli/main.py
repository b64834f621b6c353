"""The command line ``mnmodels``: its commands, each a module beside this one that is imported only when it runs."""

from collections.abc import Sequence

from mninfer.cli.frame import CommandGroup, run_command_line

__all__ = ["group", "main"]

group = CommandGroup(
    "mnmodels",
    "Build, count, train, fine-tune and measure MobileNets; bring in weights from elsewhere.",
    commands={
        "summary": "Count a network's layers, parameters, multiply-adds and memory.",
        "train": "Train a network as a recipe says.",
        "plot": "Draw the curves of a training run.",
        "finetune": "Teach a trained network the classes of your own pictures.",
        "evaluate": "Measure a model on labelled pictures.",
        "import": "Make a Keras file of weights in another format.",
        "regroup": "Turn a trained learned group convolution into a standard one.",
    },
    example_lines=(
        "mnmodels summary mobilenet_v1 --alpha 0.25",
        "mnmodels finetune photos/ -o mine.keras",
        "mnmodels COMMAND --help",
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: this process's) and return the exit code."""
    return run_command_line(group, argv)
