"""Images of every mode are scaled correctly or refused by name; large ones are not decoded."""

import os
import warnings

import numpy as np
import pytest
from PIL import Image

from avalanche_emgd import parallel_benchmark_from_images
from avalanche_emgd.benchmarks._image_reading import check_size, decode, rgb_of
from tests.benchmarks.pictures import colours, folder_of


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_eight_bits_are_as_pillow_has_them(mode):
    image = Image.fromarray(colours()).convert(mode)
    np.testing.assert_array_equal(rgb_of(image), image.convert("RGB"))


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_are_scaled(ending, tmp_path):
    levels = np.array([[0, 128, 129, 257, 32768, 65535]], dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / f"a.{ending}")
    found, mode = decode(str(tmp_path / f"a.{ending}"))
    assert mode.startswith("I;16")
    assert found[0, :, 0].tolist() == [0, 0, 1, 1, 128, 255]
    assert (found == found[..., :1]).all()


def test_big_endian_levels():
    levels = np.array([[0, 256, 65535]], dtype=">u2")
    image = Image.frombytes("I;16B", (3, 1), levels.tobytes())
    assert np.asarray(rgb_of(image))[0, :, 0].tolist() == [0, 1, 255]


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_levels_of_unknown_range_are_refused(dtype, tmp_path):
    path = str(tmp_path / "a.tif")
    Image.fromarray((1000 * np.random.default_rng(0).random((4, 4))).astype(dtype)).save(path)
    with pytest.raises(
        ValueError, match=r"a.tif' cannot be used: its mode is '[IF]'.*8 or 16 bits"
    ):
        decode(path)


def test_deep_images_keep_their_levels(tmp_path):
    generator = np.random.default_rng(0)
    folder_of(tmp_path, lambda n: Image.fromarray(
        generator.integers(2000, 52_000, (8, 8), dtype=np.uint16)))  # fmt: skip
    benchmark = parallel_benchmark_from_images(tmp_path, num_tasks=2, batch_size=4)
    x = benchmark.test_stream[0].load()[0]
    assert len(x.unique()) > 100
    assert benchmark.class_names == {0: "a", 1: "b"}


def test_deep_images_of_few_levels_are_refused(tmp_path):
    generator = np.random.default_rng(0)
    folder_of(tmp_path, lambda n: Image.fromarray(
        generator.integers(0, 4096, (8, 8), dtype=np.uint16)))  # fmt: skip
    with pytest.raises(ValueError, match=r"all below .* of 65,536: .* would keep 17 levels"):
        parallel_benchmark_from_images(tmp_path, num_tasks=2)


@pytest.mark.parametrize("odd", [0, 3, 7, 8, 15])
def test_images_of_different_sizes_need_a_size(odd, tmp_path):
    folder_of(tmp_path, lambda n: Image.fromarray(colours(n, (6, 5 + (n == odd), 3))))
    with pytest.raises(
        ValueError, match=r"of different sizes: '.*' is 6 × \d, '.*' is 6 × \d: give"
    ):
        parallel_benchmark_from_images(tmp_path, num_tasks=2)
    assert parallel_benchmark_from_images(tmp_path, num_tasks=2, size=(4, 3)).input_shape == (
        3,
        4,
        3,
    )


@pytest.mark.parametrize("size", [(0, 4), (4,), 4, (4, 4, 3), ("4", 4), (4.5, 4), (20_000, 20_000)])
def test_invalid_sizes(size, tmp_path):
    with pytest.raises(ValueError, match=r"`size` must be \(height, width\) in pixels, at most"):
        parallel_benchmark_from_images(tmp_path, size=size)
    assert check_size([4, np.int64(5)]) == (4, 5)


def png_of(width, height):
    """Write a small file whose header declares a given size."""
    import struct
    import zlib

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("side", [10_001, 13_000, 20_000, 2_000_000_000])
@pytest.mark.parametrize("size", [None, (8, 8)])
@pytest.mark.parametrize("part", ["train", "test"])
def test_large_images_are_refused_from_their_header(side, size, part, tmp_path, decoded):
    folder_of(tmp_path, lambda n: Image.fromarray(colours(n)))
    large = tmp_path / part / "b" / "3.png"
    large.write_bytes(png_of(side, side))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(
            ValueError, match=rf"The image '.*{part}/b/3.png' cannot be used: .*pix"
        ):
            parallel_benchmark_from_images(tmp_path, num_tasks=2, size=size)
    assert str(large) not in decoded
    assert bool(decoded) == (size is not None)  # no sizes to compare beforehand


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "noise", "gone"])
@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "bmp", "webp"])
def test_broken_images_are_named(damage, ending, tmp_path):
    folder_of(tmp_path, lambda n: Image.fromarray(colours(n, (64, 64, 3))), ending)
    path = tmp_path / "train" / "b" / f"1.{ending}"
    content = path.read_bytes()
    broken = {
        "cut": content[: len(content) // 3],
        "empty": b"",
        "text": b"no image at all",
        "noise": content[:40] + b"\xff" * (len(content) - 40),
        "gone": None,
    }[damage]
    if broken is None:
        path.unlink()
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.write_bytes(broken)
    if (damage, ending) in {("noise", "bmp"), ("noise", "jpg")}:
        pytest.skip("the decoder takes it for pixels")
    with pytest.raises(
        ValueError, match=rf"The image '.*train/b/1.{ending}' cannot be used: "
    ) as e:
        parallel_benchmark_from_images(tmp_path, num_tasks=2, batch_size=4)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_a_pipe_does_not_block(kind, tmp_path):
    path = tmp_path / "a.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(ValueError, match=r"a.png' cannot be used: it is no file"):
        decode(str(path))
