"""The download against a server of ours: no test leaves this machine."""

import base64
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from mninfer.errors import MnError
from mnmodels.weights import imagenet
from mnmodels.weights.imagenet import PublishedFile, fetch, published_file

DATA = b"\x89HDF\r\n\x1a\n" + bytes(range(200))
MD5 = hashlib.md5(DATA, usedforsecurity=False)
V1 = {"family": "mobilenet_v1", "alpha": 0.25, "size": 128, "include_top": True}


class Server(HTTPServer):
    """Serves ``files`` by name, with Google's digest where ``digest`` is set; counts the requests."""

    files: dict[str, bytes]
    digest: str | None = None
    redirect: str | None = None
    missing_bytes = 0
    requests = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        data = self.server.files.get(self.path.rpartition("/")[2])
        if self.server.redirect:
            self.send_response(302)
            self.send_header("Location", self.server.redirect)
            self.end_headers()
            return
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        if self.server.digest:
            self.send_header("x-goog-hash", "crc32c=AAAAAA==")
            self.send_header("x-goog-hash", f"md5={self.server.digest}")
        self.end_headers()
        self.wfile.write(data[: len(data) - self.server.missing_bytes])

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        running.files = {"mobilenet_2_5_128_tf.h5": DATA}
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        monkeypatch.setattr(imagenet, "_SERVER", f"http://127.0.0.1:{running.server_port}/")
        monkeypatch.setattr(imagenet, "_SCHEMES", ("http", "https"))
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
        monkeypatch.setenv("no_proxy", "*")
        yield running
        running.shutdown()
        thread.join()


def refusal(file: PublishedFile) -> str:
    with pytest.raises(MnError) as caught:
        fetch(file)
    return str(caught.value)


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("family", "alpha", "size", "include_top", "name"),
    [
        ("mobilenet_v1", 1.0, 224, True, "mobilenet/mobilenet_1_0_224_tf.h5"),
        ("mobilenet_v1", 0.75, 300, False, "mobilenet/mobilenet_7_5_224_tf_no_top.h5"),
        ("mobilenet_v2", 1, 96, True, "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96.h5"),
        (
            "mobilenet_v2",
            1.4,
            32,
            False,
            "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.4_224_no_top.h5",
        ),
        ("mobilenet_v3_small", 0.75, 224, True, "mobilenet_v3/weights_mobilenet_v3_small_224_0.75_float.h5"),
        (
            "mobilenet_v3_large_minimalistic",
            1.0,
            224,
            False,
            "mobilenet_v3/weights_mobilenet_v3_large_minimalistic_224_1.0_float_no_top_v2.h5",
        ),
    ],
)
def test_the_file_of_a_network(family: str, alpha: float, size: int, include_top: bool, name: str) -> None:
    file = published_file(family=family, alpha=alpha, size=size, include_top=include_top)
    assert file.url == f"https://storage.googleapis.com/tensorflow/keras-applications/{name}"


def test_the_digests_are_those_of_keras() -> None:
    keras = pytest.importorskip("keras", reason="needs Keras: make test")
    import importlib

    module = importlib.import_module("keras.src.applications.mobilenet_v3")
    assert keras is not None
    for name, digests in module.WEIGHTS_HASHES.items():
        kind, _, alpha = name.removesuffix("_float").partition("_224_")
        for include_top, md5 in zip((True, False), digests, strict=True):
            family = f"mobilenet_v3_{kind}"
            file = published_file(family=family, alpha=float(alpha), size=224, include_top=include_top)
            assert file.md5 == md5


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("family", "alpha", "says"),
    [
        (
            "mobilenet_v1",
            0.3,
            'no ImageNet weights of mobilenet_v1 with alpha "0.3"\n  try:   one of 0.25, 0.5, 0.75, 1',
        ),
        ("mobilenet_v2", 0.25, "one of 0.35, 0.5, 0.75, 1, 1.3, 1.4"),
        ("mobilenet_v3_small_minimalistic", 0.75, "one of 1"),
        ("mobilenet_v4", 1, 'no weights of a "mobilenet_v4"'),
    ],
)
def test_what_is_not_published_is_told(family: str, alpha: float, says: str) -> None:
    with pytest.raises(MnError) as caught:
        published_file(family=family, alpha=alpha, size=224, include_top=True)
    assert says in str(caught.value)


