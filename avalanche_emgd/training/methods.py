"""Methods by name: what a run, a study or the command line can be asked for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from avalanche.training.templates import SupervisedTemplate
from torch import nn

from ..optim import EGDA, GMC, GS, Constant, ElasticFactor
from ..optim.peers import (
    DWA,
    IMTLG,
    RLW,
    AGEMWeighting,
    AlignedMTL,
    CAGrad,
    CVWeighting,
    ERWeighting,
    FairGrad,
    GEMWeighting,
    GradNorm,
    GradVac,
    MaxDO,
    MEGAWeighting,
    NashMTL,
    PCGrad,
    Sum,
    UncertaintyWeighting,
    UPGrad,
)
from .baselines import AvgGradStrategy
from .editing import EditingSpec
from .emgd import EMGDStrategy
from .peers import (
    DERPPStrategy,
    ERACEStrategy,
    EWCStrategy,
    GMEDStrategy,
    GradDropStrategy,
    GSSStrategy,
    ICaRLStrategy,
    JointStrategy,
    LwFStrategy,
    MDMTRStrategy,
    MIRStrategy,
    NaiveStrategy,
    SIStrategy,
    SPCLStrategy,
)
from .templates import MultiGradientTemplate

__all__ = ["METHODS", "Family", "Method", "find_method", "make_method"]

Family = Literal["parallel", "weighting", "serial", "bound", "yours"]


@dataclass(frozen=True)
class Method:
    """A way to learn a stream.

    :param name: what it is called.
    :param family: ``"parallel"`` (made for parallel continual learning), ``"weighting"``
        (multi-task weightings of gradients or losses), ``"serial"`` (serial continual learning),
        ``"bound"`` (not a continual learner: what one would get at best) or ``"yours"``.
    :param make: ``make(model, *, optimizer, memory_size, seed, device, plugins, evaluator,
        **settings)`` gives the strategy.
    :param about: where it comes from, in a line.
    """

    name: str
    family: Family
    make: Callable[..., SupervisedTemplate]
    about: str


def _weighted(weighting: Callable[..., Any], **fixed: Any) -> Callable[..., SupervisedTemplate]:
    """Multi-gradient strategy; settings are its weighting's, and ``memory_editing``."""

    def make(
        model: nn.Module,
        *,
        optimizer: Any,
        memory_size: int,
        seed: int,
        device: str,
        plugins: Any,
        evaluator: Any,
        memory_editing: EditingSpec | None = None,
        **settings: Any,
    ) -> SupervisedTemplate:
        return MultiGradientTemplate(
            model,
            optimizer=optimizer,
            weighting=weighting(**settings),
            memory_size=memory_size,
            memory_editing=memory_editing,
            seed=seed,
            device=device,
            plugins=plugins,
            evaluator=evaluator,
            **fixed,
        )

    return make


def _emgd(factor: type[ElasticFactor], **fixed: Any) -> Callable[..., SupervisedTemplate]:
    """EMGD whose settings are those of its elastic factors, and ``memory_editing``."""

    def make(
        model: nn.Module,
        *,
        optimizer: Any,
        memory_size: int,
        seed: int,
        device: str,
        plugins: Any,
        evaluator: Any,
        memory_editing: EditingSpec | None = None,
        **settings: Any,
    ) -> SupervisedTemplate:
        return EMGDStrategy(
            model,
            optimizer=optimizer,
            elastic=factor(**fixed, **settings),
            memory_size=memory_size,
            memory_editing=memory_editing,
            seed=seed,
            device=device,
            plugins=plugins,
            evaluator=evaluator,
        )

    return make


