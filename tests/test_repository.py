"""What holds for the repository as a whole: who may import whom, what is public, what the wheel holds."""

import ast
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# A package and the packages of ours that it may import (docs/architecture.md).
ARROWS = {
    "mninfer": set(),
    "mnconvert": {"mninfer", "mnmodels"},
    "mnmodels": {"mninfer"},
    "mnbench": {"mninfer", "mnmodels", "mnconvert"},
}
HOMES = {"mninfer": "mninfer", "mnconvert": "mnconvert", "mnmodels": "models/mnmodels", "mnbench": "benchmarks/mnbench"}
# Each heavy or optional dependency of a package, and the few places of the package that may import it.
IMPORTED_IN = {
    "mninfer": {
        "ai_edge_litert": ("engines/",),
        "tflite_runtime": ("engines/",),
        "tensorflow": ("engines/",),
        "simplejpeg": ("images/",),
        "picamera2": ("camera/",),
        "click": ("cli/",),
        "http": ("camera/",),
    },
    "mnconvert": {
        "tensorflow": ("lowering/integer_skeleton.py", "lowering/tensorflow.py"),
        "keras": ("source.py", "lowering/"),
        "click": ("cli/",),
    },
    "mnmodels": {
        # The fused kernel, a program that was asked for by --trust, TensorBoard's files: all else goes through Keras.
        "tensorflow": ("architectures/batch_norm.py", "keras_file/saved_model.py", "training/logs.py"),
        "h5py": ("keras_file/hdf5_process.py",),
        "matplotlib": ("training/plot.py",),
        "click": ("cli/",),
        "urllib": ("weights/imagenet.py", "data/published_sets.py"),
    },
    "mnbench": {
        "matplotlib": ("drawing/png.py",),
        "tensorflow": ("workloads/keras/",),
        "jax": ("workloads/keras/",),
        "torch": ("workloads/keras/",),
        "onnx": ("peers/tools/",),
        "click": ("cli/",),
    },
}
# What the modules of a package may take for installed, beyond the base install.
NEEDS = {"mnmodels": "keras", "mnconvert": "keras"}
INSTALLED = {"wheel", "tflite_runtime", "keras"}  # the environments of make test that have the wheel from pip
VAGUE = {"util", "utils", "helper", "helpers", "common", "misc", "shared"}
PACKAGES = [name for name, home in HOMES.items() if (ROOT / home / "__init__.py").is_file()]
MODULES = [(name, path) for name in PACKAGES for path in sorted((ROOT / HOMES[name]).rglob("*.py"))]

pytestmark = pytest.mark.smoke


def name_of(package: str, path: Path) -> str:
    parts = [package, *path.relative_to(ROOT / HOMES[package]).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every absolute module name that a file imports, wherever in the file, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import; name the package"
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            is_import = name in {"import_module", "__import__", "import_quietly"}
            if is_import and node.args and isinstance(node.args[0], ast.Constant):
                yield node.lineno, str(node.args[0].value)


each_module = pytest.mark.parametrize(
    ("package", "path"), MODULES, ids=lambda value: str(getattr(value, "name", value))
)


def test_packages_point_one_way() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {package} imports {module}"
        for package, path in MODULES
        for line, module in imports(path)
        if (root := module.partition(".")[0]) in ARROWS and root != package and root not in ARROWS[package]
    ]
    assert not wrong, "\n".join(wrong)


def imports_of_ours(package: str, path: Path, modules: set[str]) -> set[str]:
    """The modules of ours that a file needs in order to be read: not those that its functions import when called."""
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # "from a.b import c" is the module a.b.c where there is one.
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (names & modules) | ({node.module or ""} if names - modules else set())
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            nodes.extend(ast.iter_child_nodes(node))
    return (found & modules) - {name_of(package, path)}


def test_no_import_goes_round_in_a_circle() -> None:
    """Names for type checkers count: a circle of ideas is one even where Python does not stumble over it."""
    modules = {name_of(package, path) for package, path in MODULES}
    order = TopologicalSorter({name_of(*where): imports_of_ours(*where, modules) for where in MODULES})
    try:
        order.prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_nothing_imports_tests_tools_or_benchmarks() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for _, path in MODULES
        for line, module in imports(path)
        if module.partition(".")[0] in {"tests", "support", "tools", "benchmarks", "models"}
    ]
    assert not wrong, "\n".join(wrong)


def test_each_dependency_is_imported_in_its_place() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {module} belongs to {' and '.join(places)} of {package}"
        for package, path in MODULES
        for line, module in imports(path)
        if (places := IMPORTED_IN.get(package, {}).get(module.partition(".")[0]))
        and not path.relative_to(ROOT / HOMES[package]).as_posix().startswith(places)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", PACKAGES)
def test_each_place_of_a_dependency_imports_it(package: str) -> None:
    """A place that no longer needs its dependency leaves the table, or the table says less and less."""
    home = ROOT / HOMES[package]
    found = {
        (module.partition(".")[0], place)
        for name, path in MODULES
        if name == package
        for _, module in imports(path)
        for place in IMPORTED_IN.get(package, {}).get(module.partition(".")[0], ())
        if path.relative_to(home).as_posix().startswith(place)
    }
    assert found == {(module, place) for module, places in IMPORTED_IN.get(package, {}).items() for place in places}


