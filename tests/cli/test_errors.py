"""Wrong inputs: each gives exit status 2 and one line that names what was typed, and no files."""

import pytest

from tests.cli.one_line import check_one_line

TRAIN = ("train", "--output", "run")
DRAW = ("timeline", "--output", "run/t.png")
EMNIST = ("--benchmark", "ps-emnist")


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
