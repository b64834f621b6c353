"""Write a card for each model that is shipped, and render models/README.md from the cards.

usage: python tools/write_model_cards.py [--check]
       python tools/write_model_cards.py add MODEL --run FOLDER --evaluation FILE.json --recipe NAME [--note TEXT]
                                             [--first-run FOLDER]

Without "add": renders models/README.md from models/pretrained/*.json; with --check it writes nothing and fails where
the page is not that of the cards, or a model is not the one of its card. Neither needs Keras.
"add" makes the card of MODEL, a file in models/pretrained/: from the folder that it was trained in (result.json), what
`mnmodels evaluate MODEL DATA --json` said of that very file, and a count of its layers (this needs Keras). With
--first-run the run began with the weights of another run of the same recipe.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "models" / "pretrained"
PAGE = ROOT / "models" / "README.md"
SCHEMA = 1

Card = dict[str, Any]

# What is known of the pictures a model learned from; nothing of them is shipped.
DATA = {
    "cifar10": {
        "name": "CIFAR-10, 50,000 training pictures",
        "citation": "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, 2009",
        "licence": "the authors state none: free to use in research, cite the report; no picture is in this repository",
        "archive": "cifar10-train.tar.xz",
        "test_archive": "cifar10-test.tar.xz",
    },
}
LICENCE = "Apache-2.0, as this repository: the weights were trained from scratch by the command below"

HEAD = """# Pretrained models

Small networks, trained here from nothing, each with a card: what it is, how good, and the commands that make it and
measure it again. The files lie in `pretrained/`, labels and preprocessing inside, so that neither `mnconvert` nor
`mnmodels evaluate` needs flags. `python tools/write_model_cards.py` writes this page from the cards,
`pretrained/*.json`.
"""


def make_card(model: Path, runs: Sequence[Path], evaluation: Path, recipe: str, note: str) -> Card:
    """What is known of a model. Raise SystemExit with the reason where the parts don't belong together."""
    results, measured = [read_json(run / "result.json") for run in runs], read_json(evaluation)
    result = results[-1]
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    if measured["model"]["sha256"] != digest:
        raise SystemExit(f"{evaluation} measured another file than {model}: sha256 {measured['model']['sha256']}")
    data = result["recipe"]["data"]["name"]
    if data not in DATA:
        raise SystemExit(
            f'{runs[-1]}: no licence and citation for the data "{data}" yet: add them to DATA in this script'
        )
    settings = [changed_settings(each["recipe"], shipped_recipe(recipe)) for each in results]
    return {
        "schema": SCHEMA,
        "file": model.name,
        "sha256": digest,
        "size_bytes": model.stat().st_size,
        "title": result["recipe"]["title"],
        "note": note,
        "network": result["recipe"]["model"],
        **counted(model),
        "training": {
            "recipe": recipe,
            "settings": settings[-1],
            "seed": result["recipe"]["train"]["seed"],
            **{key: sum(each[key] for each in results) for key in ("epochs", "seconds")},
            **{key: result[key] for key in ("num_training_pictures", "machine", "versions")},
            "command": "\n".join(train_commands(recipe, settings, DATA[data])),
        },
        "accuracy": {
            **{key: measured[key] for key in ("n", "top1", "top5")},
            "data": measured["data"],
            "command": f"mnmodels evaluate models/pretrained/{model.name} {DATA[data]['test_archive']}",
        },
        "preprocess": measured["model"]["preprocess"],
        "data": {key: DATA[data][key] for key in ("name", "citation", "licence")},
        "licence": LICENCE,
    }


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path} can't be read: {error}") from error


def shipped_recipe(name: str) -> Mapping[str, Any]:
    from mninfer.errors import MnError
    from mnmodels.training.recipe import load_recipe

    try:
        return plain(load_recipe(name).to_json())
    except MnError as error:
        raise SystemExit(str(error)) from error


def plain(value: Any) -> Any:
    """As JSON gives it back: lists, no tuples."""
    return json.loads(json.dumps(value))


