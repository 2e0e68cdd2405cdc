"""Names of the models; apart, so that the command line knows them without loading torch."""

from typing import Literal

__all__ = ["ModelName"]

ModelName = Literal["mlp", "resnet18", "slim-resnet18"]
