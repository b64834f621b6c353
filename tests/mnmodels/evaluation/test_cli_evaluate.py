"""``mnmodels evaluate`` on .tflite models, which need no Keras: every exit code, every outcome."""

import json
from pathlib import Path

import cv2
import pytest

from mninfer.errors import OutputError
from support.commands import Outcome
from support.labelled import write_tree, zip_of
from support.networks import red_detector, shapes_float, shapes_int8
from support.pictures import CLASSES, shape_pictures

pytestmark = pytest.mark.smoke

STATED = ("--preprocess", "inception")


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    images, classes = shape_pictures(48, seed=21, size=(60, 52))
    encoded = [cv2.imencode(".png", image[..., ::-1])[1].tobytes() for image in images]
    return {
        f"{CLASSES[int(c)].replace(' ', '_')}/{i:03}.png": data
        for i, (c, data) in enumerate(zip(classes, encoded, strict=True))
    }


@pytest.fixture
def data(tmp_path: Path, files: dict[str, bytes]) -> Path:
    return write_tree(tmp_path / "data", files)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model.tflite").write_bytes(shapes_int8())
    (tmp_path / "labels.txt").write_text("\n".join(CLASSES), encoding="utf-8")
    return tmp_path / "model.tflite"


@pytest.fixture
def labels(model: Path) -> tuple[str, ...]:
    return "--labels", str(model.with_name("labels.txt"))


def test_a_person_is_told_the_shares(cli: object, model: Path, data: Path, labels: tuple[str, ...]) -> None:
    outcome: Outcome = cli("evaluate", model, data, *STATED, *labels)  # type: ignore[operator]
    assert (outcome.code, outcome.err) == (0, "")
    first, second, *_ = outcome.out.splitlines()
    assert first.startswith("top-1  ")
    assert first.endswith("of 48)")
    assert second.startswith("top-5  ")
    assert "input mean=127.5,std=127.5,order=rgb; resize stretch, area (stated)" in outcome.out
    assert "classes matched by the names of the classes" in outcome.out


def test_the_same_run_gives_the_same_json(cli: object, model: Path, data: Path, labels: tuple[str, ...]) -> None:
    first, second = (cli("evaluate", model, data, *STATED, *labels, "--json") for _ in range(2))  # type: ignore[operator]
    assert first.code == 0
    assert first.out == second.out
    told = json.loads(first.out)
    assert told["n"] == 48
    assert told["top1"]["rate"] > 0.9
    assert told["model"]["name"] == "model.tflite"
    assert told["model"]["labels_source"] == "stated"


def test_an_archive_is_evaluated_as_its_folder(
    cli: object, tmp_path: Path, files: dict[str, bytes], model: Path, data: Path, labels: tuple[str, ...]
) -> None:
    archive = tmp_path / "data.zip"
    archive.write_bytes(zip_of(files))
    outcomes = [cli("evaluate", model, where, *STATED, *labels, "--json") for where in (data, archive)]  # type: ignore[operator]
    assert outcomes[0].out == outcomes[1].out


def test_a_limit_takes_equally_many_of_each_class(
    cli: object, model: Path, data: Path, labels: tuple[str, ...]
) -> None:
    def told(*options: str) -> dict[str, object]:
        return json.loads(cli("evaluate", model, data, *STATED, *labels, "--json", *options).out)  # type: ignore[operator]

    small, other = told("--limit", "16"), told("--limit", "16", "--seed", "1")
    assert small["n"] == 16
    assert small["data"]["sha256"] != other["data"]["sha256"]  # type: ignore[index]


