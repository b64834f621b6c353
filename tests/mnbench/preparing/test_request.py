"""Requests: names, files and folders told apart, and what is said of those that are nothing."""

from pathlib import Path

import pytest

from mnbench.preparing.bundle import BUNDLE_NAME
from mnbench.preparing.request import (
    BundleRequest,
    FlatbufferRequest,
    KerasRequest,
    NetworkRequest,
    read_request,
)
from mninfer.errors import InputError, KerasFileError
from support.networks import shapes_float

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mobilenet_v1", "mobilenet_v1_1.0_224"),
        ("mobilenet_v1_0.25", "mobilenet_v1_0.25_224"),
        ("mobilenet_v1_0.25_128", "mobilenet_v1_0.25_128"),
        ("mobilenet_v2_1_224", "mobilenet_v2_1.0_224"),
        ("mobilenet_v2_1.40_96", "mobilenet_v2_1.4_96"),
        ("mobilenet_v3_small", "mobilenet_v3_small_1.0_224"),
        ("mobilenet_v2_lgc_0.35_32", "mobilenet_v2_lgc_0.35_32"),
    ],
)
def test_a_network_has_one_name_however_it_is_spelled(text: str, name: str) -> None:
    request = read_request(text)
    assert isinstance(request, NetworkRequest)
    assert request.name == name
    assert read_request(name) == request


def test_width_and_size_are_the_networks_options() -> None:
    request = read_request("mobilenet_v2_0.5_160")
    assert isinstance(request, NetworkRequest)
    assert request.architecture == "mobilenet_v2"
    assert request.options == {"alpha": 0.5, "input_shape": [160, 160, 3], "dropout": 0.0}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("mobilnet_v1_1.0_224", 'did you mean "mobilenet_v1_1.0_224"?'),
        ("mobilenet_v3_1.0_224", "mobilenet_v"),
        ("mobilenet-v2", 'did you mean "mobilenet_v2"?'),
        ("resnet50", "the families are mobilenet_v1, "),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(text: str, hint: str) -> None:
    with pytest.raises(InputError, match=f'no network and no file is called "{text}"') as caught:
        read_request(text)
    assert any(hint in line for line in caught.value.hints)


@pytest.mark.parametrize(
    "text", ["mobilenet_v1_0_224", "mobilenet_v1_1.0_225", "mobilenet_v1_1.0_16", "mobilenet_v1_99"]
)
def test_a_width_or_size_that_can_not_be_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=f'no network "{text}"'):
        read_request(text)


class TestFiles:
    def test_a_flatbuffer_is_known_by_its_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "strange.bin"
        path.write_bytes(shapes_float())
        assert read_request(str(path)) == FlatbufferRequest("strange", path)

    @pytest.mark.parametrize("start", [b"\x89HDF\r\n\x1a\n", b"PK\x03\x04...."])
    def test_a_keras_file_too_whatever_it_is_called(self, tmp_path: Path, start: bytes) -> None:
        path = tmp_path / "model.tflite"
        path.write_bytes(start)
        assert read_request(str(path)) == KerasRequest("model", path)

    def test_a_bundle_is_a_folder_with_its_page(self, tmp_path: Path) -> None:
        (tmp_path / "net").mkdir()
        (tmp_path / "net" / BUNDLE_NAME).write_text("{}")
        assert read_request(str(tmp_path / "net")) == BundleRequest("net", tmp_path / "net")

    def test_another_folder_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="the folder is no bundle"):
            read_request(str(tmp_path))

    @pytest.mark.parametrize("name", ["kitchn.tflite", "kitchn.keras", "folder/kitchen"])
    def test_a_file_that_is_not_there_is_no_name_of_a_network(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "kitchen.tflite").write_bytes(b"")
        with pytest.raises(InputError, match="there is no such model file") as caught:
            read_request(str(tmp_path / name))
        assert caught.value.where == str(tmp_path / name)

    def test_what_has_no_end_is_not_opened(self) -> None:
        with pytest.raises(InputError, match="no regular file"):
            read_request("/dev/zero")

    def test_a_file_goes_before_a_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("mobilenet_v1").write_bytes(shapes_float())
        assert isinstance(read_request("mobilenet_v1"), FlatbufferRequest)


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "is empty"), (b"\x08", "the first bytes are 08"), (b"%PDF-1.7", "is a PDF")]
)
def test_what_is_no_model_is_named_before_anything_is_asked_for_it(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(data)
    with pytest.raises(KerasFileError, match=words) as caught:
        read_request(str(path))
    assert str(path) in str(caught.value)