def test_every_third_party_import_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(line for lines in project["optional-dependencies"].values() for line in lines),
    ]
    import_names = {"absl_py": "absl", "opencv_python_headless": "cv2", "pillow": "PIL"}
    known = {re.split(r"[^A-Za-z0-9_.-]", line)[0].replace("-", "_") for line in declared}
    # Used where the system has them: Debian's picamera2; JAX and torch as other backends of Keras; what the environment
    # of mnbench's converters has.
    elsewhere = {"picamera2", "libcamera", "jax", "torch", "onnx"}
    allowed = {import_names.get(name, name) for name in known} | elsewhere
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for _, path in MODULES
        for line, module in imports(path)
        if module.partition(".")[0] not in allowed | sys.stdlib_module_names | ARROWS.keys()
    ]
    assert not wrong, "\n".join(wrong)


def test_no_name_of_a_package_is_that_of_a_module_of_it() -> None:
    """Whoever has imported the module gets it in the place of the name, which is imported when it is first used."""
    inits = [path for _, path in MODULES if path.name == "__init__.py" and "lazy_names(" in path.read_text("utf-8")]
    assert inits
    stated = re.compile(r"__all__ = \[(.*?)\]", re.DOTALL)
    names = [
        (path, name) for path in inits for name in re.findall(r'"(\w+)"', stated.findall(path.read_text("utf-8"))[0])
    ]
    assert not [name for path, name in names if (path.parent / f"{name}.py").exists() or (path.parent / name).is_dir()]


def test_no_module_has_a_vague_name() -> None:
    names = {part.removesuffix(".py") for _, path in MODULES for part in path.relative_to(ROOT).parts}
    assert not names & VAGUE


@each_module
def test_each_module_says_what_it_does_and_what_is_public(package: str, path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not tree.body:
        return  # a package that only groups its modules
    assert ast.get_docstring(tree), "no module docstring"
    if path.name == "__main__.py":
        return
    public = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    stated = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
    ]
    if public or stated:
        assert stated, f"no __all__; public by name: {public}"
        assert set(public) <= set(stated[0]), f"public by name, not in __all__: {sorted(set(public) - set(stated[0]))}"


@each_module
def test_each_public_name_is_there_and_documented(package: str, path: Path, environment: str) -> None:
    if path.name == "__main__.py":
        return
    if package in NEEDS and environment != "keras" and not find_spec(NEEDS[package]):
        return  # looked at where it is: in the environment of make test that has it
    module = importlib.import_module(name_of(package, path))
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        if callable(value) and getattr(value, "__module__", "").startswith(package):
            assert value.__doc__, f"{module.__name__}.{name} has no docstring"


def test_nothing_installed_takes_a_common_name(environment: str) -> None:
    if environment not in INSTALLED:
        pytest.skip("no wheel is installed: make test installs one")
    files = importlib.metadata.files("mnkit") or []
    roots = {file.parts[0] for file in files if not file.parts[0].endswith(".dist-info") and file.parts[0] != ".."}
    assert roots == set(PACKAGES)
    assert not roots & {"models", "benchmarks", "tests", "tools", "docs"}


def test_the_wheel_holds_all_of_the_package_and_its_data(environment: str) -> None:
    if environment not in INSTALLED:
        pytest.skip("no wheel is installed: make test installs one")
    installed = {str(file) for file in importlib.metadata.files("mnkit") or []}
    for package in PACKAGES:
        home = ROOT / HOMES[package]
        tracked = {path for path in home.rglob("*") if path.is_file() and path.suffix != ".pyc"}
        assert {str(Path(package) / path.relative_to(home)) for path in tracked} <= installed
        assert f"{package}/py.typed" in installed
    assert not [name for name in installed if name.endswith((".h5", ".keras", ".tflite"))], "weights stay outside"


def test_tests_run_against_the_installed_wheel(environment: str) -> None:
    if environment not in INSTALLED:
        pytest.skip("no wheel is installed: make test installs one")
    for package in PACKAGES:
        assert "site-packages" in Path(importlib.import_module(package).__file__ or "").parts


def test_the_version_is_stated_once() -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    elsewhere = [
        str(path.relative_to(ROOT)) for _, path in MODULES if f'"{stated}"' in path.read_text(encoding="utf-8")
    ]
    assert not elsewhere


def test_no_tracked_file_names_a_registry_or_a_machine() -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    # In two parts each, so that this file does not name what it looks for.
    hosts = ["pypi." + "org", "pythonhosted." + "org", "npmjs." + "org", "deb." + "debian.org", "registry." + "yarnpkg"]
    out = re.compile("|".join([*(re.escape(host) for host in hosts), "/wo" + "rk/", "/ro" + "ot/"]).encode())
    wrong = [
        name.decode()
        for name in listing.stdout.split(b"\0")
        if name and (path := ROOT / name.decode()).is_file() and out.search(path.read_bytes())
    ]
    assert not wrong


def test_no_test_folder_shadows_a_package() -> None:
    """tests/ is on the path for its support modules: tests/mninfer must stay a plain folder, or `mninfer` it is."""
    assert not list((ROOT / "tests").glob("mn*/__init__.py"))
