import csv
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mninfer.cli.segment import in_full
from mninfer.segmentation import Segmentation
from support.pictures import COLOURS, draw_shape


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A red square in the right half of a grey picture, 320 x 240."""
    folder = tmp_path / "scene"
    folder.mkdir()
    picture = draw_shape("red", "square", size=(320, 240), centre=(240, 120), radius=60, background=128)
    cv2.imwrite(str(folder / "red.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(folder / "grey.png"), np.full((240, 320, 3), 128, np.uint8))
    return folder


def test_detect_gives_boxes_in_pixels_of_the_picture(cli, models: Path, scene: Path) -> None:
    outcome = cli("detect", models / "red.tflite", scene / "red.png", "--json")
    assert outcome.code == 0
    record = json.loads(outcome.out)
    assert list(record) == ["image", "objects", "preprocess_source"]
    assert record["objects"]
    for found in record["objects"]:
        left, top, right, bottom = found["box"]
        assert found["label"] == "red thing"
        assert 180 <= (left + right) / 2 <= 300
        assert 60 <= (top + bottom) / 2 <= 180
    lines = cli("detect", models / "red.tflite", scene / "red.png").out.splitlines()
    assert len(lines) == len(record["objects"])
    assert lines[0].startswith("red thing")


def test_detect_finds_nothing_in_grey_and_all_scores_are_above_the_threshold(cli, models: Path, scene: Path) -> None:
    assert cli("detect", models / "red.tflite", scene / "grey.png").out == "nothing found\n"
    low = json.loads(cli("detect", models / "red.tflite", scene / "red.png", "--json", "--threshold", "0.1").out)
    high = json.loads(cli("detect", models / "red.tflite", scene / "red.png", "--json", "--threshold", "0.9").out)
    assert len(low["objects"]) >= len(high["objects"])
    assert all(found["score"] >= 0.9 for found in high["objects"])


def test_detect_into_csv_has_a_row_to_an_object_and_one_for_nothing(
    cli, models: Path, scene: Path, tmp_path: Path
) -> None:
    out = tmp_path / "boxes.csv"
    assert cli("detect", models / "red.tflite", scene, "--out", out).code == 0
    with out.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["image", "label", "index", "score", "left", "top", "right", "bottom", "error"]
    assert [row["label"] for row in table if row["image"].endswith("grey.png")] == [""]
    assert all(row["label"] == "red thing" for row in table if row["image"].endswith("red.png"))


def test_detect_saves_pictures_with_boxes(cli, models: Path, scene: Path, tmp_path: Path) -> None:
    assert cli("detect", models / "red.tflite", scene, "--save-images", tmp_path / "boxes").code == 0
    assert sorted(os.listdir(tmp_path / "boxes")) == ["grey.png", "red.png"]
    before, after = (cv2.imread(str(folder / "red.png")) for folder in (scene, tmp_path / "boxes"))
    assert (before != after).any()


def test_detect_with_a_classifier(cli, models: Path, scene: Path) -> None:
    outcome = cli("detect", models / "shapes.tflite", scene / "red.png")
    assert outcome.code == 1
    assert "it is a model to classify" in outcome.err


def test_segment_says_how_much_each_class_covers(cli, models: Path, scene: Path) -> None:
    outcome = cli("segment", models / "colours.tflite", scene / "red.png", "--json")
    assert outcome.code == 0
    record = json.loads(outcome.out)
    shares = {each["label"]: each["share"] for each in record["classes"]}
    assert (record["width"], record["height"]) == (320, 240)
    assert shares["red"] == pytest.approx(106 * 106 / (320 * 240), rel=0.15)
    assert sum(shares.values()) == pytest.approx(1)
    assert cli("segment", models / "colours.tflite", scene / "red.png").out.startswith("background")
    assert len(cli("segment", models / "colours.tflite", scene).out.splitlines()) == 2


def test_segment_saves_masks_and_pictures(cli, models: Path, scene: Path, tmp_path: Path) -> None:
    masks, drawn, out = tmp_path / "masks", tmp_path / "drawn", tmp_path / "shares.csv"
    options = ["--save-masks", masks, "--save-images", drawn, "--out", out]
    assert cli("segment", models / "colours.tflite", scene, *options).code == 0
    mask = cv2.imread(str(masks / "red.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (240, 320)
    assert mask[120, 240] == 1 + list(COLOURS).index("red")
    assert mask[10, 10] == 0
    assert sorted(os.listdir(drawn)) == ["grey.png", "red.png"]
    with out.open(newline="") as file:
        assert list(next(csv.DictReader(file))) == ["image", "label", "index", "share", "width", "height", "error"]


def test_what_a_crop_left_out_is_255_in_the_mask_and_has_no_label(
    cli, models: Path, scene: Path, tmp_path: Path
) -> None:
    options = ["--resize", "crop:0.5", "--save-masks", tmp_path]
    outcome = cli("segment", models / "colours.tflite", scene / "red.png", "--json", *options)
    assert {"unseen", "background", "red"} >= {each["label"] for each in json.loads(outcome.out)["classes"]}
    mask = cv2.imread(str(tmp_path / "red.png"), cv2.IMREAD_UNCHANGED)
    assert mask[0, 0] == 255
    assert mask[120, 160] != 255


def test_segment_with_a_classifier(cli, models: Path, scene: Path) -> None:
    outcome = cli("segment", models / "shapes.tflite", scene / "red.png")
    assert outcome.code == 1
    assert "it is a model to classify" in outcome.err


@pytest.mark.parametrize("command", ["detect", "segment"])
def test_bad_pictures_are_told_at_the_end(cli, models: Path, scene: Path, command: str) -> None:
    (scene / "bad.png").write_bytes(b"nothing")
    outcome = cli(command, models / ("red.tflite" if command == "detect" else "colours.tflite"), scene, "--json")
    assert outcome.code == 1
    assert len(outcome.out.splitlines()) == 3
    assert "1 of 3 pictures could not be used" in outcome.err


@pytest.mark.smoke
def test_classes_of_one_name_have_a_line_each() -> None:
    mask = np.array([[0, 0, 0, 1]], np.int32)
    assert in_full(Segmentation(mask, ("???", "???"))) == "???   75.0%\n???   25.0%"


def test_masks_and_drawn_pictures_need_a_folder_each(cli, models: Path, scene: Path, tmp_path: Path) -> None:
    options = ["--save-masks", tmp_path / "both", "--save-images", tmp_path / "." / "both", "--force"]
    outcome = cli("segment", models / "colours.tflite", scene, *options)
    assert outcome.code == 2
    assert "give them two folders" in outcome.err
