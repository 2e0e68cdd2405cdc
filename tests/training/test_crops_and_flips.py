"""Random crops and flips of images."""

import pytest
import torch

from avalanche_emgd.benchmarks import Part
from avalanche_emgd.training.crops_and_flips import (
    CropsAndFlips,
    check_augmentable,
    replace_parts,
)

IMAGES = torch.arange(1.0, 1 + 6 * 2 * 4 * 5).view(6, 2, 4, 5)


def crops_of(image, padding):
    """Return all possible crops of an image."""
    padded = torch.nn.functional.pad(image, 4 * [padding])
    height, width = image.shape[1:]
    for flipped in (False, True):
        for top in range(2 * padding + 1):
            for left in range(2 * padding + 1):
                crop = padded[:, top : top + height, left : left + width]
                yield (flipped, top, left), crop.flip(2) if flipped else crop


def test_each_image_becomes_one_of_its_crops_and_all_occur():
    crops = CropsAndFlips(padding=1)
    seen = [set() for _ in IMAGES]
    for _ in range(400):
        for found, result, image in zip(seen, crops.augment(IMAGES), IMAGES, strict=True):
            (kind,) = [kind for kind, crop in crops_of(image, 1) if torch.equal(crop, result)]
            found.add(kind)
    assert all(len(found) == 18 for found in seen)


def test_without_flips_and_without_padding():
    assert torch.equal(CropsAndFlips(0, flip=False).augment(IMAGES), IMAGES)
    mirrored = CropsAndFlips(0).augment(IMAGES)
    same = [torch.equal(a, b) for a, b in zip(mirrored, IMAGES, strict=True)]
    assert {True, False} == set(same)


def test_continues_from_its_state(tmp_path):
    crops = CropsAndFlips(2, seed=5)
    crops.augment(IMAGES)
    torch.save(crops.state_dict(), tmp_path / "state.pt")
    expected = crops.augment(IMAGES)
    other = CropsAndFlips(2)
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(other.augment(IMAGES), expected)


def test_wrong_use():
    words = "`padding` must be a whole number, at least 0, found"
    for padding in (-1, 1.5, True):
        with pytest.raises(ValueError, match=f"{words} {padding}"):
            CropsAndFlips(padding)
    with pytest.raises(
        ValueError, match=r"for images \[b, C, H, W\], found inputs of shape \(5,\)"
    ):
        CropsAndFlips().augment(torch.zeros(2, 5))


def test_sizes():
    check_augmentable((3, 16, 17))
    check_augmentable((1, 8, 8), padding=2)
    check_augmentable((1, 1, 1), padding=0)
    for shape, words in (((5,), r"the shape \[5\]"), ((3, 32, 15), "the inputs have 32×15")):
        with pytest.raises(ValueError, match=f"`augment` .*{words}: leave it out"):
            check_augmentable(shape)
    with pytest.raises(ValueError, match=r"^`other` .* at least 8 pixels .* have 7×8: help"):
        check_augmentable((1, 7, 8), 2, "other", "help")


def test_parts_are_replaced_and_the_argument_stays():
    x = torch.arange(12.0).view(6, 2)
    before, seen = x.clone(), []
    parts = [Part("a", 4, 6), Part("b", 0, 1)]

    def negative(inputs):
        seen.append(inputs)
        return -inputs

    found = replace_parts(x, parts, negative)
    assert torch.equal(x, before)
    assert torch.equal(found, torch.cat([-x[:1], x[1:4], -x[4:]]))
    (together,) = seen
    assert torch.equal(together, torch.cat([x[4:6], x[:1]]))
    assert replace_parts(x, [], negative) is x
