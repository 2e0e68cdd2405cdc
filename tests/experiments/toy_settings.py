"""A configuration with settings of every kind."""

from dataclasses import dataclass
from typing import Annotated, Literal

from avalanche_emgd.experiments.run_settings import SharedSettings
from avalanche_emgd.experiments.setting import Setting, documented


@documented
@dataclass(frozen=True, kw_only=True)
class Toy(SharedSettings):
    """A toy.

    :raises ValueError: if a value is wrong.
    """

    whole: Annotated[int, Setting("Whole number.", low=2, high=5)] = 3
    above: Annotated[float, Setting("Number.", above=1)] = 2.0
    below: Annotated[float, Setting("Number.", below=1)] = 0.0
    most: Annotated[float, Setting("Number.", high=1)] = 0.0
    half_open: Annotated[float, Setting("Number.", low=0, below=1)] = 0.0
    any_number: Annotated[float, Setting("Number.")] = 0.0
    choice: Annotated[Literal["left", "right"] | None, Setting("Side.", default="none")] = None
    even: Annotated[int, Setting("Even number.", check=lambda n: n // 2 * 2)] = 0
    flag: Annotated[bool, Setting("Flag.")] = False
    plain: Annotated[int, "no setting"] = 0