def changed_settings(run: Mapping[str, Any], shipped: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What a run had otherwise than its recipe says, as ``--set`` takes it."""
    changed: list[str] = []
    for key in sorted({*run, *shipped} - {"title"}):
        ours, theirs = run.get(key), shipped.get(key)
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            changed += changed_settings(ours, theirs, f"{prefix}{key}.")
        elif ours != theirs:
            changed.append(f"{prefix}{key}={ours if isinstance(ours, str) else json.dumps(ours)}")
    return changed


def train_commands(recipe: str, settings: Sequence[Sequence[str]], data: dict[str, str]) -> Iterator[str]:
    """One for each run; the second begins with what the first one ended with."""
    archives = f"--data {data['archive']} --test {data['test_archive']}"
    for number, changed in enumerate(settings):
        after = f" --weights runs/{recipe}/model.keras --folder runs/{recipe}_more" if number else ""
        yield " ".join([f"mnmodels train {recipe} {archives}{after}", *(f"--set {setting}" for setting in changed)])


def counted(model: Path) -> Card:
    """Its size, labels and input, read from the file itself."""
    from mnmodels.backend import start_keras

    start_keras()
    from mnmodels.counting.summarize import summarize
    from mnmodels.keras_file import load_keras

    file = load_keras(model)
    if file.contract is None or file.contract.labels is None:
        raise SystemExit(f"{model} carries no labels: ship the file that mnmodels train wrote")
    summary = summarize(file.model)
    return {
        "labels": list(file.contract.labels),
        "input_shape": list(summary.input_shapes[0][1:]),
        "macs": summary.macs,
        "parameters": summary.parameters,
        "trainable": summary.trainable,
        "peak_activation_bytes": summary.peak.size_bytes,
    }


def read_cards(folder: Path) -> list[Card]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def render(cards: Sequence[Card]) -> str:
    """The whole page."""
    if not cards:
        return f"{HEAD}\nNo model is shipped yet.\n"
    lines = [
        "| model | top-1 %, test | M MACs | parameters | size |",
        "|---|--:|--:|--:|--:|",
        *(overview_line(card) for card in cards),
    ]
    return "\n".join([HEAD, *lines, *(line for card in cards for line in section(card))]) + "\n"


def overview_line(card: Card) -> str:
    size = f"{card['size_bytes'] / 1e6:.2f} MB"
    return (
        f"| [{card['file']}](pretrained/{card['file']}) | {in_per_cent(card['accuracy']['top1'])} "
        f"| {card['macs'] / 1e6:.2f} | {card['parameters']:,} | {size} |"
    )


def section(card: Card) -> Iterator[str]:
    training, accuracy = card["training"], card["accuracy"]
    top5 = f", top-5 {in_per_cent(accuracy['top5'])} %" if accuracy["top5"] else ""
    yield ""
    yield f"## {card['file']}"
    yield ""
    yield f"{card['title']}. {card['note']}".strip()
    yield ""
    yield "| | |"
    yield "|---|---|"
    top1 = f"top-1 {in_per_cent(accuracy['top1'])} %"
    rows = {
        "accuracy": f"{top1}{top5} on {accuracy['n']:,} test pictures (± standard error)",
        "network": ", ".join(f"{key} = {value}" for key, value in card["network"].items()),
        "input": f"{' × '.join(map(str, card['input_shape']))}, {preprocess_words(card['preprocess'])}",
        "labels": ", ".join(card["labels"]),
        "multiply-adds": f"{card['macs']:,}",
        "parameters": f"{card['parameters']:,}, of those {card['trainable']:,} trained",
        "activations": f"{card['peak_activation_bytes'] / 1024:.0f} KiB at once, in float32",
        "recipe": f"`{training['recipe']}`, seed {training['seed']}",
        "training": (
            f"{training['epochs']} epochs of {training['num_training_pictures']:,} pictures in "
            f"{duration(training['seconds'])} on {machine_words(training)}"
        ),
        "data": f"{card['data']['name']}: {card['data']['citation']}. Licence: {card['data']['licence']}",
        "licence": card["licence"],
        "sha256": f"`{card['sha256']}`",
    }
    yield from (f"| {name} | {text} |" for name, text in rows.items())
    yield ""
    yield from (f"    {line}" for line in training["command"].splitlines())
    yield f"    {accuracy['command']}"


def in_per_cent(share: Mapping[str, float]) -> str:
    return f"{share['rate']:.2%} ± {share['standard_error']:.2%}".replace("%", "")


def preprocess_words(preprocess: Mapping[str, Any]) -> str:
    from mninfer.preprocessing import PreprocessSpec

    return str(PreprocessSpec.from_json(preprocess))


def duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def machine_words(training: Mapping[str, Any]) -> str:
    machine, versions = training["machine"], training["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items() if name not in {"mnkit", "backend"})
    return f"{machine['cores']} cores of {machine['cpu']} ({listed})"


def add(arguments: argparse.Namespace) -> None:
    model = arguments.model.resolve()
    if model.parent != FOLDER:
        raise SystemExit(f"{arguments.model} does not lie in {FOLDER.relative_to(ROOT)}")
    runs = [run for run in (arguments.first_run, arguments.run) if run is not None]
    card = make_card(model, runs, arguments.evaluation, arguments.recipe, arguments.note)
    model.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def problems(cards: Sequence[Card], folder: Path, page: str) -> Iterator[str]:
    """What is not as the cards say."""
    for card in cards:
        model = folder / card["file"]
        if not model.is_file():
            yield f"{card['file']} has a card and is not there"
        elif hashlib.sha256(model.read_bytes()).hexdigest() != card["sha256"]:
            yield f"{card['file']} is not the file of its card: its sha256 is another"
    models = {path.name for path in folder.glob("*") if path.suffix in {".h5", ".keras"}}
    yield from (f"{name} has no card" for name in sorted(models - {card["file"] for card in cards}))
    if page != render(cards):
        yield "models/README.md is not that of the cards: python tools/write_model_cards.py"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where something is not as the cards say"
    )
    adding = parser.add_subparsers(dest="what").add_parser("add", help="make a model's card")
    adding.add_argument("model", type=Path)
    adding.add_argument("--run", type=Path, required=True, help="the folder that it was trained in")
    adding.add_argument("--first-run", type=Path, help="the folder of the run whose weights it began with")
    adding.add_argument("--evaluation", type=Path, required=True, help="what mnmodels evaluate --json wrote")
    adding.add_argument("--recipe", required=True, help="the recipe's name")
    adding.add_argument("--note", default="", help="a sentence for people")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    sys.path[:0] = [str(ROOT), str(ROOT / "models")]
    asked = parse(arguments)
    if asked.what == "add":
        add(asked)
    cards = read_cards(FOLDER)
    if not asked.check:
        PAGE.write_text(render(cards), encoding="utf-8")
        return 0
    found = list(problems(cards, FOLDER, PAGE.read_text(encoding="utf-8")))
    print(*found, sep="\n", file=sys.stderr, end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
