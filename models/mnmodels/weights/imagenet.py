"""The ImageNet weights that Keras publishes: downloaded once into Keras' own cache, checked, given to our networks.

Keras itself knows an MD5 for V3's files only. V1's and V2's are checked against the digest that their server states
with them, which finds a damaged download, not a changed original; and from then on against the SHA-256 written down
beside them. What is in a file is read in bounds either way, and never run.
"""

import base64
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from mninfer.errors import MnError
from mninfer.files import write_atomically
from mninfer.near import near_names

__all__ = ["PublishedFile", "fetch", "load_imagenet_weights", "published_file"]

_SERVER = "https://storage.googleapis.com/tensorflow/keras-applications/"
_SCHEMES = ("https",)
_MAX_BYTES = 64 << 20  # the largest, V2 1.4 with its classifier, has 25 MB
_SECONDS = 30
_V1_ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
_V1_SIZES = (128, 160, 192, 224)
_V2_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
_V2_SIZES = (96, 128, 160, 192, 224)
# MD5 with and without the classifier: WEIGHTS_HASHES of keras/src/applications/mobilenet_v3.py, Keras 3.15
_V3_DIGESTS: Mapping[str, tuple[str, str]] = {
    "large_224_0.75": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "small_224_0.75": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
}
_FAMILIES = ("mobilenet_v1", "mobilenet_v2", *(f"mobilenet_v3_{name.partition('_224')[0]}" for name in _V3_DIGESTS))


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file on Keras' server; ``md5`` where Keras knows it."""

    folder: str
    name: str
    md5: str | None

    @property
    def url(self) -> str:
        return f"{_SERVER}{self.folder}/{self.name}"

    @property
    def cached(self) -> Path:
        """Where Keras keeps it, too: KERAS_HOME, else ~/.keras."""
        home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
        return Path(home).expanduser() / "models" / self.name


def load_imagenet_weights(model: Any, *, family: str, alpha: float, size: int, include_top: bool) -> None:
    """Give ``model`` the weights that Keras publishes for that network, by the names of its layers.

    Raise MnError where there are none, they can't be downloaded, or they are not what they should be.
    """
    from mnmodels.weights.fitting import FitConfig, fit
    from mnmodels.weights.hdf5_weights import read_hdf5_weights
    from mnmodels.weights.importing import assign
    from mnmodels.weights.network import network_of
    from mnmodels.weights.translate import translate

    path = fetch(published_file(family=family, alpha=alpha, size=size, include_top=include_top))
    network = network_of(model)
    weights, _ = fit(translate(read_hdf5_weights(path), network), network, FitConfig(where=str(path)))
    assign(model, weights)


def published_file(*, family: str, alpha: float, size: int, include_top: bool) -> PublishedFile:
    """Which file has the weights. Of a size that there is none for, that of 224 is taken, as Keras does.

    >>> published_file(family="mobilenet_v1", alpha=0.25, size=128, include_top=True).name
    'mobilenet_2_5_128_tf.h5'
    """
    if family == "mobilenet_v1":
        text = _V1_ALPHAS.get(alpha) or _refuse_alpha(family, alpha, _V1_ALPHAS)
        name = f"mobilenet_{text}_{size if size in _V1_SIZES else 224}_tf"
        return PublishedFile("mobilenet", f"{name}{'' if include_top else '_no_top'}.h5", None)
    if family == "mobilenet_v2":
        if alpha not in _V2_ALPHAS:
            _refuse_alpha(family, alpha, _V2_ALPHAS)
        name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{size if size in _V2_SIZES else 224}"
        return PublishedFile("mobilenet_v2", f"{name}{'' if include_top else '_no_top'}.h5", None)
    if family not in _FAMILIES:
        near = near_names(family, _FAMILIES)
        raise MnError(f'Keras publishes no weights of a "{family}"', hints=near or f"one of {', '.join(_FAMILIES)}")
    kind = family.removeprefix("mobilenet_v3_")
    digests = _V3_DIGESTS.get(f"{kind}_224_{float(alpha)}")
    if digests is None:
        known = [float(each.rpartition("_")[2]) for each in _V3_DIGESTS if each.startswith(f"{kind}_224_")]
        _refuse_alpha(family, alpha, known)
    name = f"weights_mobilenet_v3_{kind}_224_{float(alpha)}_float{'' if include_top else '_no_top_v2'}.h5"
    return PublishedFile("mobilenet_v3", name, digests[0 if include_top else 1])


