"""Wrong inputs: each gives exit status 2 and one line that names what was typed, and no files."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.cli.one_line import check_one_line

TRAIN = ("train", "--output", "run")
TOKENS = (*TRAIN, "--npz", "tokens.npz", "--tasks", "2")
RIGHT = (*TRAIN, "--npz", "right.npz", "--tasks", "2")
COMPARE = ("compare", "--output", "run")
AVG = (*COMPARE, "--methods", "avg")
DRAW = ("timeline", "--output", "run/t.png")
EMNIST = ("--benchmark", "ps-emnist")
PROTOCOL = {
    "name": "mine",
    "dataset": "digits",
    "num_classes": 10,
    "batch_size": 4,
    "label_sets": [
        {"classes": [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]], "timelines": [[[0, 9], [5, 14]]]}
    ],
}


def protocol(**changes):
    return json.dumps({**PROTOCOL, **changes})


def label_set(**changes):
    return protocol(label_sets=[{**PROTOCOL["label_sets"][0], **changes}])


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Folder with every kind of wrong file, and some right ones."""
    folder = tmp_path_factory.mktemp("inputs")
    y = np.arange(8) % 4
    right = {"x_train": np.zeros((8, 3)), "y_train": y, "x_test": np.zeros((8, 3)), "y_test": y}
    for name, changes in {
        "right": {},
        "floats": {"y_train": y / 2},
        "zero": {"x_train": np.zeros((0, 3)), "y_train": y[:0]},
        "zero-test": {"x_test": np.zeros((0, 3)), "y_test": y[:0]},
        "large": {"y_train": y.astype(np.uint64) + 2**63},
        "negative": {"y_train": y - 1},
        "short": {"y_train": y[:3]},
        "texts": {"x_train": np.full((8, 3), "a")},
        "objects": {"x_train": np.array([None] * 8, dtype=object)},
        "flat": {"x_train": np.zeros(8)},
        "channels": {"x_train": np.zeros((8, 4, 4, 7), dtype=np.uint8)},
        "tokens": {"x_train": np.zeros((8, 3), dtype=int), "x_test": np.zeros((8, 3), dtype=int)},
    }.items():
        np.savez(folder / f"{name}.npz", **{**right, **changes})
    np.savez(folder / "missing.npz", x_train=y)
    whole = (folder / "right.npz").read_bytes()
    (folder / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.npz").write_bytes(b"")
    (folder / "text.npz").write_text("x_train")
    np.save(folder / "array.npy", y)
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (folder / "folder.npz").mkdir()
    (folder / "twice.yaml").write_text("methods: [avg]\nseeds: [1]\nseeds: [2]\n")
    (folder / "twice.json").write_text('{"seed": 1, "method": "avg",\n"seed": 2}')
    (folder / "file").write_text("precious")
    (folder / "full").mkdir()
    (folder / "full" / "metrics.json").write_text("precious")
    (folder / "empty").mkdir()
    (folder / "notes").mkdir()
    (folder / "notes" / "notes.txt").write_text("precious")
    for name, parts in {
        "images": ("train", "test"),
        "images-train": ("train",),
        "images-cut": ("train", "test"),
        "images-others": ("train",),
    }.items():
        for part in parts:
            for label in "ab":
                place = folder / name / part / label
                place.mkdir(parents=True)
                for number in range(4):
                    Image.fromarray(np.full((8, 8, 3), 60, dtype=np.uint8)).save(
                        place / f"{number}.png"
                    )
    (folder / "images-cut" / "train" / "a" / "1.png").write_bytes(b"\x89PNG")
    shutil.copytree(folder / "images" / "train" / "a", folder / "images-others" / "test" / "c")
    for name, text in {
        "right.json": protocol(),
        "no.json": "{",
        "list.json": "[1]",
        "empty.json": "",
        "binary.json": "\x00",
        "unknown.json": protocol(lable_sets=[]),
        "unknown-set.json": label_set(timeline=[]),
        "no-sets.json": protocol(label_sets=[]),
        "text.json": protocol(num_classes="ten"),
        "others.json": protocol(num_classes=62),
        "overlap.json": label_set(classes=[[0, 1], [1, 2]]),
        "large.json": label_set(classes=[[0, 1], [2, 99]]),
        "spans.json": label_set(timelines=[[[0, 9]]]),
        "back.json": label_set(timelines=[[[9, 0], [5, 14]]]),
        "floats.json": label_set(timelines=[[[0.5, 9], [5, 14]]]),
        "no-config.json": "{",
        "list-config.json": "[]",
        "unknown-config.json": '{"sede": 1}',
        "text-config.json": '{"num_tasks": 11}',
        "kind-config.json": '{"seed": "one"}',
        "no.yaml": "methods: [",
        "list.yaml": "- avg",
        "unknown.yaml": "methods: [avg]\nsede: 1\n",
        "no-methods.yaml": "seeds: [1]\n",
        "near.yaml": "methods: [agv]\n",
        "tasks.yaml": "methods: [avg]\nnum_tasks: 11\n",
        "text.yaml": "methods: [avg]\nnum_tasks: ten\n",
        "rate.yaml": "methods: [avg]\nlearning_rate: 3e-3\n",
        "settings.yaml": "methods:\n- {method: emgd-gmc, settings: {decay: 7}}\n",
        "unknown-settings.yaml": "methods:\n- {method: emgd-gmc, settings: {dekay: 0.5}}\n",
        "unknown-entry.yaml": "methods:\n- {methode: avg}\n",
    }.items():
        (folder / name).write_text(text)
    (folder / "latin.json").write_bytes('{"name": "größe"}'.encode("latin-1"))
    return folder


ROWS = [
    # Words of the command line itself
    (("trian",), "No such command 'trian'. Did you mean 'train'?"),
    (("--verison",), "No such option: --verison. Did you mean '--version'?"),
    (("train",), "Missing option '--output'."),
    (("report",), "Missing argument"),
    (("train", "--output"), "Option '--output' requires an argument."),
    ((*TRAIN, "--tsaks", "3"), "No such option: --tsaks. Did you mean '--tasks'?"),
    ((*TRAIN, "--num-tasks", "3"), "No such option: --num-tasks."),
    ((*TRAIN, "--learning_rate", "1"), "Did you mean '--learning-rate'?"),
    ((*TRAIN, "extra"), "unexpected extra argument"),
    ((*TRAIN, "--seed", "x"), "Invalid value for '--seed'"),
    ((*TRAIN, "--seed", "1.5"), "Invalid value for '--seed'"),
    ((*TRAIN, "--tasks", "two"), "Invalid value for '--tasks'"),
    ((*TRAIN, "--overlap", "half"), "Invalid value for '--overlap'"),
    ((*TRAIN, "--benchmark", "ps-digit"), "Did you mean 'ps-digits'?"),
    ((*TRAIN, "--benchmark", "mnist"), "Invalid value for '--benchmark'"),
    ((*TRAIN, "--scenario", "classes"), "Did you mean 'class'?"),
    ((*TRAIN, "--scenario", "domain"), "Invalid value for '--scenario'"),
    ((*TRAIN, "--model", "resnet-18"), "Did you mean 'resnet18'?"),
    ((*TRAIN, "--precision", "half"), "Invalid value for '--precision'"),
    ((*TRAIN, "--precision", "bfloat"), "Did you mean 'bfloat16'?"),
    # Methods
    ((*TRAIN, "--method", "emgd-gcm"), "`--method` must be one of emgd-gmc,"),
    ((*TRAIN, "--method", "emgd-gcm"), "found 'emgd-gcm'. Did you mean 'emgd-gmc'?"),
    ((*TRAIN, "--method", "sgd"), "`--method` must be one of emgd-gmc,"),
    ((*TRAIN, "--method", ""), "`--method` must be one of"),
    ((*TRAIN, "--method", "nowhere:method"), "`--method` 'nowhere:method' cannot be imported"),
    ((*TRAIN, "--method", "math:"), "`--method` 'math:' cannot be imported"),
    ((*TRAIN, "--method", "math:nothing"), "`--method` 'math:nothing' cannot be imported"),
    ((*TRAIN, "--method", "math:pi"), "`--method` 'math:pi' is not callable"),
    ((*TRAIN, "--method", "builtins:print"), "`--method` 'builtins:print' cannot be made"),
    ((*TRAIN, "--method", "unittest.mock:MagicMock"), "must return an Avalanche strategy"),
    # Numbers
    ((*TRAIN, "--tasks", "0"), "`--tasks` must be at least 1, found 0."),
    ((*TRAIN, "--tasks", "-1"), "`--tasks` must be at least 1, found -1."),
    ((*TRAIN, "--tasks", "11"), "`--tasks` must be in 1..10, found 11."),
    ((*TRAIN, "--seed", "-1"), "`--seed` must be at least 0, found -1."),
    ((*TRAIN, "--seed", str(2**70)), "`--seed` must be at most"),
    ((*TRAIN, "--batch-size", "0"), "`--batch-size` must be at least 1, found 0."),
    ((*TRAIN, "--batch-size", str(2**70)), "`--batch-size` must be at most"),
    ((*TRAIN, "--learning-rate", "0"), "`--learning-rate` must be positive, found 0.0."),
    ((*TRAIN, "--learning-rate", "nan"), "`--learning-rate` must be positive, found nan."),
    ((*TRAIN, "--learning-rate", "inf"), "`--learning-rate` must be positive, found inf."),
    ((*TRAIN, "--memory-per-class", "-1"), "`--memory-per-class` must be at least 0"),
    ((*TRAIN, "--eval-every", "0"), "`--eval-every` must be at least 1, found 0."),
    ((*TRAIN, "--overlap", "2"), "`--overlap` must be in [0, 1], found 2.0."),
    ((*TRAIN, "--overlap", "nan"), "`--overlap` must be in [0, 1], found nan."),
    ((*TRAIN, "--protocol", "right.json", "--label-set", "-1"), "`--label-set` must be at least 0"),
    ((*TRAIN, "--protocol", "right.json", "--timeline", "-1"), "`--timeline` must be at least 0"),
    ((*TRAIN, "--protocol", "right.json", "--label-set", "1"), "`--label-set` must be in 0..0"),
    ((*TRAIN, "--protocol", "right.json", "--timeline", "3"), "`--timeline` must be in 0..0"),
    ((*TRAIN, "--epochs", "0"), "`--epochs` must be at least 1, found 0."),
    ((*TRAIN, "--weight-decay", "-1"), "`--weight-decay` must be at least 0 and finite, found -1"),
    (
        (*TRAIN, "--weight-decay", "nan"),
        "`--weight-decay` must be at least 0 and finite, found nan",
    ),
    ((*TRAIN, "--optimizer", "adamm"), "Did you mean 'adam"),
    # Models of one's own, sizes, earlier configurations
    ((*TRAIN, "--model", "nowhere:net"), "`--model` 'nowhere:net' cannot be imported"),
    ((*TRAIN, "--model", "math:pi"), "`--model` 'math:pi' is not callable"),
    ((*TRAIN, "--model", "unittest.mock:MagicMock"), "must return a torch.nn"),
    ((*TRAIN, "--model", "math:sqrt"), "`--model` 'math:sqrt' cannot be called with the number"),
    ((*TRAIN, "--size", "32"), "`--size` is for images of your own, not for ps-digits"),
    ((*TRAIN, "--images", "images", "--size", "big"), "`--size` must be pixels, as 32, or"),
    ((*TRAIN, "--images", "images", "--size", "1x2x3"), "`--size` must be pixels, as 32, or"),
    ((*TRAIN, "--images", "images", "--size", "0"), "`--size` must be a height and a width"),
    ((*TRAIN, "--config", "none.json"), "`--config` 'none.json' cannot be read"),
    ((*TRAIN, "--config", "empty"), "`--config` 'empty' cannot be read"),
    ((*TRAIN, "--config", "no-config.json"), "`--config` 'no-config.json' is not a JSON file"),
    ((*TRAIN, "--config", "list-config.json"), "must map names to values"),
    ((*TRAIN, "--config", "unknown-config.json"), "Did you mean 'seed'?"),
    ((*TRAIN, "--config", "text-config.json"), "`num_tasks` must be in 1..10, found 11."),
    ((*TRAIN, "--config", "kind-config.json"), "`--config` 'kind-config.json'"),
    ((*TRAIN, "--config", "text-config.json", "--tasks", "0"), "`--tasks` must be at least 1"),
    # Options without effect, or against each other
    ((*TRAIN, "--label-set", "0"), "`--label-set` chooses from a protocol: give `--protocol`"),
    ((*TRAIN, "--timeline", "1"), "`--timeline` chooses from a protocol: give `--protocol`"),
    ((*TRAIN, "--protocol", "p.json", "--tasks", "3"), "leave `--tasks` out"),
    ((*TRAIN, "--protocol", "p.json", "--overlap", "0.5"), "`--protocol` and `--overlap` both"),
    ((*TRAIN, "--download"), "`--download` is not for ps-digits"),
    ((*TRAIN, "--data-root", "empty"), "`--data-root` is not for ps-digits"),
    ((*TRAIN, "--no-flip"), "`--no-flip` is about augmented images: give `--augment`, too."),
    ((*TRAIN, "--augment"), "`--augment` shifts images by up to 4 pixels"),
    (
        (*TRAIN, "--npz", "right.npz", "--tasks", "2", "--augment"),
        "but the inputs have the shape [3]: leave it out",
    ),
    ((*TRAIN, "--channels-last"), "`--channels-last` is for convolutional models"),
    ((*TRAIN, "--method", "ewc", "--memory-per-class", "5"), "has no effect on ewc"),
    ((*TRAIN, "--method", "naive", "--edit", "cosine"), "`--edit` has no effect on naive"),
    ((*TRAIN, "--device", "cuda:99"), "`--device` 'cuda:99' cannot be used here"),
    ((*TRAIN, "--device", "toaster"), "`--device` 'toaster' cannot be used here"),
    ((*TRAIN, "--device", ""), "`--device` '' cannot be used here"),
    ((*TRAIN, "--precision", "float16", "--edit", "cosine"), "`--precision` 'float16' is not for"),
    # Editing
    ((*TRAIN, "--edit", "closer"), "`--edit` must be one of distance, cosine, agreement, gmed"),
    ((*TRAIN, "--edit", ""), "`--edit` must be one of distance, cosine, agreement, gmed"),
    ((*TRAIN, "--edit", "cosine,step"), "`--edit` must be RULE or RULE,NAME=VALUE,..."),
    ((*TRAIN, "--edit", "cosine,step=1,step=2"), "`--edit` must be RULE or RULE,NAME=VALUE,..."),
    ((*TRAIN, "--edit", "cosine,step=[1"), "`--edit` has a value that cannot be read: 'step=[1'"),
    ((*TRAIN, "--edit", "cosine,stop=1"), "`--edit` has unknown settings: stop."),
    ((*TRAIN, "--edit", "cosine,stop=1"), "Did you mean 'step'?"),
    ((*TRAIN, "--edit", "cosine,step=a"), "must be positive and finite, found 'a'"),
    ((*TRAIN, "--edit", "cosine,step=-1"), "`step`"),
    ((*TRAIN, "--edit", "cosine", "--memory-per-class", "0"), "`--edit` needs a replay memory"),
    # Arrays
    ((*TRAIN, "--npz", "none.npz"), "`--npz` 'none.npz' is not there"),
    ((*TRAIN, "--npz", "array.npy"), "`--npz` 'array.npy' must be a NumPy file that ends with"),
    ((*TRAIN, "--npz", "table.csv"), "`--npz` 'table.csv' must be a NumPy file that ends with"),
    ((*TRAIN, "--npz", "images"), "`--npz` 'images' must be a NumPy file that ends with"),
    ((*TRAIN, "--npz", "folder.npz"), "`--npz` 'folder.npz' must be a NumPy file"),
    ((*TRAIN, "--npz", ""), "`--npz` '' must be a NumPy file"),
    ((*TRAIN, "--npz", "cut.npz"), "`--npz` 'cut.npz' must be a NumPy .npz file"),
    ((*TRAIN, "--npz", "empty.npz"), "`--npz` 'empty.npz' must be a NumPy .npz file"),
    ((*TRAIN, "--npz", "text.npz"), "`--npz` 'text.npz' must be a NumPy .npz file"),
    ((*TRAIN, "--npz", "missing.npz"), "it has no y_train, x_test, y_test"),
    ((*TRAIN, "--npz", "objects.npz"), "`--npz` 'objects.npz' must be a NumPy .npz file"),
    ((*TRAIN, "--npz", "texts.npz"), "`--npz` 'texts.npz' must have"),
    ((*TRAIN, "--npz", "floats.npz"), "class labels"),
    ((*TRAIN, "--npz", "negative.npz"), "has classes in y_test that are missing in y_train"),
    ((*TRAIN, "--npz", "short.npz"), "one class label in y_train for each"),
    ((*TRAIN, "--npz", "flat.npz"), "`--npz` 'flat.npz' must have"),
    ((*TRAIN, "--npz", "channels.npz"), "`--npz` 'channels.npz' must have"),
    ((*TRAIN, "--npz", "right.npz", "--tasks", "5"), "`--tasks` must be in 1..4, found 5"),
    (
        (*TRAIN, "--npz", "right.npz", "--tasks", "2", "--model", "resnet18"),
        "`--model` 'resnet18' is for images",
    ),
    ((*TRAIN, "--npz", "a.npz", "--download"), "`--download` is not for npz"),
    ((*TRAIN, "--npz", "a.npz", "--images", "b"), "`--images` says what the data are"),
    ((*TRAIN, "--npz", "a.npz", "--data-root", "b"), "exclude each other"),
    ((*TRAIN, "--npz", "a.npz", "--benchmark", "ps-digits"), "`--npz` says what the data are"),
    ((*TRAIN, "--benchmark", "npz"), "is needed for npz: the .npz file"),
    # Token ids
    (TOKENS, "`--model` 'mlp' is for floating-point inputs, but these are token ids, int64 [3]"),
    ((*TOKENS, "--model", "own_models:embedding", "--augment"), "`--augment` is for images"),
    ((*TOKENS, "--model", "own_models:embedding", "--edit", "cosine"), "`--edit` is for floating"),
    ((*TOKENS, "--model", "own_models:linear"), "`--model` cannot take inputs of task 'task"),
    # Folders
    ((*TRAIN, "--images", "none"), "`--images` 'none' is not there"),
    ((*TRAIN, "--images", "file"), "`--images` 'file' must be a folder, found a file"),
    ((*TRAIN, "--images", "right.npz"), "`--images` 'right.npz' must be a folder"),
    ((*TRAIN, "--images", "empty"), "`--images` must have the folders train and test"),
    ((*TRAIN, "--images", "images-train"), "`--images` must have the folders train and test"),
    ((*TRAIN, "--images", "images-others"), "must have the same classes in train and test"),
    ((*TRAIN, "--images", "images-cut", "--tasks", "2"), "1.png"),
    ((*TRAIN, "--images", "images", "--tasks", "2", "--augment"), "the inputs have 8×8"),
    ((*TRAIN, *EMNIST), "`--data-root` is needed for ps-emnist"),
    ((*TRAIN, *EMNIST, "--data-root", "none"), "`--data-root` 'none' is not there"),
    ((*TRAIN, *EMNIST, "--data-root", "file"), "`--data-root` 'file' must be a folder"),
    ((*TRAIN, *EMNIST, "--data-root", "empty"), "has no EMNIST"),
    ((*TRAIN, "--benchmark", "ps-cifar100", "--data-root", "empty"), "`--data-root` 'empty'"),
    ((*TRAIN, "--benchmark", "ps-imagenet-tiny", "--data-root", "empty"), "`--data-root` 'empty'"),
    # Protocols
    ((*TRAIN, "--protocol", "none.json"), "`--protocol` 'none.json' cannot be read"),
    ((*TRAIN, "--protocol", "empty"), "`--protocol` 'empty' cannot be read"),
    ((*TRAIN, "--protocol", "no.json"), "not valid JSON"),
    ((*TRAIN, "--protocol", "empty.json"), "not valid JSON"),
    ((*TRAIN, "--protocol", "binary.json"), "not valid JSON"),
    ((*TRAIN, "--protocol", "latin.json"), "`--protocol` 'latin.json' is not a text file"),
    ((*TRAIN, "--protocol", "list.json"), "must be an object"),
    ((*TRAIN, "--protocol", "unknown.json"), "'lable_sets' is not known"),
    ((*TRAIN, "--protocol", "unknown.json"), "Did you mean 'label_sets'?"),
    ((*TRAIN, "--protocol", "unknown-set.json"), "Did you mean 'timelines'?"),
    ((*TRAIN, "--protocol", "no-sets.json"), "must be a list with at least one entry"),
    ((*TRAIN, "--protocol", "text.json"), "must be an integer ≥ 0, found 'ten'"),
    ((*TRAIN, "--protocol", "others.json"), "is for 62 classes, but ps-digits has 10"),
    ((*TRAIN, "--protocol", "overlap.json"), "must not overlap"),
    ((*TRAIN, "--protocol", "large.json"), "has class 99, outside 0..9"),
    ((*TRAIN, "--protocol", "spans.json"), "must have 2 spans, one per task, found 1"),
    ((*TRAIN, "--protocol", "back.json"), "line 1"),
    ((*TRAIN, "--protocol", "floats.json"), "line 1"),
    # Where results go
    (("train", "--output", "full"), "`--output` 'full' is not empty"),
    (("train", "--output", "file"), "`--output` 'file' cannot be made a directory"),
    (("train", "--output", "file/below"), "`--output` 'file/below' cannot be made a directory"),
    (("train", "--output", "/proc/run"), "`--output` '/proc/run' cannot be made a directory"),
    (("demo", "--output", "file"), "cannot be made a directory"),
    (("demo", "--output", "x", "--seed", "-1"), "`--seed` must be at least 0, found -1."),
    (("timeline", "--output", "picture"), "`--output` 'picture' must end with .png"),
    (("timeline", "--output", "picture.jpg"), "`--output` 'picture.jpg' must end with .png"),
    (("timeline", "--output", "file/t.png"), "cannot be made a directory"),
    ((*DRAW, "--tasks", "11"), "`--tasks` must be in 1..10, found 11."),
    ((*DRAW, *EMNIST), "`--data-root` is needed for ps-emnist"),
    ((*DRAW, *EMNIST, "--protocol", "right.json"), "is for 10 classes, but ps-emnist has 62"),
    # Studies
    (COMPARE, "`--methods` is needed"),
    ((*COMPARE, "--methods", "avg,agv"), "Did you mean 'avg'?"),
    ((*COMPARE, "--methods", "avg,"), "`--methods` of a method must be text, found ''"),
    ((*COMPARE, "--methods", "avg,avg"), "`--methods` has 'avg' twice"),
    ((*COMPARE, "--methods", "nowhere:method"), "`--methods` 'nowhere:method' cannot be imported"),
    ((*AVG, "--seeds", "0,x"), "`--seeds` must be whole numbers separated by commas"),
    ((*AVG, "--seeds", ""), "`--seeds` must be whole numbers separated by commas"),
    ((*AVG, "--seeds", "1,1"), "`--seeds` has 1 twice"),
    ((*AVG, "--seeds", "-1"), "`--seeds` must be at least 0, found -1."),
    ((*AVG, "--scenarios", "domain"), "`--scenarios` must be one of task, class"),
    ((*AVG, "--scenarios", "tasks"), "Did you mean 'task'?"),
    ((*AVG, "--timelines", "0"), "`--timelines` chooses from a protocol"),
    ((*AVG, "--label-sets", "0"), "`--label-sets` chooses from a protocol"),
    ((*AVG, "--workers", "0"), "Invalid value for '--workers'"),
    ((*AVG, "--workers", "2", "--scheduler", "tcp://x:1"), "`--workers` are processes of this"),
    ((*AVG, "--scheduler", "nonsense://x"), "`--scheduler` 'nonsense://x' cannot be reached"),
    ((*AVG, "--tasks", "11"), "`--tasks` must be in 1..10, found 11."),
    ((*AVG, *EMNIST), "`--data-root` is needed for ps-emnist"),
    ((*AVG, "--protocol", "none.json"), "`--protocol` 'none.json' cannot be read"),
    ((*AVG, "--npz", "table.csv"), "`--npz` 'table.csv' must be a NumPy file"),
    ((*AVG, "--augment"), "`--augment` shifts images"),
    ((*AVG, "--no-flip"), "`--no-flip` is about augmented images: give `--augment`, too."),
    ((*AVG, "--size", "8"), "`--size` is "),
    ((*AVG, "--images", "images", "--size", "8x"), "`--size` must be pixels"),
    ((*AVG, "--images", "images", "--size", "0"), "`--size` must be a height and a width"),
    (("compare", "--methods", "avg", "--output", "file"), "`--output` 'file' is a file"),
    (("compare", "--methods", "avg", "--output", "notes"), "`--output` 'notes' is not empty"),
    ((*COMPARE, "--config", "none.yaml"), "`--config` 'none.yaml' cannot be read"),
    ((*COMPARE, "--config", "empty"), "`--config` 'empty' cannot be read"),
    ((*COMPARE, "--config", "no.yaml"), "`--config` 'no.yaml' is not a YAML file"),
    ((*COMPARE, "--config", "list.yaml"), "`--config` 'list.yaml' must map names to values"),
    ((*COMPARE, "--config", "unknown.yaml"), "Did you mean 'seeds'?"),
    ((*COMPARE, "--config", "no-methods.yaml"), "and have at least `methods`"),
    ((*COMPARE, "--config", "near.yaml"), "Did you mean 'avg'?"),
    ((*COMPARE, "--config", "tasks.yaml"), "`num_tasks` must be in 1..10, found 11."),
    ((*COMPARE, "--config", "tasks.yaml", "--tasks", "12"), "`--tasks` must be in 1..10"),
    ((*COMPARE, "--config", "text.yaml"), "`num_tasks` must be a whole number, found 'ten'"),
    ((*COMPARE, "--config", "rate.yaml"), "YAML takes 3e-3 for text"),
    ((*COMPARE, "--config", "settings.yaml"), "`decay` must be in [0, 1), found 7"),
    ((*COMPARE, "--config", "unknown-settings.yaml"), "dekay"),
    ((*COMPARE, "--config", "unknown-entry.yaml"), "must list names, or mappings with `method`"),
    ((*COMPARE, "--config", "twice.yaml"), "line 3: the key 'seeds' is there twice"),
    ((*TRAIN, "--config", "twice.json"), "the key 'seed' is there twice"),
    ((*AVG, "--npz", "zero.npz"), "`--npz` 'zero.npz' has no samples in x_train"),
    ((*AVG, "--npz", "zero-test.npz"), "has no samples in x_test: give at least one"),
    ((*AVG, "--npz", "large.npz"), "must have class labels of 64 bits with sign"),
    ((*AVG, "--images", "images", "--size", "100000x100000"), "at most 100,000,000 pixels in all"),
    ((*TRAIN, "--npz", "right.npz", "--tasks", "2", "--model", "own_models:nothing"), "to train"),
    ((*AVG, *EMNIST, "--data-root", "gone"), "'gone' is not there in the current directory"),
    ((*COMPARE, "--methods", "avg", *EMNIST, "--download"), "`--data-root` is needed"),
    (("train", "--output", ""), "`--output` must not be empty"),
    (("compare", "--methods", "avg", "--output="), "`--output` must not be empty"),
    (("report", ""), "an argument must not be empty"),
    # Reports
    (("report", "none"), "`DIRECTORY` 'none' holds no study"),
    (("report", "file"), "`DIRECTORY` 'file' holds no study"),
    (("report", "notes"), "`DIRECTORY` 'notes' holds no study"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), ROWS, ids=[" ".join(arguments)[:80] for arguments, _ in ROWS]
)
def test_a_wrong_input_is_one_line(arguments, message, inputs, monkeypatch):
    monkeypatch.chdir(inputs)
    check_one_line(arguments, message, inputs)
    assert (inputs / "file").read_text() == "precious"
    assert (inputs / "full" / "metrics.json").read_text() == "precious"
