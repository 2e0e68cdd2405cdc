"""Names of the models, in a module that the command line imports without torch."""

from typing import Literal, get_args

from .._near import did_you_mean

__all__ = ["ModelName", "check_model_name"]

ModelName = Literal["mlp", "resnet18", "slim-resnet18"]
"""Name of a built-in model."""


def check_model_name(name: object) -> None:
    """Check that a name belongs to a built-in model or has the form ``module:callable``.

    :raises ValueError: if the name is unknown; the message lists the built-in models.
    """
    known = get_args(ModelName)
    if name not in known and not (isinstance(name, str) and ":" in name):
        raise ValueError(
            f"`model` must be one of {', '.join(known)}, or module:callable for one of your own, "
            f"found {name!r}.{did_you_mean(name, known)}"
        )
