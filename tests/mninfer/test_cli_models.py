import json
import re
import sys
from pathlib import Path

import pytest

import mninfer
from mninfer import loading
from mninfer.errors import MissingDependencyError


def test_info_says_what_is_known(cli, models: Path) -> None:
    outcome = cli("info", models / "shapes8.tflite")
    assert outcome.code == 0
    facts = {line[:14].strip(): line[16:] for line in outcome.out.splitlines()}
    assert facts["task"] == "classify"
    assert facts["input"].startswith("uint8 1 x 48 x 48 x 3")
    assert "zero point 127" in facts["input"]
    assert facts["preprocessing"].endswith("(as the file says)")
    assert facts["labels"].startswith("16: red circle, red square")
    assert "CONV_2D" in facts["operators"]
    assert "M multiply-accumulates" in facts["work"]
    assert facts["made from"].startswith("bare_shapes8.tflite")  # then mnkit and its version, where it is installed
    assert facts["golden vectors"] == "3"
    assert facts["oldest runtime"] == "1.15.0"
    assert re.search("operators by XNNPACK|no delegate takes any|does not tell", facts["engine"])
    assert facts["sha256"] == mninfer.load(models / "shapes8.tflite").spec.sha256


def test_info_of_a_foreign_file_says_what_is_missing(cli, models: Path) -> None:
    outcome = cli("info", models / "bare_shapes.tflite")
    assert outcome.code == 0
    assert "unknown: state it with --preprocess" in outcome.out
    assert "none: state them with --labels" in outcome.out
    assert "not one of mnkit's" in outcome.out


