import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from support.commands import command_line, environment_for, run_mninfer


def expected(path: Path) -> str:
    return " ".join(path.stem.split("_")[1:])


def test_one_picture_is_a_list_of_classes(cli, models: Path, picture_folder: Path) -> None:
    picture = sorted(picture_folder.glob("*.png"))[0]
    outcome = cli("classify", models / "shapes.tflite", picture)
    lines = outcome.out.splitlines()
    assert outcome.code == 0
    assert len(lines) == 5
    assert lines[0].startswith(expected(picture))
    assert lines[0].endswith("%")  # no bar where nobody looks
    assert outcome.err == ""
    assert len(cli("classify", models / "shapes.tflite", picture, "--top", 2).out.splitlines()) == 2
    assert len(cli("classify", models / "shapes.tflite", picture, "--top", 99).out.splitlines()) == 16


def test_on_a_terminal_scores_have_bars(cli, models: Path, picture_folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    outcome = cli("classify", models / "shapes.tflite", sorted(picture_folder.glob("*.png"))[0])
    assert "▇" in outcome.out


def test_many_pictures_are_a_line_each(cli, models: Path, picture_folder: Path) -> None:
    outcome = cli("classify", models / "shapes.tflite", picture_folder)
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    paths = [*sorted(picture_folder.glob("*.png")), *sorted(picture_folder.glob("more/*.png"))]
    assert [line.split("  ")[0] for line in lines] == [str(path) for path in paths]
    right = sum(expected(path) in line for path, line in zip(paths, lines, strict=True))
    assert right >= 7
    assert cli("classify", models / "shapes.tflite", picture_folder, "--top", 2).out.splitlines()[0].count("%") == 2


def test_json_is_an_object_to_a_picture(cli, models: Path, picture_folder: Path) -> None:
    pictures = sorted(picture_folder.glob("*.png"))[:2]
    for given in (pictures[:1], pictures):
        outcome = cli("classify", models / "shapes.tflite", *given, "--json", "--top", 3)
        records = [json.loads(line) for line in outcome.out.splitlines()]
        assert [record["image"] for record in records] == [str(path) for path in given]
        for record in records:
            assert list(record) == ["image", "predictions", "preprocess_source"]
            assert record["preprocess_source"] == "file"
            assert [list(each) for each in record["predictions"]] == [["label", "index", "score"]] * 3


def test_one_bad_picture_is_told_at_the_end_and_the_rest_is_done(
    cli, models: Path, picture_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(picture_folder, folder)
    (folder / "3_bad.png").write_bytes((next(folder.glob("0*.png"))).read_bytes()[:500])
    outcome = cli("classify", models / "shapes.tflite", folder)
    assert outcome.code == 1
    assert len(outcome.out.splitlines()) == 8
    assert "1 of 9 pictures could not be used:\n" in outcome.err
    assert "3_bad.png: " in outcome.err
    outcome = cli("classify", models / "shapes.tflite", folder, "--json")
    assert outcome.code == 1
    records = [json.loads(line) for line in outcome.out.splitlines()]
    assert len(records) == 9
    assert [list(record) for record in records if "error" in record] == [["image", "error"]]
    out = tmp_path / "results.csv"
    outcome = cli("classify", models / "shapes.tflite", folder, "--out", out)
    assert outcome.code == 1
    assert "9 pictures, 1 that could not be used" in outcome.err
    with out.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert sum(bool(row["error"]) for row in table) == 1
    assert len(table) == 9


def test_one_bad_picture_alone_is_an_error(cli, models: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    outcome = cli("classify", models / "shapes.tflite", tmp_path / "bad.jpg")
    assert outcome.code == 1
    assert outcome.out == ""
    assert f"where: {tmp_path / 'bad.jpg'}" in outcome.err


def test_twenty_failures_are_listed_and_the_rest_counted(cli, models: Path, tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number:02}.png").write_bytes(b"no picture")
    outcome = cli("classify", models / "shapes.tflite", tmp_path)
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.count(".png: ") == 20
    assert "and 5 more" in outcome.err


def test_out_and_json_is_a_summary(cli, models: Path, picture_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    outcome = cli("classify", models / "shapes.tflite", picture_folder, "--out", out, "--json")
    assert json.loads(outcome.out) == {"out": str(out), "num_pictures": 8, "num_failures": 0}
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(records) == 8
    assert records[0]["preprocess_source"] == "file"


def test_the_documented_part_and_summary_are_what_is_written(
    cli, models: Path, picture_folder: Path, tmp_path: Path, repository: Path, monkeypatch
) -> None:
    from mninfer.cli.records import RecordFile

    text = (repository / "docs" / "formats.md").read_text(encoding="utf-8")
    part, summary = (
        json.loads(re.search(rf"<!-- example: {name} -->\n```json\n(.*?)```", text, re.DOTALL)[1])
        for name in ("part", "summary")
    )
    out = tmp_path / "results.csv"
    written: list[dict[str, object]] = []
    finish = RecordFile.finish

    def look_and_finish(file: RecordFile) -> None:
        written.append(json.loads(Path(f"{file.part}.json").read_bytes()))
        finish(file)

    monkeypatch.setattr(RecordFile, "finish", look_and_finish)
    outcome = cli("classify", models / "shapes.tflite", picture_folder, "--out", out, "--json", "--top", 2)
    assert json.loads(outcome.out) == {**summary, "out": str(out)}
    assert list(written[0]) == list(part)
    assert list(written[0]["preprocess"]) == list(part["preprocess"])
    assert written[0]["top"] == part["top"]


def test_csv_has_a_row_to_a_picture(cli, models: Path, picture_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    assert cli("classify", models / "shapes.tflite", picture_folder, "--out", out, "--top", 2).code == 0
    with out.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["image", "label", "index", "score", "label_2", "index_2", "score_2", "error"]
    assert len(table) == 8
    assert 0 <= float(table[0]["score_2"]) <= float(table[0]["score"]) <= 1


def test_one_picture_into_a_file(cli, models: Path, picture_folder: Path, tmp_path: Path) -> None:
    picture = sorted(picture_folder.glob("*.png"))[0]
    assert cli("classify", models / "shapes.tflite", picture, "--out", tmp_path / "one.csv").code == 0
    assert len((tmp_path / "one.csv").read_text().splitlines()) == 2


def test_saved_pictures_have_their_labels_drawn_and_their_places_kept(
    cli, models: Path, picture_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "drawn"
    outcome = cli("classify", models / "shapes.tflite", picture_folder, "--save-images", folder)
    assert outcome.code == 0
    sources = sorted(path.relative_to(picture_folder) for path in picture_folder.rglob("*.png"))
    assert sorted(path.relative_to(folder) for path in folder.rglob("*.*")) == sources
    before, after = (cv2.imread(str(place / sources[0])) for place in (picture_folder, folder))
    assert before.shape == after.shape
    assert (before != after).any()
    again = cli("classify", models / "shapes.tflite", picture_folder, "--save-images", folder)
    assert again.code == 1
    assert "the output exists already" in again.err
    assert cli("classify", models / "shapes.tflite", picture_folder, "--save-images", folder, "--force").code == 0


def test_saving_never_writes_over_the_pictures_themselves(cli, models: Path, picture_folder: Path) -> None:
    before = {path: path.read_bytes() for path in picture_folder.rglob("*.png")}
    outcome = cli("classify", models / "shapes.tflite", picture_folder, "--save-images", picture_folder, "--force")
    assert outcome.code == 1
    assert "this would write over one of the pictures" in outcome.err
    assert {path: path.read_bytes() for path in picture_folder.rglob("*.png")} == before


def test_stated_preprocessing_goes_before_the_files_part_by_part(cli, models: Path, picture_folder: Path) -> None:
    picture = sorted(picture_folder.glob("*.png"))[0]
    model = models / "shapes.tflite"

    def best(*options: str) -> tuple[str, float, str]:
        record = json.loads(cli("classify", model, picture, "--json", *options).out)
        return record["predictions"][0]["label"], record["predictions"][0]["score"], record["preprocess_source"]

    of_file = best()
    assert of_file[2] == "file"
    assert best("--preprocess", "inception") == (*of_file[:2], "stated")
    assert best("--preprocess", "raw")[1] != of_file[1]
    cropped = best("--resize", "crop:0.5")  # the file's mean and std stay: still a sensible answer
    assert cropped[2] == "stated"
    assert cropped[1] != of_file[1]
    assert best("--resize", "letterbox", "--interpolation", "bilinear")[2] == "stated"


def test_a_foreign_file_needs_to_be_told(cli, models: Path, picture_folder: Path) -> None:
    picture = sorted(picture_folder.glob("*.png"))[0]
    outcome = cli("classify", models / "bare_shapes.tflite", picture)
    assert outcome.code == 1
    assert "--preprocess inception|torch|caffe|raw" in outcome.err
    outcome = cli("classify", models / "bare_shapes.tflite", picture, "--resize", "crop")
    assert outcome.code == 1
    assert "the resizing alone is not enough" in outcome.err
    outcome = cli(
        "classify",
        models / "bare_shapes.tflite",
        picture,
        "--preprocess",
        "inception",
        "--labels",
        models / "shapes.txt",
    )
    assert outcome.code == 0
    assert outcome.out.startswith(expected(picture))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sha256", "0" * 64], "sha256"),
        (["--delegate", "libnone.so.9"], "libnone.so.9"),
        (["--labels", "none.txt"], "none.txt"),
        (["--max-megapixels", "0.001"], "pixels"),
    ],
)
def test_known_errors_of_the_options(cli, models: Path, picture_folder: Path, options: list[str], message: str) -> None:
    outcome = cli("classify", models / "shapes.tflite", sorted(picture_folder.glob("*.png"))[0], *options)
    assert outcome.code == 1
    assert message in outcome.err
    assert outcome.out == ""


def test_a_model_for_something_else(cli, models: Path, picture_folder: Path) -> None:
    outcome = cli("classify", models / "red.tflite", sorted(picture_folder.glob("*.png"))[0])
    assert outcome.code == 1
    assert "it is a model to detect" in outcome.err


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="these file systems know no names that are not UTF-8")
def test_paths_in_any_encoding(models: Path, picture_folder: Path, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/b\xfcro"
    os.mkdir(folder)
    for name in (b"caf\xe9.png", b"new\nline.png", b"tab\x1b[31m.png"):
        shutil.copy(sorted(picture_folder.glob("*.png"))[0], folder + b"/" + name)
    for environment in (environment_for(), environment_for(LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")):
        shown = run_mninfer("classify", models / "shapes.tflite", folder, env=environment)
        assert shown.code == 0, shown.err
        assert "b\\xfcro/caf\\xe9.png" in shown.out
        assert "\x1b" not in shown.out
        assert len(shown.out.splitlines()) == 3
        lines = run_mninfer("classify", models / "shapes.tflite", folder, "--json", env=environment).out.splitlines()
        assert os.fsencode(json.loads(lines[0])["image"]) == folder + b"/caf\xe9.png"
        out, drawn = folder + b"/r\xe9sultat.csv", folder + b"/dr\xe4wn"
        options = ["--out", out, "--save-images", drawn]
        assert run_mninfer("classify", models / "shapes.tflite", folder, *options, env=environment).code == 0
        with open(out, encoding="utf-8", newline="") as file:
            assert len(list(csv.DictReader(file))) == 3
        assert sorted(os.listdir(drawn)) == [b"caf\xe9.png", b"new\nline.png", b"tab\x1b[31m.png"]
        os.unlink(out)
        shutil.rmtree(drawn)


def many_pictures(folder: Path, source: Path, count: int) -> Path:
    """``count`` names for the same few pictures."""
    folder.mkdir()
    sources = sorted(source.glob("*.png"))
    for number in range(count):
        os.link(sources[number % len(sources)], folder / f"{number:05}.png")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize(
    ("suffix", "number"),
    [("csv", signal.SIGKILL), ("jsonl", signal.SIGKILL), ("csv", signal.SIGINT), ("jsonl", signal.SIGTERM)],
)
def test_killed_midway_and_resumed_it_is_the_file_of_a_run_that_was_not(
    models: Path, picture_folder: Path, tmp_path: Path, suffix: str, number: signal.Signals
) -> None:
    folder = many_pictures(tmp_path / "pictures", picture_folder, 1500)
    model, out = models / "shapes.tflite", tmp_path / f"out.{suffix}"
    arguments = command_line("classify", model, folder, "--out", out)
    running = subprocess.Popen(arguments, env=environment_for(), stderr=subprocess.PIPE, text=True)
    part = Path(f"{out}.part")
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and not (part.exists() and part.stat().st_size > 20_000):
        time.sleep(0.005)
    running.send_signal(number)
    err = running.communicate(timeout=60)[1]
    assert running.returncode == (130 if number == signal.SIGINT else -number)
    assert not out.exists()
    if number == signal.SIGINT:
        assert "--resume goes on" in err
        assert "Traceback" not in err
    resumed = run_mninfer("classify", model, folder, "--out", out, "--resume")
    assert resumed.code == 0, resumed.err
    assert "going on: " in resumed.err
    assert run_mninfer("classify", model, folder, "--out", tmp_path / f"whole.{suffix}").code == 0
    assert out.read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()
    assert sorted(os.listdir(tmp_path)) == sorted([f"out.{suffix}", f"whole.{suffix}", "pictures"])


@pytest.mark.skipif(sys.platform == "win32", reason="locks are POSIX")
def test_two_runs_into_the_same_file(models: Path, picture_folder: Path, tmp_path: Path) -> None:
    folder = many_pictures(tmp_path / "pictures", picture_folder, 1500)
    out = tmp_path / "out.csv"
    arguments = ["classify", models / "shapes.tflite", folder, "--out", out]
    first = subprocess.Popen(command_line(*arguments), env=environment_for(), stderr=subprocess.DEVNULL)
    while not Path(f"{out}.part").exists():
        time.sleep(0.002)
    second = run_mninfer(*arguments, "--force")
    assert first.wait(60) == 0
    assert second.code == 1
    assert "another run is writing this file" in second.err
    assert len(out.read_text().splitlines()) == 1501


def test_a_read_only_folder_and_no_home(models: Path, picture_folder: Path, tmp_path: Path) -> None:
    environment = environment_for()
    for name in ("HOME", "LANG", "LC_ALL", "TMPDIR", "USER"):
        environment.pop(name, None)
    picture = sorted(picture_folder.glob("*.png"))[0]
    assert run_mninfer("classify", models / "shapes.tflite", picture, env=environment).code == 0
    nowhere = "/proc/none/out.csv" if sys.platform.startswith("linux") else str(tmp_path / "none" / "out.csv")
    outcome = run_mninfer("classify", models / "shapes.tflite", picture, "--out", nowhere, env=environment)
    assert outcome.code == 1
    assert "cannot write: " in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.skipif(not hasattr(os, "geteuid") or sys.platform == "darwin", reason="limits of file sizes are POSIX")
def test_a_full_disk_is_an_error_and_the_pictures_done_are_kept(
    models: Path, picture_folder: Path, tmp_path: Path
) -> None:
    folder = many_pictures(tmp_path / "pictures", picture_folder, 600)
    out = tmp_path / "out.jsonl"
    line = " ".join(map(str, command_line("classify", models / "shapes.tflite", folder, "--out", out)))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 64; {line}"], env=environment_for(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cannot write: File too large" in done.stderr
    assert "--resume" in done.stderr
    assert run_mninfer("classify", models / "shapes.tflite", folder, "--out", out, "--resume").code == 0
    assert len({json.loads(each)["image"] for each in out.read_text().splitlines()}) == 600


def test_a_full_disk_under_saved_pictures(models: Path, tmp_path: Path) -> None:
    picture = tmp_path / "noise.png"
    cv2.imwrite(str(picture), np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8))
    line = " ".join(
        map(str, command_line("classify", models / "shapes.tflite", picture, "--save-images", tmp_path / "out"))
    )
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 64; {line}"], env=environment_for(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cannot write the file: File too large" in done.stderr
    assert not (tmp_path / "out" / "noise.png").exists()
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("command", ["classify", "detect", "segment"])
def test_what_is_wrong_with_the_model_is_told_of_the_model(
    cli, models: Path, picture_folder: Path, command: str
) -> None:
    model = models / {"classify": "bare_shapes", "detect": "bare_red", "segment": "bare_colours"}[command]
    model = model.with_suffix(".tflite")
    for pictures in (next(picture_folder.glob("*.png")), picture_folder):
        outcome = cli(command, model, pictures)
        assert outcome.code == 1
        assert "nothing says how a picture becomes this model's input" in outcome.err
        assert f"where: {model}" in outcome.err


def test_a_picture_that_the_engine_fails_on_is_one_failure(
    cli, models: Path, picture_folder: Path, monkeypatch
) -> None:
    from mninfer.engines.interpreter import InterpreterEngine
    from mninfer.errors import EngineError

    run, calls = InterpreterEngine.run, []

    def fail_once(engine: InterpreterEngine, arrays: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise EngineError("out of luck")
        return run(engine, arrays)

    monkeypatch.setattr(InterpreterEngine, "run", fail_once)
    for command, model in (("classify", "shapes"), ("detect", "red"), ("segment", "colours")):
        calls.clear()
        outcome = cli(command, models / f"{model}.tflite", picture_folder)
        assert outcome.code == 1
        assert len(outcome.out.splitlines()) == 7
        assert "1 of 8 pictures could not be used" in outcome.err
        assert "out of luck" in outcome.err


def test_resuming_a_complete_file_is_nothing_to_do(cli, models: Path, picture_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert cli("classify", models / "shapes.tflite", picture_folder, "--out", out).err == f"8 pictures -> {out}\n"
    data = out.read_bytes()
    again = cli("classify", models / "shapes.tflite", picture_folder, "--out", out, "--resume")
    assert (again.code, again.out) == (0, "")
    assert "nothing to do" in again.err
    one = next(picture_folder.glob("*.png"))
    fewer = cli("classify", models / "shapes.tflite", one, "--out", out, "--resume")
    assert fewer.code == 1
    assert "results of 7 pictures that were not asked for" in fewer.err
    assert out.read_bytes() == data


def test_one_picture_is_counted_in_the_singular(cli, models: Path, picture_folder: Path, tmp_path: Path) -> None:
    one = next(picture_folder.glob("*.png"))
    outcome = cli("classify", models / "shapes.tflite", one, "--out", tmp_path / "out.csv")
    assert outcome.err == f"1 picture -> {tmp_path / 'out.csv'}\n"


def interrupted(cli, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    """A run that leaves its part, with every picture in it but the last."""
    from mninfer.cli.records import RecordFile

    def stop(_: RecordFile) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(RecordFile, "finish", stop)
        assert cli("classify", *arguments).code == 130


def test_what_changes_results_is_not_changed_halfway(
    cli, models: Path, picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [models / "shapes.tflite", picture_folder, "--out", tmp_path / "out.csv"]
    interrupted(cli, monkeypatch, *before)
    for options, name in (
        (["--full-decode"], "full_decode"),
        (["--max-megapixels", "1"], "max_pixels"),
        (["--save-images", tmp_path / "drawn"], "saved_to"),
    ):
        outcome = cli("classify", *before, "--resume", *options)
        assert outcome.code == 1
        assert f"the run that was cut off had other settings: {name}\n" in outcome.err
    assert not (tmp_path / "drawn").exists()
    assert cli("classify", *before, "--resume").code == 0


def test_resuming_writes_over_what_was_saved_only_where_there_is_something_to_resume(
    cli, models: Path, picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, one = tmp_path / "drawn", sorted(picture_folder.glob("*.png"))[0]
    drawn.mkdir()
    (drawn / one.name).write_bytes(b"mine")
    arguments = [models / "shapes.tflite", picture_folder, "--out", tmp_path / "out.csv", "--save-images", drawn]
    outcome = cli("classify", *arguments, "--resume")
    assert outcome.code == 1
    assert "the output exists already" in outcome.err
    assert (drawn / one.name).read_bytes() == b"mine"
    (drawn / one.name).unlink()
    interrupted(cli, monkeypatch, *arguments)
    assert cli("classify", *arguments, "--resume").code == 0
    assert cli("classify", *arguments, "--resume").code == 0  # complete: nothing to do


def test_pictures_are_drawn_on_within_the_stated_size(
    cli, models: Path, picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mninfer.images

    load_image, limits = mninfer.images.load_image, []

    def load_and_note(*arguments, **options):
        limits.append(options.get("max_pixels"))
        return load_image(*arguments, **options)

    monkeypatch.setattr(mninfer.images, "load_image", load_and_note)
    options = ["--save-images", tmp_path / "drawn", "--max-megapixels", "300"]
    assert cli("classify", models / "shapes.tflite", sorted(picture_folder.glob("*.png"))[0], *options).code == 0
    assert limits == [300_000_000, 300_000_000]


@pytest.mark.smoke
@pytest.mark.parametrize("arguments", [
    ["classify", "m.tflite", "x.jpg", "--save-images", ""],
    ["segment", "m.tflite", "x.jpg", "--save-masks", ""],
    ["camera", "m.tflite", "--save", ""],
    ["camera", "m.tflite", "--http", "0", "--host", ""],
    ["classify", "m.tflite", "x.jpg", "--delegate", ""],
    ["info", "m.tflite", "--delegate", ""],
])  # fmt: skip
def test_an_unset_variable_is_a_usage_error_not_the_folder_here(cli, arguments: list[str]) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert "it is empty: give a name, or leave the option out" in outcome.err


@pytest.mark.smoke
def test_more_classes_than_columns_that_a_file_can_have_are_refused(cli) -> None:
    outcome = cli("classify", "m.tflite", "x.jpg", "--top", 999_999_999)
    assert outcome.code == 2
    assert "not in the range" in outcome.err