_ALL = (
    # Parallel continual learning
    Method("emgd-gmc", "parallel", _emgd(GMC), "EMGD, gradient magnitude change; 2401.01054"),
    Method("emgd-gs", "parallel", _emgd(GS), "EMGD, gradient similarity; 2401.01054"),
    Method("egda", "parallel", _emgd(EGDA), "softmax rule of EMGD's predecessor"),
    Method("maxdo", "parallel", _weighted(MaxDO), "MaxDO; Lyu et al., ICCV 2023"),
    Method("spcl", "parallel", SPCLStrategy, "SPCL; 2407.08214"),
    # Weightings of gradients
    Method("avg", "weighting", AvgGradStrategy, "plain average"),
    Method("sum", "weighting", _weighted(Sum), "plain sum"),
    Method("mgda", "weighting", _emgd(Constant), "MGDA, exact; Désidéri 2012"),
    Method(
        "mgda-norm",
        "weighting",
        _emgd(GMC, exponent=1.0, decay=0.0, lower_bound=0.0),
        "MGDA on normalised gradients; Désidéri 2012",
    ),
    Method("pcgrad", "weighting", _weighted(PCGrad), "PCGrad; Yu et al., NeurIPS 2020"),
    Method("gradvac", "weighting", _weighted(GradVac), "GradVac; Wang et al., ICLR 2021"),
    Method("graddrop", "weighting", GradDropStrategy, "GradDrop; Chen et al., NeurIPS 2020"),
    Method("imtl-g", "weighting", _weighted(IMTLG), "IMTL-G; Liu et al., ICLR 2021"),
    Method("cagrad", "weighting", _weighted(CAGrad), "CAGrad; Liu et al., NeurIPS 2021"),
    Method("nash-mtl", "weighting", _weighted(NashMTL), "Nash-MTL; Navon et al., ICML 2022"),
    Method(
        "aligned-mtl",
        "weighting",
        _weighted(AlignedMTL),
        "Aligned-MTL; Senushkin et al. 2023",
    ),
    Method("fairgrad", "weighting", _weighted(FairGrad), "FairGrad; Ban and Ji, ICML 2024"),
    Method("upgrad", "weighting", _weighted(UPGrad), "UPGrad; Quinton and Rey, 2406.16232"),
    Method("rlw", "weighting", _weighted(RLW), "random weights; Lin et al., TMLR 2022"),
    # Weightings of losses
    Method(
        "uncertainty",
        "weighting",
        _weighted(UncertaintyWeighting),
        "uncertainty weighting; Kendall et al., CVPR 2018",
    ),
    Method("gradnorm", "weighting", _weighted(GradNorm), "GradNorm; Chen et al., ICML 2018"),
    Method("dwa", "weighting", _weighted(DWA), "dynamic weight average; Liu et al., CVPR 2019"),
    Method(
        "cv", "weighting", _weighted(CVWeighting), "CV-weighting; Groenendijk et al., WACV 2021"
    ),
    # Serial continual learning
    Method("er", "serial", _weighted(ERWeighting), "experience replay; Chaudhry et al. 2019"),
    Method("agem", "serial", _weighted(AGEMWeighting), "A-GEM; Chaudhry et al., ICLR 2019"),
    Method(
        "gem",
        "serial",
        _weighted(GEMWeighting, memory_objectives="per-task"),
        "GEM; Lopez-Paz and Ranzato, NeurIPS 2017",
    ),
    Method("mega", "serial", _weighted(MEGAWeighting), "MEGA-II; Guo et al., NeurIPS 2020"),
    Method("der++", "serial", DERPPStrategy, "DER++; Buzzega et al., NeurIPS 2020"),
    Method("er-ace", "serial", ERACEStrategy, "ER-ACE; Caccia et al., ICLR 2022"),
    Method("gmed", "serial", GMEDStrategy, "GMED; Jin et al., NeurIPS 2021"),
    Method("mdmt-r", "serial", MDMTRStrategy, "MDMT-R; Lyu et al., AAAI 2021"),
    Method("icarl", "serial", ICaRLStrategy, "iCaRL; Rebuffi et al., CVPR 2017"),
    Method("mir", "serial", MIRStrategy, "MIR; Aljundi et al., NeurIPS 2019"),
    Method("gss", "serial", GSSStrategy, "GSS-greedy; Aljundi et al., NeurIPS 2019"),
    # Without memory
    Method("naive", "serial", NaiveStrategy, "fine-tuning, nothing against forgetting"),
    Method("ewc", "serial", EWCStrategy, "EWC; Kirkpatrick et al., PNAS 2017"),
    Method("si", "serial", SIStrategy, "SI; Zenke et al., ICML 2017"),
    Method("lwf", "serial", LwFStrategy, "LwF; Li and Hoiem, ECCV 2016"),
    Method("joint", "bound", JointStrategy, "all samples from the start, shuffled"),
)

METHODS: Mapping[str, Method] = {method.name: method for method in _ALL}
"""The built-in methods, in the order of tables."""


def find_method(name: str) -> Method:
    """Look a method up.

    :param name: of a built-in method, or ``module:callable`` for one of your own, with the
        signature of :attr:`Method.make`. The module must be importable: installed, or in a folder
        of ``PYTHONPATH``.
    :raises ValueError: if there is none of that name; says which there are.
    """
    if name in METHODS:
        return METHODS[name]
    module_name, colon, attribute = name.partition(":")
    if not colon:
        raise ValueError(
            f"`method` must be one of {', '.join(METHODS)}, or module:callable for one of your "
            f"own, found {name!r}."
        )
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"`method` {name!r} cannot be imported: {error}. Its module must be installed, or in "
            "a folder of PYTHONPATH."
        ) from error
    if not callable(found):
        raise ValueError(f"`method` {name!r} is not callable: {found!r}.")
    about = (inspect.getdoc(found) or "").partition("\n")[0]
    return Method(name, "yours", found, about)


def make_method(
    name: str, model: nn.Module, settings: Mapping[str, Any], **arguments: Any
) -> SupervisedTemplate:
    """Make the strategy of a method.

    :param name: see :func:`find_method`.
    :param model: to be trained.
    :param settings: of the method.
    :param arguments: ``optimizer``, ``memory_size``, ``seed``, ``device``, ``plugins`` and
        ``evaluator``.
    :raises ValueError: if the method is not known, or its settings are wrong.
    """
    method = find_method(name)
    try:
        strategy = method.make(model, **arguments, **settings)
    except TypeError as error:
        raise ValueError(
            f"`method` {name!r} cannot be made with the settings {dict(settings)!r}: {error}"
        ) from error
    if not isinstance(strategy, SupervisedTemplate):
        raise ValueError(
            f"`method` {name!r} must return an Avalanche strategy (a SupervisedTemplate), found "
            f"{type(strategy).__name__}."
        )
    return strategy
