"""README's marked blocks, run as a reader would: with the base install, in the folder that ``make demo`` leaves.

``<!-- run -->`` before a block: bash and python blocks run one after the other in that folder;
``<!-- run: install -->``: in a copy of the checkout; ``<!-- run: keras -->``: in the environment that has Keras, in a
folder with labelled pictures and a trained network with pictures for it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from demo import write_network
from support.labelled import encoded, write_tree

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(?:<!-- (?P<mark>run[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)```", re.DOTALL)
KINDS = (("dark", 0), ("light", 99))
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


class Block(NamedTuple):
    mark: str
    language: str
    text: str


BLOCKS = [
    Block(m["mark"] or "", m["language"], m["text"]) for m in BLOCK.finditer((ROOT / "README.md").read_text("utf-8"))
]
RUN = [block for block in BLOCKS if block.mark == "run"]
RUN_WITH_KERAS = [block for block in BLOCKS if block.mark == "run: keras"]
SHELLS = {"bash": ["bash", "-eu", "-o", "pipefail", "-c"], "python": ["python", "-W", "error", "-c"]}


@pytest.fixture(scope="module")
def base_python() -> Path:
    """Python of the environment that has the base install only."""
    if not (path := os.environ.get("MNKIT_BASE_PYTHON")):
        pytest.skip("needs the base install: make test makes one (MNKIT_BASE_PYTHON)")
    return Path(path)


def shell_of(python: Path) -> dict[str, str]:
    """The environment variables of a shell in which the environment of ``python`` is active."""
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    ours = ("MNKIT", "PYTHON", "TF_", "KERAS_", "JAX_")  # JAX, once imported, sets TensorFlow's for all children, too
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)} | {"PATH": path}


@pytest.fixture(scope="module")
def reader(base_python: Path) -> dict[str, str]:
    return shell_of(base_python)


@pytest.fixture(scope="module")
def demo_folder(base_python: Path, reader: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    demo = [base_python, ROOT / "tools" / "demo.py", folder]
    done = subprocess.run(demo, env=reader, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_demo_leaves_what_the_readme_starts_from(demo_folder: Path) -> None:
    names = {path.relative_to(demo_folder).as_posix() for path in demo_folder.rglob("*") if path.is_file()}
    assert {"bare.tflite", "labels.txt", "shapes.tflite", "pictures/red_circle.jpg"} <= names
    assert any(name.startswith("drawn/") for name in names)


@pytest.mark.parametrize("block", RUN, ids=[f"{i}-{block.language}" for i, block in enumerate(RUN)])
def test_the_readme_block_runs(block: Block, demo_folder: Path, reader: dict[str, str]) -> None:
    line = [*SHELLS[block.language], block.text]
    done = subprocess.run(line, cwd=demo_folder, env=reader, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout, "a reader wants to see something"


@pytest.fixture(scope="module")
def photos_folder(environment: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes to learn and test in ``photos``; the shipped ``mobilenet.h5``, and ``things`` that it knows."""
    if environment != "keras":
        pytest.skip("needs the wheel with its extra `train`: make test-keras")
    folder = tmp_path_factory.mktemp("photos")
    for part, num_pictures in (("train", 12), ("test", 6)):
        pictures = {f"{name}/{n}.png": encoded(base + n, (40, 32)) for name, base in KINDS for n in range(num_pictures)}
        write_tree(folder / "photos" / part, pictures)
    write_network(folder)
    return folder


@pytest.mark.slow
def test_the_demo_goes_the_whole_way(environment: str, tmp_path: Path) -> None:
    if environment != "keras":
        pytest.skip("needs the wheel with its extra `train`: make test-keras")
    demo = [sys.executable, ROOT / "tools" / "demo.py", tmp_path / "demo", "--converter", sys.executable]
    env = shell_of(Path(sys.executable))
    done = subprocess.run(demo, env=env, capture_output=True, text=True, check=False, timeout=480)
    assert done.returncode == 0, done.stdout + done.stderr
    made = {path.name for path in (tmp_path / "demo" / "variants").iterdir()}
    assert {"mobilenet_none.tflite", "mobilenet_fp16.tflite", "mobilenet_int8.tflite"} <= made
    assert (tmp_path / "demo" / "variants.html").read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.slow
@pytest.mark.parametrize("block", RUN_WITH_KERAS, ids=[f"{i}-{b.language}" for i, b in enumerate(RUN_WITH_KERAS)])
def test_the_readme_block_runs_with_keras(block: Block, photos_folder: Path) -> None:
    # Foreign packages warn while they are imported: here no warning is an error.
    line = [word for word in SHELLS[block.language] if word not in {"-W", "error"}] + [block.text]
    env = shell_of(Path(sys.executable))
    done = subprocess.run(line, cwd=photos_folder, env=env, capture_output=True, text=True, check=False, timeout=480)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout, "a reader wants to see something"
    # LiteRT announces its delegate from C++; the commands hold that back, the library leaves it to its caller.
    assert not re.search(r"^(WARNING|I0000|[EW]0000|INFO(?!: Created TensorFlow Lite))\b", done.stderr, re.MULTILINE), (
        done.stderr
    )


@pytest.mark.slow
def test_the_install_lines_work_in_a_fresh_checkout(reader: dict[str, str], tmp_path: Path) -> None:
    if subprocess.run([sys.executable, "-c", "import ensurepip"], check=False, capture_output=True).returncode:
        pytest.skip("this Python cannot make an environment with pip (Debian: apt-get install python3-venv)")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listing.stdout.split("\0")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    (lines,) = [block.text for block in BLOCKS if block.mark == "run: install"]
    done = subprocess.run(
        ["bash", "-eu", "-c", lines],
        cwd=tmp_path,
        env=reader | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip().endswith(".dev0") or "mninfer" in done.stdout.splitlines()[-1]


@pytest.mark.smoke
@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", "models/README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))],
)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    missing = [link for link in LINK.findall(text) if not ((ROOT / page).parent / link).exists()]
    assert not missing


@pytest.mark.smoke
def test_the_figures_are_those_of_the_result_files() -> None:
    script = [sys.executable, ROOT / "tools" / "write_measured.py", "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.smoke
def test_every_decision_has_a_number_of_its_own_and_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    names = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert len({name[:4] for name in names}) == len(names)
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert not [name for name in names if f"({name})" not in index]
    assert not [
        name for name in names if not re.match(r"# (\d{4}|NNNN): ", (folder / name).read_text(encoding="utf-8"))
    ]


@pytest.mark.smoke
def test_contributing_fits_on_one_page() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) <= 60