def test_drawings_are_written_and_not_written_over(
    cli: object, model: Path, data: Path, labels: tuple[str, ...]
) -> None:
    targets = [model.with_name(name) for name in ("confusion.png", "mistakes.png")]
    options = ("--confusion", targets[0], "--mistakes", targets[1])
    assert cli("evaluate", model, data, *STATED, *labels, *options).code == 0  # type: ignore[operator]
    for target in targets:
        assert cv2.imread(str(target)) is not None
    again = cli("evaluate", model, data, *STATED, *labels, *options)  # type: ignore[operator]
    assert again.code == 1
    assert "the output exists already" in again.err
    assert "--force" in again.err
    assert cli("evaluate", model, data, *STATED, *labels, *options, "--force").code == 0  # type: ignore[operator]


def test_a_corrupt_picture_is_refused_or_skipped_as_asked(
    cli: object, model: Path, data: Path, labels: tuple[str, ...]
) -> None:
    broken = next(data.rglob("*.png"))
    broken.write_bytes(broken.read_bytes()[:80])
    refused = cli("evaluate", model, data, *STATED, *labels)  # type: ignore[operator]
    assert refused.code == 1
    assert str(broken) in refused.err
    skipped = cli("evaluate", model, data, *STATED, *labels, "--on-corrupt", "skip", "--json")  # type: ignore[operator]
    assert skipped.code == 0
    assert f"skipped: {broken.parent.name}/{broken.name}: damaged PNG" in skipped.err
    told = json.loads(skipped.out)
    assert told["n"] == 47
    assert [each["name"] for each in told["data"]["skipped"]] == [f"{broken.parent.name}/{broken.name}"]


def test_a_list_says_what_is_what(cli: object, tmp_path: Path, model: Path, data: Path) -> None:
    """Without labels in the model, 16 of 16 classes would be taken in sorted order: here the list says otherwise."""
    stated = tmp_path / "classes.txt"
    stated.write_text("".join(f"{name.replace(' ', '_')} {i}\n" for i, name in enumerate(CLASSES)), encoding="utf-8")
    assumed = cli("evaluate", model, data, *STATED, "--json")  # type: ignore[operator]
    assert "warning: the model has no labels, so its classes are assumed" in assumed.err
    assert json.loads(assumed.out)["top1"]["rate"] < 0.5, "the model's classes are in another order"
    told = cli("evaluate", model, data, *STATED, "--classes-from", stated, "--json")  # type: ignore[operator]
    assert told.err == ""
    assert json.loads(told.out)["top1"]["rate"] > 0.9


TROUBLE = {
    "no preprocessing": ((), "float", "nothing says how a picture becomes this model's input"),
    "wrong labels": ((*STATED, "--labels", "LABELS15"), "int8", "15 labels for 16 classes"),
    "other classes": ((*STATED, "--labels", "OTHERS"), "int8", "are not among the model's labels"),
    "a detector": (STATED, "detector", "a model to detect is not evaluated"),
    "no part": ((*STATED, "--classes-from", "no-such"), "int8", "cannot read the list of classes"),
}


@pytest.mark.parametrize("kind", TROUBLE)
def test_trouble_is_told_and_the_code_is_1(cli: object, tmp_path: Path, data: Path, kind: str) -> None:
    options, network, message = TROUBLE[kind]
    model = tmp_path / "model.tflite"
    model.write_bytes({"int8": shapes_int8, "float": shapes_float, "detector": red_detector}[network]())
    (tmp_path / "LABELS15").write_text("\n".join(CLASSES[:15]), encoding="utf-8")
    (tmp_path / "OTHERS").write_text("\n".join(f"thing {i}" for i in range(16)), encoding="utf-8")
    given = [tmp_path / option if option in {"LABELS15", "OTHERS"} else option for option in options]
    outcome = cli("evaluate", model, data, *given)  # type: ignore[operator]
    assert (outcome.code, outcome.out) == (1, "")
    assert message in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("what", ["model", "data"])
