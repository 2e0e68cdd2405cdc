"""Names of the models; apart, so that the command line knows them without loading torch."""

from typing import Literal, get_args

from .._near import did_you_mean

__all__ = ["ModelName", "check_model_name"]

ModelName = Literal["mlp", "resnet18", "slim-resnet18"]
"""Name of a built-in model."""


def check_model_name(name: object) -> None:
    """Check that a name is that of a model, or of the form ``module:callable``.

    :raises ValueError: if not; says which there are.
    """
    known = get_args(ModelName)
    if name not in known and not (isinstance(name, str) and ":" in name):
        raise ValueError(
            f"`model` must be one of {', '.join(known)}, or module:callable for one of your own, "
            f"found {name!r}.{did_you_mean(name, known)}"
        )
