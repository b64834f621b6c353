import random
from pathlib import Path

import numpy as np
import pytest

from mninfer.errors import InputError
from mnmodels.weights import read_weights
from mnmodels.weights.checkpoint import checkpoint_prefix
from mnmodels.weights.crc32c import crc32c, masked_crc32c
from support.checkpoints import entry, header, table, write_checkpoint

pytestmark = pytest.mark.smoke

ARRAYS = {
    "net/Conv/weights": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "net/Conv/BatchNorm/beta": np.float32([1, -2]),
    "net/half": np.float16([0.5, 3]),
    "net/double": np.float64([[1e-3]]),
    "empty": np.zeros((0, 3), np.float32),
    "global_step": np.int64(7),
}


def assert_same(result: object, expected: dict[str, np.ndarray]) -> None:
    assert isinstance(result, dict)
    assert set(result) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(result[name], array)
        assert result[name].dtype == np.asarray(array).dtype


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_weights(path)
    return str(caught.value)


@pytest.mark.parametrize("num_shards", [1, 3])
def test_all_tensors_come_back(tmp_path: Path, num_shards: int) -> None:
    prefix = write_checkpoint(tmp_path / "model.ckpt-7", ARRAYS, num_shards)
    assert_same(dict(read_weights(prefix).arrays), ARRAYS)


def test_what_tensorflow_writes_comes_back(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")
    many = {f"scope_{i % 7}/layer_{i}/weights": np.full((i % 5 + 1, 3), i, np.float32) for i in range(300)}
    for arrays in (ARRAYS, many):
        prefix = tmp_path / f"model.ckpt-{len(arrays)}"
        tf.raw_ops.SaveV2(
            prefix=str(prefix),
            tensor_names=[*arrays, "a text"],
            shape_and_slices=[""] * (len(arrays) + 1),
            tensors=[*map(tf.constant, arrays.values()), tf.constant("no number")],
        )
        assert_same(dict(read_weights(prefix).arrays), arrays)


@pytest.mark.parametrize("ending", ["", ".index", ".data-00000-of-00001", ".meta"])
def test_the_prefix_and_any_of_its_files_mean_the_checkpoint(tmp_path: Path, ending: str) -> None:
    prefix = write_checkpoint(tmp_path / "v1_1.0_224.ckpt", ARRAYS)
    assert checkpoint_prefix(f"{prefix}{ending}") == str(prefix)
    assert len(read_weights(f"{prefix}{ending}").arrays) == len(ARRAYS)


def test_a_missing_file_of_data_is_named(tmp_path: Path) -> None:
    prefix = write_checkpoint(tmp_path / "m.ckpt", ARRAYS, num_shards=2)
    Path(f"{prefix}.data-00001-of-00002").unlink()
    assert "the checkpoint's data is missing: m.ckpt.data-00001-of-00002" in refusal(prefix)
    Path(f"{prefix}.index").unlink()
    assert "the checkpoint's index is not there" in refusal(Path(f"{prefix}.meta"))


def test_a_folder_with_a_checkpoint_is_understood(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "m.ckpt", ARRAYS)
    assert f"did you mean {tmp_path / 'm.ckpt'}?" in refusal(tmp_path)


def test_changed_and_truncated_data_is_noticed(tmp_path: Path) -> None:
    prefix = write_checkpoint(tmp_path / "m.ckpt", ARRAYS)
    path = Path(f"{prefix}.data-00000-of-00001")
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert '"net/Conv/weights" has changed since it was saved' in refusal(prefix)
    path.write_bytes(data[:-1])
    assert "the checkpoint's data ends before the end of" in refusal(prefix)


SOUND = {b"": header(), b"w": entry((2,), 1, 0, 8, None)}


@pytest.mark.parametrize(
    ("index", "says"),
    [
        (b"", "it is empty"),
        (b"x" * 100, "does not end as one does"),
        (table({b"w": SOUND[b"w"]}), "its header is missing"),
        (table(SOUND | {b"": header(0)}), "0 files of data"),
        (table(SOUND | {b"": header(1, endianness=1)}), "big-endian"),
        (table(SOUND | {b"w": entry((3,), 1, 0, 8, None)}), "a tensor of shape [3] and dtype float32 in 8 bytes"),
        (table(SOUND | {b"w": entry((1 << 62, 4), 1, 0, 8, None)}), "an open or impossible size"),
        (table(SOUND | {b"w": entry((1 << 39, 1 << 39), 1, 0, 8, None)}), "a tensor of shape"),
        (table(SOUND | {b"w": entry((2,), 1, 0, 8, None, shard=5)}), "a tensor in file 5 of 1"),
        (table(SOUND | {b"w": b"\xff"}), "a number without an end"),
        (table(SOUND | {b"\xff\xfe": SOUND[b"w"]}), "a name that is not UTF-8"),
        (table(SOUND).replace(b"w", b"v", 1), "a checksum does not match"),
        (table({b"": header()}), "without any array of numbers"),
    ],
)
def test_a_broken_index_is_told(tmp_path: Path, index: bytes, says: str) -> None:
    (tmp_path / "m.index").write_bytes(index)
    (tmp_path / "m.data-00000-of-00001").write_bytes(bytes(8))
    assert says in refusal(tmp_path / "m.index")


def test_more_bytes_than_anybody_has_are_not_asked_for(tmp_path: Path) -> None:
    large = entry((1 << 38,), 1, 0, 1 << 40, None)
    (tmp_path / "m.index").write_bytes(table(SOUND | {b"w": large}))
    (tmp_path / "m.data-00000-of-00001").write_bytes(bytes(8))
    assert "the checkpoint's tensors take 1,099,511,627,776 bytes" in refusal(tmp_path / "m.index")


def test_no_mutation_of_the_index_ends_in_anything_but_arrays_or_an_input_error(tmp_path: Path) -> None:
    prefix = write_checkpoint(tmp_path / "m.ckpt", ARRAYS)
    path = Path(f"{prefix}.index")
    sound, generator, refused = path.read_bytes(), random.Random(0), 0
    for _ in range(60):
        data = bytearray(sound)
        for _ in range(generator.randint(1, 3)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        if generator.random() < 0.5:
            data = _checksums_mended(data)
        path.write_bytes(bytes(data[: generator.randint(1, len(data) * 3)]))
        try:
            read_weights(prefix)
        except InputError:
            refused += 1
    assert refused > 40


def _checksums_mended(data: bytearray) -> bytearray:
    """Of the first block, so that what lies behind its checksum is met by damaged bytes, too."""
    for end in range(5, len(data) - 48):
        body, trailer = data[: end - 4], data[end - 4 : end]
        if body[-1] == 0 and len(body) > 40 and any(trailer):
            data[end - 4 : end] = masked_crc32c(bytes(body)).to_bytes(4, "little")
            break
    return data


@pytest.mark.parametrize("size", [0, 1, 2, 63, 64, 65, 1000, 4097, 9001])
def test_the_checksum_is_crc32c(size: int) -> None:
    """Bit by bit, as RFC 3720 defines it."""
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    assert crc32c(data) == register ^ 0xFFFFFFFF


def test_names_that_share_their_beginnings_take_no_memory_beyond_the_file(tmp_path: Path) -> None:
    """Each of these takes three bytes of the file, and would be a name of a million letters."""
    index = table(SOUND | {b"x" * 5000 + bytes([65 + number]): SOUND[b"w"] for number in range(9)})
    (tmp_path / "m.index").write_bytes(index)
    (tmp_path / "m.data-00000-of-00001").write_bytes(bytes(8))
    assert "a name of 5,001 bytes" in refusal(tmp_path / "m.index")