def test_what_is_not_there_is_told(cli: object, model: Path, data: Path, what: str) -> None:
    given = {"model": model, "data": data}
    given[what] = given[what].with_name("no-such.tflite")
    outcome = cli("evaluate", given["model"], given["data"], *STATED)  # type: ignore[operator]
    assert outcome.code == 1
    assert "no-such.tflite" in outcome.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--preprocess", "inceptoin"), 'did you mean "inception"'),
        (("--split", "tset"), 'Did you mean "test"?'),
        (("--limit", "0"), "0 is not in the range"),
        (("--on-corrupt", "skp"), 'Did you mean "skip"?'),
    ],
)
def test_wrong_usage_is_code_2(cli: object, model: Path, data: Path, options: tuple[str, ...], message: str) -> None:
    outcome = cli("evaluate", model, data, *options)  # type: ignore[operator]
    assert outcome.code == 2
    assert message in outcome.err


@pytest.mark.shared
def test_a_model_by_others_on_imagenet_samples(cli: object, shared: Path) -> None:
    """Google's quantization-aware-trained V2: pictures numbered from 0, a model with a background, labels beside it."""
    outcome: Outcome = cli(  # type: ignore[operator]
        "evaluate",
        shared / "models" / "mobilenet_v2_1.0_224_quant.tflite",
        shared / "data" / "imagenet-dev",
        *(
            "--labels",
            shared / "models" / "imagenet_labels.txt",
            *STATED,
            "--resize",
            "crop:0.875",
            "--limit",
            60,
            "--json",
        ),
    )
    told = json.loads(outcome.out)
    assert told["data"]["matched_by"] == "the data's class numbers, from 0 after the background"
    assert told["top1"]["rate"] > 0.75


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        (("--arch", "mobilenet_v1"), "leave out --arch"),
        (("--option", "classes=3"), "leave out --option"),
        (("--lambda", "a=x", "--trust"), "leave out --trust, --lambda"),
        (("--batch", "32"), "leave out --batch"),
    ],
)
def test_what_is_for_keras_is_refused_beside_a_tflite(
    cli: object, model: Path, data: Path, stated: tuple[str, ...], told: str
) -> None:
    outcome: Outcome = cli("evaluate", model, data, *STATED, *stated)  # type: ignore[operator]
    assert outcome.code == 2
    assert "needs no Keras" in outcome.err
    assert all(flag in outcome.err for flag in told.removeprefix("leave out ").split(", "))


@pytest.mark.parametrize(
    ("name", "what"), [("confusion.jpg", "a name in .png"), ("absent/confusion.png", "make the folder first")]
)
def test_an_output_that_cannot_be_written_is_told_before_anything_is_measured(
    cli: object, model: Path, data: Path, tmp_path: Path, name: str, what: str
) -> None:
    outcome: Outcome = cli("evaluate", model, data, "--confusion", tmp_path / name)  # type: ignore[operator]
    assert outcome.code == 1
    assert what in outcome.err


def test_two_drawings_in_one_file_are_refused(cli: object, model: Path, data: Path, tmp_path: Path) -> None:
    one, same = tmp_path / "one.png", tmp_path / "data" / ".." / "one.png"
    outcome: Outcome = cli("evaluate", model, data, *STATED, "--confusion", one, "--mistakes", same)  # type: ignore[operator]
    assert outcome.code == 2
    assert "--confusion and --mistakes are one file" in outcome.err


def test_what_was_measured_is_told_where_it_cannot_be_drawn(
    cli: object, model: Path, data: Path, labels: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutputError("cannot write the file: No space left on device")

    monkeypatch.setattr("mninfer.files.write_atomically", full)
    target = model.with_name("confusion.png")
    outcome: Outcome = cli("evaluate", model, data, *STATED, *labels, "--confusion", target)  # type: ignore[operator]
    assert outcome.code == 1
    assert outcome.out.startswith("top-1  ")
    assert "No space left" in outcome.err


def test_the_help_is_set_in_lines(cli: object) -> None:
    outcome: Outcome = cli("evaluate", "--help")  # type: ignore[operator]
    assert "\\b" not in outcome.out
    assert "\n    by its name, where the model's labels are known;\n" in outcome.out
