"""Wrong files, folders and studies: one line that names what was typed, and no files."""

import pytest

from tests.cli.one_line import check_one_line

TRAIN = ("train", "--output", "run")
TOKENS = (*TRAIN, "--npz", "tokens.npz", "--tasks", "2")
RIGHT = (*TRAIN, "--npz", "right.npz", "--tasks", "2")
COMPARE = ("compare", "--output", "run")
AVG = (*COMPARE, "--methods", "avg")
EMNIST = ("--benchmark", "ps-emnist")


ROWS = [
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
]


@pytest.mark.parametrize(
    ("arguments", "message"), ROWS, ids=[" ".join(arguments)[:80] for arguments, _ in ROWS]
)
def test_a_wrong_input_is_one_line(arguments, message, inputs, monkeypatch):
    monkeypatch.chdir(inputs)
    check_one_line(arguments, message, inputs)
    assert (inputs / "file").read_text() == "precious"
    assert (inputs / "full" / "metrics.json").read_text() == "precious"
