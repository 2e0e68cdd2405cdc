"""Random images, and folders of them."""

import numpy as np


def colours(seed=0, shape=(6, 5, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def folder_of(root, make, ending="png", per_class=4, classes="ab"):
    number = 0
    for part in ("train", "test"):
        for name in classes:
            folder = root / part / name
            folder.mkdir(parents=True)
            for index in range(per_class):
                make(number).save(folder / f"{index}.{ending}")
                number += 1
    return root