def _refuse_alpha(family: str, alpha: float, known: Any) -> NoReturn:
    texts = ", ".join(f"{each:g}" for each in sorted(known))
    raise MnError(f'Keras publishes no ImageNet weights of {family} with alpha "{alpha:g}"', hints=f"one of {texts}")


def fetch(file: PublishedFile) -> Path:
    """The file in the cache, downloaded where it isn't there. Raise MnError where it can't be had or has changed."""
    if file.cached.exists():
        _check_cached(file)
        return file.cached
    data, stated = _download(file)
    _check_download(file, data, stated)
    try:
        file.cached.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MnError(f"no folder for the weights: {error.strerror}", where=str(file.cached.parent)) from error
    record = _record(file)
    write_atomically(record, f"{hashlib.sha256(data).hexdigest()}  {file.name}\n".encode(), force=True)
    write_atomically(file.cached, data, force=True)
    return file.cached


def _record(file: PublishedFile) -> Path:
    return file.cached.with_name(f"{file.name}.sha256")


def _check_cached(file: PublishedFile) -> None:
    from mnmodels.weights.named_arrays import read_bytes

    data = read_bytes(file.cached, "the file of ImageNet weights")
    record = _record(file)
    expected = record.read_bytes()[:64].decode("latin-1") if record.is_file() else None
    is_md5_right = file.md5 is None or _md5(data) == file.md5
    if not is_md5_right or (expected is not None and hashlib.sha256(data).hexdigest() != expected):
        raise MnError(
            "the ImageNet weights in the cache are not what was published, or have changed since",
            where=str(file.cached),
            hints="remove the file, and it is downloaded again",
        )


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class _OnlySecure(urllib.request.HTTPRedirectHandler):
    """A redirection may not lead away from https."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not _is_secure(newurl):
            fp.close()
            raise _insecure(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_secure(url: str) -> bool:
    return url.partition(":")[0].lower() in _SCHEMES


def _insecure(url: str) -> MnError:
    return MnError("weights are downloaded over https only", where=url)


def _download(file: PublishedFile) -> tuple[bytes, str | None]:
    """The bytes, and the MD5 that Google's storage states for them."""
    if not _is_secure(file.url):
        raise _insecure(file.url)
    try:
        with urllib.request.build_opener(_OnlySecure).open(file.url, timeout=_SECONDS) as response:
            data = response.read(_MAX_BYTES + 1)
            expected = response.headers.get("Content-Length")
            stated = response.headers.get_all("x-goog-hash") or []
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _unreachable(file, error) from error
    if len(data) > _MAX_BYTES:
        raise MnError(f"the download has more than {_MAX_BYTES:,} bytes: not these weights", where=file.url)
    if expected is not None and expected.isdecimal() and int(expected) != len(data):
        raise MnError(f"the download ended after {len(data):,} of {int(expected):,} bytes", where=file.url)
    digests = [part.strip()[4:] for line in stated for part in line.split(",") if part.strip().startswith("md5=")]
    return data, _hexadecimal(digests[0]) if digests else None


def _hexadecimal(text: str) -> str:
    try:
        return base64.b64decode(text).hex()
    except ValueError:
        return text


def _unreachable(file: PublishedFile, error: Exception) -> MnError:
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # it is the answer, too, and holds the connection
    reason = getattr(error, "reason", None) or error
    return MnError(
        f"the ImageNet weights can't be downloaded: {reason}",
        where=file.url,
        hints=(
            f"on a machine with a network, download that address and put the file here: {file.cached}",
            "weights=None builds the network with random weights; finetune takes a file of yours: --base FILE",
        ),
    )


def _check_download(file: PublishedFile, data: bytes, stated: str | None) -> None:
    expected = file.md5 or stated
    if expected is not None and _md5(data) != expected:
        raise MnError(
            f"the download is not what was published: its MD5 is {_md5(data)}, not {expected}",
            where=file.url,
            hints="try again; if it stays so, something between here and the server changes it",
        )
