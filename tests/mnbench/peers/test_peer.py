"""The table of peers holds together: with the catalogue, the files of requirements, and the modules of engines."""

from importlib.resources import files
from importlib.util import find_spec

import pytest

from mnbench.catalogue import ENGINES, EngineKind
from mnbench.cell import Variant
from mnbench.peers import PEERS, peer_named
from mnbench.peers.conversions import CONVERSIONS
from mnbench.peers.environments import requirements_digest, requirements_of
from mnbench.peers.peer import ENVIRONMENTS, environment_named
from mninfer.errors import InputError

pytestmark = pytest.mark.smoke

MEASURED = [name for name, peer in PEERS.items() if not peer.refusal]
FORMS = set(Variant) - {Variant.BF16}


def test_every_peer_of_the_catalogue_is_known_and_no_other() -> None:
    assert list(PEERS) == [name for name, entry in ENGINES.items() if entry.kind is EngineKind.PEER]


@pytest.mark.parametrize("name", list(PEERS))
def test_every_variant_is_run_or_refused_with_a_reason(name: str) -> None:
    peer = PEERS[name]
    if peer.refusal:
        assert not peer.variants
        return
    assert set(peer.variants) | set(peer.refused) == FORMS
    assert not set(peer.variants) & set(peer.refused)
    assert set(peer.direct) <= set(peer.variants)
    assert all(reason for reason in peer.refused.values())


@pytest.mark.parametrize("name", MEASURED)
def test_what_a_peer_needs_is_there(name: str) -> None:
    peer = PEERS[name]
    assert set(peer.environments) <= set(ENVIRONMENTS)
    assert find_spec(f"mnbench.peers.engines.{name}_engine") is not None
    assert name in CONVERSIONS or set(peer.direct) == set(peer.variants)
    assert peer.title == ENGINES[name].title


@pytest.mark.parametrize("name", list(ENVIRONMENTS))
def test_requirements_are_pinned_and_name_no_index(name: str) -> None:
    lines = requirements_of(name).splitlines()
    assert lines[0].startswith("# "), "a file of requirements begins with its reason"
    stated = [line for line in lines if not line.startswith("#")]
    assert any(line.startswith(f"{environment_named(name).distribution}==") for line in stated) or name == "tf2onnx"
    assert all("==" in line or line == "numpy>=1.24,<2" for line in stated)
    assert "://" not in "".join(lines)
    assert not any(line.startswith("-") for line in stated)


def test_there_is_a_file_for_each_environment_and_no_other() -> None:
    names = {path.name for path in (files("mnbench.peers") / "requirements").iterdir()}
    assert names == {f"{name}.txt" for name in ENVIRONMENTS}


def test_comments_and_order_change_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = iter(["# why\na==1\nb==2\n", "b==2\n# because\n\na==1", "a==1\nb==3"])
    monkeypatch.setattr("mnbench.peers.environments.requirements_of", lambda _: next(texts))
    first, same, other = (requirements_digest("mnn") for _ in range(3))
    assert first == same != other


def test_a_variant_that_is_read_as_it_is_needs_no_converter() -> None:
    openvino = PEERS["openvino"]
    assert openvino.environments_for(Variant.FLOAT32) == ("openvino",)
    assert openvino.suffix_for(Variant.FLOAT32) == ".tflite"
    assert openvino.environments_for(Variant.INT8) == ("openvino", "tf2onnx")
    assert openvino.suffix_for(Variant.INT8) == ".onnx"


def test_a_typing_error_gets_a_near_name() -> None:
    with pytest.raises(InputError, match='no peer is called "onnxrutime"') as error:
        peer_named("onnxrutime")
    assert error.value.hints == ('did you mean "onnxruntime"?',)
    with pytest.raises(InputError, match='no environment is called "zzz"') as error:
        environment_named("zzz")
    assert "tf2onnx" in error.value.hints[0]