def test_info_of_a_file_that_has_changed_since(cli, models: Path, tmp_path: Path) -> None:
    data = bytearray((models / "shapes8.tflite").read_bytes())
    constants = [tensor.data for tensor in mninfer.load(bytes(data)).graph.tensors if tensor.data is not None]
    largest = max(constants, key=len).tobytes()
    data[data.index(largest) + len(largest) // 2] ^= 1
    (tmp_path / "changed.tflite").write_bytes(data)
    outcome = cli("info", tmp_path / "changed.tflite")
    assert outcome.code == 1
    assert "none to trust: mnkit wrote the file, and it has changed since" in outcome.out
    facts = json.loads(cli("info", tmp_path / "changed.tflite", "--json").out)
    assert (facts["is_ours"], facts["has_changed"]) == (True, True)


def test_info_lists_operators_whose_work_adds_up(cli, models: Path) -> None:
    facts = json.loads(cli("info", models / "shapes.tflite", "--json").out)
    assert facts["schema"] == 1
    assert len(facts["ops"]) == facts["num_operators"] == sum(facts["operators"].values())
    assert sum(op["macs"] for op in facts["ops"]) == facts["macs"] > 0
    layers = mninfer.load(models / "shapes.tflite").graph
    assert facts["num_parameters"] == sum(
        tensor.data.nbytes // 4 for tensor in layers.tensors if tensor.data is not None and tensor.dtype == "float32"
    )
    text = cli("info", models / "shapes.tflite", "--ops").out
    assert "DEPTHWISE_CONV_2D" in text.splitlines()[-len(facts["ops"]) + 1]
    assert len(text.splitlines()) == len(cli("info", models / "shapes.tflite").out.splitlines()) + 1 + len(facts["ops"])


def test_info_works_without_an_engine(cli, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_installed(*_: object, **__: object) -> object:
        raise MissingDependencyError("no engine is installed", hints="python -m pip install ai-edge-litert")

    monkeypatch.setattr(loading, "open_engine", none_installed)
    outcome = cli("info", models / "shapes.tflite")
    assert outcome.code == 0
    assert "none that runs it here: no engine is installed" in outcome.out
    engine = json.loads(cli("info", models / "shapes.tflite", "--json").out)["engine"]
    assert engine["name"] is None
    assert "pip install ai-edge-litert" in engine["problem"]


def test_info_takes_no_other_text_for_a_digest(cli, models: Path) -> None:
    outcome = cli("info", models / "shapes.tflite", "--sha256", "xyz")
    assert outcome.code == 2
    assert '"xyz" is not a SHA-256 digest' in outcome.err


def test_info_of_another_file_than_stated(cli, models: Path) -> None:
    outcome = cli("info", models / "shapes.tflite", "--sha256", "ab" * 32)
    assert outcome.code == 1
    assert "sha256" in outcome.err


def test_info_in_a_stated_size_is_checked_as_loading_is(cli, tmp_path: Path) -> None:
    from support.builder import GraphBuilder

    b = GraphBuilder()
    x = b.activation("picture", (1, 1, 1, 1), signature=(-1, -1, -1, 1))
    y = b.activation("output", (1, 1, 1, 1), signature=(-1, -1, -1, 1))
    b.operator("RELU6", [x], [y])
    model = tmp_path / "grey.tflite"  # one channel
    model.write_bytes(b.build([x], [y]))
    engine = json.loads(cli("info", model, "--input-size", "7x5", "--json").out)["engine"]
    assert engine["problem"] is None
    outcome = cli("info", model, "--input-size", "60000x60000")
    assert outcome.code == 1
    assert "more than 1 GiB" in outcome.err
    assert f"where: {model}" in outcome.err


def test_info_of_an_edge_tpu_file_with_its_delegate(cli, tmp_path: Path) -> None:
    from support.builder import GraphBuilder

    b = GraphBuilder()
    x, y = b.activation("x", (1, 4)), b.activation("y", (1, 4))
    b.operator("edgetpu-custom-op", [x], [y])
    model = tmp_path / "edge.tflite"
    model.write_bytes(b.build([x], [y]))
    assert "--delegate libedgetpu.so.1" in cli("info", model).err
    outcome = cli("info", model, "--delegate", "libedgetpu-absent.so.1")
    assert outcome.code == 0
    assert "edgetpu-custom-op" in outcome.out
    assert 'the delegate library "libedgetpu-absent.so.1" cannot be loaded' in outcome.out


def test_info_of_what_is_no_model(cli, tmp_path: Path) -> None:
    (tmp_path / "page.tflite").write_bytes(b"<!DOCTYPE html><html>")
    outcome = cli("info", tmp_path / "page.tflite")
    assert outcome.code == 1
    assert "HTML" in outcome.err
    assert outcome.out == ""


def test_check_is_0_where_all_match(cli, models: Path) -> None:
    for name in ("shapes", "shapes8", "colours", "red", "features"):
        outcome = cli("check", models / f"{name}.tflite")
        assert outcome.code == 0, outcome.err
        assert outcome.out.splitlines()[-1].startswith("ok: ")
    report = json.loads(cli("check", models / "shapes.tflite", "--json").out)
    assert report["ok"] is True
    assert len(report["vectors"]) == 3


def test_check_is_3_where_one_differs(cli, models: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.tflite"
    changed.write_bytes(with_other_golden((models / "shapes.tflite").read_bytes()))
    outcome = cli("check", changed)
    assert outcome.code == 3
    assert "DIFFERENT" in outcome.out
    assert "the model does not give its golden outputs" in outcome.err
    outcome = cli("check", changed, "--json")
    assert outcome.code == 3
    assert json.loads(outcome.out)["ok"] is False


def with_other_golden(data: bytes) -> bytes:
    """The same model, whose record of what it gave is another one."""
    from dataclasses import replace

    from mninfer.model_file.golden import GoldenOutput
    from mninfer.model_file.read import read_model
    from mninfer.model_file.write import write_contract

    file = read_model(data, where="test")
    assert file.contract is not None
    first, *rest = file.contract.golden
    other = GoldenOutput.of(first.outputs[0].array()[:, ::-1].copy())
    golden = (replace(first, outputs=(other,)), *rest)
    return write_contract(data, replace(file.contract, golden=golden), file.labels)


def test_check_of_a_foreign_file_is_1_and_names_the_remedy(cli, models: Path) -> None:
    outcome = cli("check", models / "bare_shapes.tflite")
    assert outcome.code == 1
    assert "mninfer annotate MODEL" in outcome.err


def test_one_flipped_byte_in_our_file_is_1(cli, models: Path, tmp_path: Path) -> None:
    data = bytearray((models / "shapes.tflite").read_bytes())
    data[len(data) // 3] ^= 1
    (tmp_path / "flipped.tflite").write_bytes(data)
    assert cli("check", tmp_path / "flipped.tflite").code == 1


def test_annotate_tells_what_it_attached(cli, models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    arguments = ["annotate", models / "bare_shapes.tflite", "--preprocess", "torch", "--resize", "crop:0.875"]
    outcome = cli(*arguments, "--labels", models / "shapes.txt", "--name", "Shapes", "-o", out)
    assert outcome.code == 0
    assert "resize crop:0.875" in outcome.out
    assert "labels          16" in outcome.out
    assert "3 golden vectors" in outcome.out
    assert "note: MediaPipe cannot run it: mean and std differ" in outcome.out
    facts = json.loads(cli("info", out, "--json").out)
    assert facts["name"] == "Shapes"
    assert facts["is_ours"] is True
    assert facts["provenance"]["source_name"] == "bare_shapes.tflite"
    assert cli("check", out).code == 0


def test_annotate_does_not_write_over_a_file_unasked(cli, models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    out.write_bytes(b"mine")
    arguments = ["annotate", models / "bare_shapes.tflite", "--preprocess", "inception", "-o", out]
    outcome = cli(*arguments)
    assert outcome.code == 1
    assert "exists already" in outcome.err
    assert out.read_bytes() == b"mine"
    assert cli(*arguments, "--force").code == 0
    assert len(out.read_bytes()) > 1000


def test_annotate_tells_of_a_file_in_the_way_before_the_work(cli, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    out.write_bytes(b"mine")
    outcome = cli("annotate", tmp_path / "no-such-model.tflite", "--preprocess", "inception", "-o", out)
    assert outcome.code == 1
    assert "exists already" in outcome.err


def test_annotate_twice_is_annotate_once(cli, models: Path, tmp_path: Path) -> None:
    outcome = cli("annotate", models / "shapes.tflite", "-o", tmp_path / "again.tflite")
    assert outcome.code == 0
    assert (tmp_path / "again.tflite").read_bytes() == (models / "shapes.tflite").read_bytes()


def test_annotate_promises_exact_integers_only_where_xnnpack_computed_them(cli, models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    assert cli("annotate", models / "bare_shapes8.tflite", "--preprocess", "inception", "-o", out).code == 0
    with mninfer.load(out) as model:
        contract, uses_xnnpack = model.file.contract, model.engine.uses_xnnpack
    assert contract is not None
    assert {output.is_exact for vector in contract.golden for output in vector.outputs} == {uses_xnnpack}


def test_annotate_keeps_the_files_mean_where_only_the_resizing_is_stated(cli, models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    assert cli("annotate", models / "shapes.tflite", "--resize", "letterbox", "-o", out).code == 0
    preprocess = json.loads(cli("info", out, "--json").out)["preprocess"]
    assert preprocess["mean"] == [127.5] * 3
    assert preprocess["resize"] == "letterbox"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "does not say how a picture becomes its input"),
        (["--preprocess", "inception", "--labels", "FIVE"], "5 labels for 16 classes"),
        (["--preprocess", "inception", "--labels", "none.txt"], "none.txt"),
    ],
)
def test_annotate_refuses_what_does_not_fit(
    cli, models: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    five = tmp_path / "five.txt"
    five.write_text("a\nb\nc\nd\ne\n")
    options = [str(five) if option == "FIVE" else option for option in options]
    outcome = cli("annotate", models / "bare_shapes.tflite", *options, "-o", tmp_path / "out.tflite")
    assert outcome.code == 1
    assert message in outcome.err
    assert not (tmp_path / "out.tflite").exists()


def test_annotate_into_a_folder_that_is_not_there(cli, models: Path, tmp_path: Path) -> None:
    outcome = cli(
        "annotate", models / "bare_shapes.tflite", "--preprocess", "inception", "-o", tmp_path / "none" / "out.tflite"
    )
    assert outcome.code == 1
    assert "make the folder first" in outcome.err


def test_a_missing_engine_is_named_with_its_install_line(cli, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ai_edge_litert", "tflite_runtime", "tensorflow"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, f"{name}.interpreter", None)
    outcome = cli("check", models / "shapes.tflite", "--engine", "tensorflow")
    assert outcome.code == 1
    assert "install" in outcome.err
