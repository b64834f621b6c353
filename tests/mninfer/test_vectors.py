"""tests/vectors as any reader meets it: index, contracts, pictures, tensors, outputs, verdicts; and who wrote it."""

import io
import json
import zipfile
from base64 import b64decode
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mninfer import errors
from mninfer.engines.choose import open_engine
from mninfer.model_file.golden import compare_golden, golden_picture
from mninfer.model_file.picture_input import image_input
from mninfer.model_file.read import read_model
from mninfer.outputs import read_outputs
from mninfer.preprocessing import PreprocessSpec, preprocess_image
from mninfer.tensors import Quantization, TensorSpec

pytestmark = pytest.mark.smoke

FOLDER = Path(__file__).parents[1] / "vectors"


def load(name: str) -> Any:
    value = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert value["schema"] == 1
    return value


INDEX = load("vectors.json")
MODELS = {row["file"]: row for row in INDEX["models"]}
OURS = {name: row for name, row in MODELS.items() if row.get("is_ours")}
VERDICTS = load("verdicts.json")["verdicts"]
TENSORS = load("tensors.json")["tensors"]


def name_of(value: Any) -> str:
    return value if isinstance(value, str) else f"{value['file']}: {value['what']}" if "what" in value else ""


@pytest.mark.parametrize("name", MODELS)
def test_the_index_says_what_a_file_holds(name: str) -> None:
    row, data = MODELS[name], (FOLDER / name).read_bytes()
    assert sha256(data).hexdigest() == row["sha256"]
    if "error" in row:
        with pytest.raises(getattr(errors, row["error"])) as caught:
            read_model(data, where=name)
        assert caught.value.what == row["message"]
        return
    file = read_model(data, where=name)
    assert file.sha256 == row["sha256"]
    assert (file.is_ours, file.flatbuffer_size) == (row["is_ours"], row["flatbuffer_size"])
    assert (file.preprocess.to_json() if file.preprocess else None) == row["preprocess"]
    assert (list(file.labels) if file.labels else None) == row["labels"]
    assert list(file.warnings) == row["warnings"]
    for listed, indices in ((row["inputs"], file.graph.inputs), (row["outputs"], file.graph.outputs)):
        tensors = [file.graph.tensors[index] for index in indices]
        assert [(t.name, list(t.shape), t.dtype) for t in tensors] == [
            (t["name"], t["shape"], t["dtype"]) for t in listed
        ]


@pytest.mark.parametrize("name", OURS)
def test_a_contract_needs_no_more_than_a_zip_and_a_hash(name: str) -> None:
    data = (FOLDER / name).read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = archive.read("mnkit.json")
        start = min(info.header_offset for info in archive.infolist())
    assert content == (FOLDER / OURS[name]["contract"]).read_bytes()
    contract = json.loads(content)
    assert contract["digest"] == "sha256:" + sha256(data[:start]).hexdigest()
    assert start == OURS[name]["flatbuffer_size"]
    assert contract["task"] == OURS[name]["task"]
    for vector in contract["golden"]:
        for output, tensor in zip(vector["outputs"], OURS[name]["outputs"], strict=True):
            array = np.frombuffer(b64decode(output["data"]), np.dtype(output["dtype"]).newbyteorder("<"))
            assert array.size == np.prod(output["shape"], dtype=int)
            assert output["dtype"] == tensor["dtype"]


@pytest.mark.parametrize("row", INDEX["pictures"], ids=lambda row: row["png"])
def test_pictures(row: dict[str, Any]) -> None:
    picture = golden_picture(row["index"], row["width"], row["height"])
    assert sha256(picture.tobytes()).hexdigest() == row["rgb_sha256"]
    decoded = cv2.imdecode(np.frombuffer((FOLDER / row["png"]).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert (decoded[..., ::-1] == picture).all()


@pytest.mark.parametrize("number", range(len(TENSORS)))
def test_tensors(number: int) -> None:
    case = TENSORS[number]
    quantization = case["input"]["quantization"]
    tensor = TensorSpec(
        name="",
        shape=tuple(case["input"]["shape"]),
        shape_signature=tuple(case["input"]["shape"]),
        dtype=case["input"]["dtype"],
        quantization=Quantization((quantization["scale"],), (quantization["zero_point"],)) if quantization else None,
    )
    picture = golden_picture(**case["picture"])
    array = preprocess_image(picture, PreprocessSpec.from_json(case["preprocess"]), tensor)
    assert array.ravel()[: len(case["first"])].tolist() == case["first"]
    assert sha256(array.tobytes()).hexdigest() == case["sha256"]


@pytest.mark.parametrize("name", OURS)
def test_the_engine_here_gives_the_outputs(name: str) -> None:
    data = (FOLDER / name).read_bytes()
    file = read_model(data, where=name)
    assert file.contract is not None
    assert file.contract.preprocess is not None
    engine = open_engine(data, threads=1)
    report = compare_golden(
        file.contract.golden,
        run=engine.run,
        preprocess=file.contract.preprocess,
        tensor=image_input(file.graph),
        engine=engine.name,
        uses_xnnpack=engine.uses_xnnpack,
        detection=read_outputs(file.graph).detection,
    )
    engine.close()
    assert report.ok, report.message
    steps = [output.largest_difference for vector in report.vectors for output in vector.outputs]
    assert max(steps) <= (1 if report.vectors[0].outputs[0].dtype.endswith("int8") else 0)


def damaged(data: bytes, damage: dict[str, Any]) -> bytes:
    changed = bytearray(data)
    for kind, value in damage.items():
        if kind == "xor":
            changed[value["offset"]] ^= value["value"]
        elif kind == "truncate":
            del changed[value:]
        elif kind == "append":
            changed += bytes.fromhex(value)
        elif kind == "replace":
            content = bytes.fromhex(value["bytes"])
            changed[value["offset"] : value["offset"] + len(content)] = content
        else:
            pytest.fail(f"unknown damage {kind}")
    return bytes(changed)


@pytest.mark.parametrize("row", VERDICTS, ids=name_of)
def test_verdicts(row: dict[str, Any]) -> None:
    data = damaged((FOLDER / row["file"]).read_bytes(), row["damage"])
    if row["verdict"] == "accepted":
        read_model(data, where=row["file"])
        return
    with pytest.raises(getattr(errors, row["verdict"])):
        read_model(data, where=row["file"])


def test_every_model_of_ours_is_also_shown_damaged_somehow_and_every_verdict_occurs() -> None:
    assert {row["verdict"] for row in VERDICTS} == {"accepted", "ModelFileError"}
    assert {row["file"] for row in VERDICTS} == set(MODELS)


def test_the_command_writes_what_is_committed(tmp_path: Path) -> None:
    if find_spec("ai_edge_litert") is None:
        pytest.skip("golden vectors are made on LiteRT, which is not installed here")
    from write_vectors import write_vectors

    write_vectors(tmp_path)
    written, committed = (
        {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("[!.]*") if path.is_file()}
        for folder in (tmp_path, FOLDER)
    )
    assert sorted(written) == sorted(committed)
    assert [name for name in written if written[name] != committed[name]] == []
