import subprocess
import sys
from types import SimpleNamespace

import pytest

from mninfer.errors import MissingDependencyError, MnError
from mnmodels import backend
from mnmodels.backend import start_keras
from support.commands import environment_for


def in_a_child(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run ``code`` where nothing is imported yet, with the mnmodels that is tested."""
    kept = {key: value for key, value in environment_for().items() if not key.startswith(("KERAS_", "TF_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.smoke
def test_a_wrong_backend_is_named() -> None:
    with pytest.raises(MnError, match='no backend "tensorflo"') as caught:
        start_keras("tensorflo")
    assert caught.value.hints == ("tensorflow",)


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("package", "backend_name"),
    [("keras", "tensorflow"), ("tensorflow", "tensorflow"), ("jax", "jax"), ("torch", "torch")],
)
def test_what_is_missing_is_named_with_its_install_line(
    monkeypatch: pytest.MonkeyPatch, package: str, backend_name: str
) -> None:
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(backend, "find_spec", lambda name: None if name == package else object())
    with pytest.raises(MissingDependencyError, match=f"{package} is not installed") as caught:
        start_keras(backend_name)
    assert caught.value.hints[0].startswith("python -m pip install ")
    assert package in caught.value.hints[0]


@pytest.mark.smoke
def test_another_keras_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow 2.15 brings Keras 2: imported as if it were Keras 3, the first use would be a traceback."""
    older = SimpleNamespace(__version__="2.15.0", backend=SimpleNamespace(backend=lambda: "tensorflow"))
    monkeypatch.setitem(sys.modules, "keras", older)
    with pytest.raises(MissingDependencyError, match=r"this is Keras 2\.15\.0") as caught:
        start_keras()
    assert '"keras>=3.15"' in caught.value.hints[0]


@pytest.mark.smoke
def test_the_command_line_and_the_package_start_without_keras() -> None:
    done = in_a_child(
        "import sys; import mnmodels; from mnmodels.cli.main import main; code = main(['--help']); "
        "print(sorted({'keras', 'tensorflow', 'jax', 'h5py', 'matplotlib', 'numpy', 'cv2'} & set(sys.modules)))"
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_starting_and_using_keras_says_nothing() -> None:
    pytest.importorskip("keras", reason="needs Keras: make test")
    done = in_a_child(
        "from mnmodels.backend import start_keras; keras = start_keras(); keras.utils.set_random_seed(1); "
        "keras.ops.convert_to_numpy(keras.ops.ones(3)); assert start_keras() is keras; print(keras.backend.backend())"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "tensorflow\n", "")


def test_one_process_has_one_backend() -> None:
    pytest.importorskip("keras", reason="needs Keras: make test")
    other = "jax" if start_keras().backend.backend() == "tensorflow" else "tensorflow"
    with pytest.raises(MnError, match="Keras already runs on") as caught:
        start_keras(other)
    assert f"KERAS_BACKEND={other}" in caught.value.hints[0]


def test_jax_is_quiet_too() -> None:
    pytest.importorskip("keras", reason="needs Keras: make test")
    pytest.importorskip("jax", reason="needs JAX: make test")
    done = in_a_child(
        "from mnmodels.backend import start_keras; keras = start_keras(); keras.utils.set_random_seed(1); "
        "keras.ops.convert_to_numpy(keras.ops.ones(3)); print(keras.backend.backend())",
        KERAS_BACKEND="jax",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "jax\n", "")