@pytest.mark.smoke
@pytest.mark.parametrize("digest", [None, base64.b64encode(MD5.digest()).decode()])
def test_a_file_is_downloaded_once_and_watched_from_then_on(server: Server, digest: str | None) -> None:
    server.digest = digest
    file = published_file(**V1)
    path = fetch(file)
    assert path.read_bytes() == DATA
    assert path == file.cached
    assert path.parent.name == "models"
    assert fetch(file) == path
    assert server.requests == 1
    path.write_bytes(DATA + b"x")
    assert "have changed since" in refusal(file)
    assert server.requests == 1


@pytest.mark.smoke
def test_a_home_for_keras_is_expanded_as_keras_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", "~/models of mine")
    assert published_file(**V1).cached.parent == Path.home() / "models of mine" / "models"


@pytest.mark.smoke
def test_a_wrong_digest_keeps_the_file_out_of_the_cache(server: Server) -> None:
    server.digest = base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()
    file = published_file(**V1)
    assert "not what was published: its MD5 is" in refusal(file)
    server.digest = base64.b64encode(MD5.digest()).decode()
    pinned = PublishedFile(file.folder, file.name, "0" * 32)  # what we know counts, whatever the server says
    assert f"its MD5 is {MD5.hexdigest()}, not {'0' * 32}" in refusal(pinned)
    assert not file.cached.exists()
    assert fetch(PublishedFile(file.folder, file.name, MD5.hexdigest())).exists()
    assert "not what was published" in refusal(pinned)


@pytest.mark.smoke
def test_a_download_that_ends_early_or_never_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    file = published_file(**V1)
    server.missing_bytes = 10
    assert f"the download ended after {len(DATA) - 10} of {len(DATA)} bytes" in refusal(file)
    server.missing_bytes = 0
    monkeypatch.setattr(imagenet, "_MAX_BYTES", 100)
    assert "more than 100 bytes" in refusal(file)
    assert not file.cached.exists()


@pytest.mark.smoke
def test_without_a_network_the_way_on_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet, "_SERVER", "http://127.0.0.1:9/")
    file = published_file(**V1)
    text = refusal(file)
    assert "the ImageNet weights can't be downloaded" in text
    assert f"put the file here: {file.cached}" in text
    monkeypatch.setattr(imagenet, "_SERVER", f"http://127.0.0.1:{server.server_port}/")
    server.files = {}
    assert "can't be downloaded: Not Found" in refusal(file)


@pytest.mark.smoke
def test_nothing_is_downloaded_but_over_https(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.redirect = "ftp://127.0.0.1/x"
    assert "over https only" in refusal(published_file(**V1))
    server.redirect = None
    monkeypatch.setattr(imagenet, "_SCHEMES", ("https",))
    assert "over https only" in refusal(published_file(**V1))
    assert server.requests == 1


@pytest.mark.parametrize(
    ("function", "options", "family"),
    [
        ("MobileNet", {"alpha": 0.25}, "mobilenet_v1"),
        ("MobileNetV2", {"alpha": 0.35, "include_top": False}, "mobilenet_v2"),
        ("MobileNetV3Small", {"alpha": 0.75}, "mobilenet_v3_small"),
    ],
)
def test_weights_of_keras_applications_compute_the_same_in_ours(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, options: dict[str, Any], family: str
) -> None:
    """Random weights, written by Keras as it writes those that it publishes, named and served as these."""
    keras = pytest.importorskip("keras", reason="needs Keras: make test")
    np = pytest.importorskip("numpy")
    from mnmodels.architectures.registry import build_model
    from mnmodels.keras_file import save_keras

    shape = (32, 32, 3)
    scaled = {"include_preprocessing": False} if "V3" in function else {}
    theirs = getattr(keras.applications, function)(weights=None, input_shape=shape, **options, **scaled)
    random = np.random.default_rng(0)
    for variable in theirs.weights:
        shift = random.normal(size=variable.shape) * 0.1
        variable.assign(np.abs(np.asarray(variable) + shift) if "variance" in variable.name else variable + shift)
    save_keras(theirs, tmp_path / "theirs.h5")
    file = published_file(family=family, alpha=options["alpha"], size=32, include_top=options.get("include_top", True))
    server.files = {file.name: (tmp_path / "theirs.h5").read_bytes()}
    digest = hashlib.md5(server.files[file.name], usedforsecurity=False).hexdigest()
    monkeypatch.setattr(imagenet, "published_file", lambda **_: PublishedFile(file.folder, file.name, digest))
    ours = build_model(family, input_shape=shape, weights="imagenet", **options)
    pictures = random.uniform(-1, 1, (2, *shape)).astype("float32")
    expected = np.asarray(theirs(pictures, training=False))
    np.testing.assert_allclose(np.asarray(ours(pictures, training=False)), expected, atol=1e-5 * max(1, expected.max()))
    assert expected.std() > 1e-5
