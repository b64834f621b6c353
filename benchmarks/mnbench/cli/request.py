"""The options that say what is to be measured, and the plan that they make: shared by ``run`` and ``plan``."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from mnbench.axes import ModelOffer, Wishes, cells_of, with_wishes
from mnbench.catalogue import ENGINES, engine_entry
from mnbench.cell import Device, Variant, Work
from mnbench.cli.listed import counts, listed, refuse_empty, words
from mnbench.machine import read_facts
from mnbench.plan import LEAST_ROUNDS, Plan
from mnbench.preparing import offer_of, refuse_namesakes
from mnbench.presets import ABOUT, Preset, Surroundings, blocks_of
from mnbench.process_environment import supported_instruction_sets
from mnbench.record_file import MAX_RECORD_BYTES
from mninfer.cli.options import FiniteRange, NearChoice
from mninfer.engines.protocol import available_cores
from mninfer.errors import InputError

__all__ = ["Request", "plan_options", "requested"]

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be measured: the plan; the models as they were asked for; and the engines that were, by name."""

    plan: Plan
    models: tuple[str, ...]
    engines: tuple[str, ...]


def plan_options(command: Command) -> Command:
    """What ``run`` measures and ``plan`` prints."""
    presets = "; ".join(f"{preset}: {about}" for preset, about in ABOUT.items())
    for decorate in (
        click.option(
            "--pace", type=FiniteRange(0.05, 100), default=1.0, help="Stretches the time that each cell gets."
        ),
        click.option(
            "--rounds",
            type=click.IntRange(1, 1000),
            default=LEAST_ROUNDS,
            show_default=True,
            help="Fresh processes of each cell. Below five, intervals are wide and doubted.",
        ),
        click.option("--works", metavar="A,B", help=f"Of {', '.join(Work)}."),
        click.option("--variants", metavar="A,B", help=f"Of {', '.join(Variant)}."),
        click.option("--batch", metavar="1,8", help='Pictures in one run; "saturating" finds the batch.'),
        click.option("--threads", metavar="1,2,4", help="Threads of an engine."),
        click.option("--engines", metavar="A,B", help=f"Of {', '.join(ENGINES)}."),
        click.option(
            "--devices", metavar="A,B", help=f"Of {', '.join(Device)}: what computes, where an engine has both."
        ),
        click.option(
            "--models",
            "models",
            multiple=True,
            metavar="MODEL",
            help="A name (mobilenet_v1_0.25_128), a Keras file, a .tflite, a folder of mnbench prepare; repeatable.",
        ),
        click.option(
            "--preset",
            type=NearChoice([str(preset) for preset in Preset]),
            default=str(Preset.TABLE),
            show_default=True,
            help=presets,
        ),
    ):
        command = decorate(command)
    return command


def requested(options: dict[str, Any]) -> Request:
    """The plan that the options stand for, here.

    Raises:
        UsageError: a word that stands for nothing; InputError: a model that is none, or a plan without a cell.
    """
    refuse_empty("--engines", options["engines"])
    wishes = Wishes(
        engines=tuple(_engine(name) for name in listed(options["engines"])),
        variants=words("--variants", options["variants"], Variant),
        works=words("--works", options["works"], Work),
        threads=counts("--threads", options["threads"]),
        batches=counts("--batch", options["batch"]),
        devices=words("--devices", options["devices"], Device),
    )
    blocks = with_wishes(blocks_of(Preset(options["preset"]), _surroundings()), wishes)
    requests = options["models"] or tuple(dict.fromkeys(model for block in blocks for model in block.models))
    offers = tuple(offer_of(request) for request in requests)
    names = tuple(offer.name for offer in offers)
    refuse_namesakes(requests, names)
    cells = cells_of(with_wishes(blocks, Wishes(models=names)) if options["models"] else blocks, offers)
    if not cells:
        raise InputError(
            "there is nothing to measure: no engine that was asked for runs what was asked for",
            hints=(
                *_variants_there_are(offers),
                "mnbench plan shows a preset's cells; --engines, --devices, --variants and --works choose among them",
            ),
        )
    plan = Plan(cells=cells, rounds=options["rounds"], pace=options["pace"])
    _refuse_too_large(plan)
    return Request(plan, tuple(requests), wishes.engines)


def _variants_there_are(offers: Iterable[ModelOffer]) -> Iterator[str]:
    """Of models that no other variant can be made of."""
    for offer in offers:
        variants = [str(variant) for variant in Variant if variant in offer.variants]
        if variants and not offer.is_trainable:
            yield f'--variants {",".join(variants)}: of "{offer.name}" there is no other'


def _refuse_too_large(plan: Plan) -> None:
    """Raise InputError, rather than measure for a day what nobody can read then."""
    if plan.estimated_bytes > MAX_RECORD_BYTES:
        most = MAX_RECORD_BYTES // (plan.estimated_bytes // plan.num_processes)
        raise InputError(
            f"{plan.num_processes:,} processes are more than a result holds, about {most:,}",
            hints=("fewer --rounds", "fewer cells to a run: --engines, --models, --variants, --threads"),
        )


def _surroundings() -> Surroundings:
    flags = read_facts().get("cpu", {}).get("flags", ())
    return Surroundings(cores=available_cores(), instruction_sets=supported_instruction_sets(flags))


def _engine(name: str) -> str:
    try:
        return engine_entry(name).name
    except InputError as error:
        raise click.UsageError(f"--engines: {error.what}; {error.hints[0]}") from error
