"""Digests: the same from both implementations, and OpenSSL left alone where that is the cheaper way."""

import hashlib
import subprocess
import sys

import pytest

from mninfer.model_file import digest
from mninfer.model_file.digest import LARGE_BYTES, digest_of, digests_of_parts

pytestmark = pytest.mark.smoke

DATA = bytes(range(256)) * 40


@pytest.fixture(params=[False, True], ids=["OpenSSL's", "Python's own"])
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "LARGE_BYTES", len(DATA) + 1 if request.param else 0)
    monkeypatch.delitem(sys.modules, "_hashlib", raising=False)


@pytest.mark.usefixtures("implementation")
def test_digests_are_sha256() -> None:
    assert digest_of(DATA) == hashlib.sha256(DATA).hexdigest()
    for end in (0, 100, len(DATA)):
        expected = hashlib.sha256(DATA[:end]).hexdigest(), hashlib.sha256(DATA).hexdigest()
        assert digests_of_parts(DATA, end) == expected


def test_a_python_without_a_sha256_of_its_own_takes_openssls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "_OWN_MODULES", ("no_such_module",))
    monkeypatch.delitem(sys.modules, "_hashlib", raising=False)
    assert digest_of(DATA) == hashlib.sha256(DATA).hexdigest()


@pytest.mark.parametrize(("num_bytes", "is_loaded"), [(LARGE_BYTES - 1, False), (LARGE_BYTES, True)])
def test_openssl_is_loaded_for_large_files_alone(num_bytes: int, is_loaded: bool) -> None:
    code = (
        "import sys; from mninfer.model_file.digest import digest_of; "
        f"digest_of(bytes({num_bytes})); print('hashlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == str(is_loaded)
