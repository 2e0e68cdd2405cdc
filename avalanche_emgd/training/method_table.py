"""The table of the built-in methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .. import optim, training
from ..optim import peers as weightings
from . import peers as strategies

if TYPE_CHECKING:
    from avalanche.training.templates import SupervisedTemplate
    from torch import nn

    from ..optim import ElasticFactor
    from .editing import EditingSpec

__all__ = ["METHODS", "Family", "Method"]

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
    :param has_memory: whether it keeps samples.
    """

    name: str
    family: Family
    make: Callable[..., SupervisedTemplate]
    about: str
    has_memory: bool = True


# What the table names is imported when a strategy is made: the table alone needs no torch.


def _strategy(find: Callable[[], Callable[..., Any]]) -> Callable[..., SupervisedTemplate]:
    """Strategy of a class."""

    def make(*args: Any, **kwargs: Any) -> SupervisedTemplate:
        return find()(*args, **kwargs)

    return make


def _weighted(
    find: Callable[[], Callable[..., Any]], **fixed: Any
) -> Callable[..., SupervisedTemplate]:
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
        return training.MultiGradientTemplate(
            model,
            optimizer=optimizer,
            weighting=find()(**settings),
            memory_size=memory_size,
            memory_editing=memory_editing,
            seed=seed,
            device=device,
            plugins=plugins,
            evaluator=evaluator,
            **fixed,
        )

    return make


def _emgd(
    find: Callable[[], type[ElasticFactor]], **fixed: Any
) -> Callable[..., SupervisedTemplate]:
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
        return training.EMGDStrategy(
            model,
            optimizer=optimizer,
            elastic=find()(**fixed, **settings),
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
    Method(
        "emgd-gmc",
        "parallel",
        _emgd(lambda: optim.GMC),
        "EMGD, gradient magnitude change; 2401.01054",
    ),
    Method("emgd-gs", "parallel", _emgd(lambda: optim.GS), "EMGD, gradient similarity; 2401.01054"),
    Method("egda", "parallel", _emgd(lambda: optim.EGDA), "softmax rule of EMGD's predecessor"),
    Method(
        "maxdo", "parallel", _weighted(lambda: weightings.MaxDO), "MaxDO; Lyu et al., ICCV 2023"
    ),
    Method("spcl", "parallel", _strategy(lambda: strategies.SPCLStrategy), "SPCL; 2407.08214"),
    # Weightings of gradients
    Method("avg", "weighting", _strategy(lambda: training.AvgGradStrategy), "plain average"),
    Method("sum", "weighting", _weighted(lambda: weightings.Sum), "plain sum"),
    Method("mgda", "weighting", _emgd(lambda: optim.Constant), "MGDA, exact; Désidéri 2012"),
    Method(
        "mgda-norm",
        "weighting",
        _emgd(lambda: optim.GMC, exponent=1.0, decay=0.0, lower_bound=0.0),
        "MGDA on normalised gradients; Désidéri 2012",
    ),
    Method(
        "pcgrad",
        "weighting",
        _weighted(lambda: weightings.PCGrad),
        "PCGrad; Yu et al., NeurIPS 2020",
    ),
    Method(
        "gradvac",
        "weighting",
        _weighted(lambda: weightings.GradVac),
        "GradVac; Wang et al., ICLR 2021",
    ),
    Method(
        "graddrop",
        "weighting",
        _strategy(lambda: strategies.GradDropStrategy),
        "GradDrop; Chen et al., NeurIPS 2020",
    ),
    Method(
        "imtl-g", "weighting", _weighted(lambda: weightings.IMTLG), "IMTL-G; Liu et al., ICLR 2021"
    ),
    Method(
        "cagrad",
        "weighting",
        _weighted(lambda: weightings.CAGrad),
        "CAGrad; Liu et al., NeurIPS 2021",
    ),
    Method(
        "nash-mtl",
        "weighting",
        _weighted(lambda: weightings.NashMTL),
        "Nash-MTL; Navon et al., ICML 2022",
    ),
    Method(
        "aligned-mtl",
        "weighting",
        _weighted(lambda: weightings.AlignedMTL),
        "Aligned-MTL; Senushkin et al. 2023",
    ),
    Method(
        "fairgrad",
        "weighting",
        _weighted(lambda: weightings.FairGrad),
        "FairGrad; Ban and Ji, ICML 2024",
    ),
    Method(
        "upgrad",
        "weighting",
        _weighted(lambda: weightings.UPGrad),
        "UPGrad; Quinton and Rey, 2406.16232",
    ),
    Method(
        "rlw",
        "weighting",
        _weighted(lambda: weightings.RLW),
        "random weights; Lin et al., TMLR 2022",
    ),
    # Weightings of losses
    Method(
        "uncertainty",
        "weighting",
        _weighted(lambda: weightings.UncertaintyWeighting),
        "uncertainty weighting; Kendall et al., CVPR 2018",
    ),
    Method(
        "gradnorm",
        "weighting",
        _weighted(lambda: weightings.GradNorm),
        "GradNorm; Chen et al., ICML 2018",
    ),
    Method(
        "dwa",
        "weighting",
        _weighted(lambda: weightings.DWA),
        "dynamic weight average; Liu et al., CVPR 2019",
    ),
    Method(
        "cv",
        "weighting",
        _weighted(lambda: weightings.CVWeighting),
        "CV-weighting; Groenendijk et al., WACV 2021",
    ),
    # Serial continual learning
    Method(
        "er",
        "serial",
        _weighted(lambda: weightings.ERWeighting),
        "experience replay; Chaudhry et al. 2019",
    ),
    Method(
        "agem",
        "serial",
        _weighted(lambda: weightings.AGEMWeighting),
        "A-GEM; Chaudhry et al., ICLR 2019",
    ),
    Method(
        "gem",
        "serial",
        _weighted(lambda: weightings.GEMWeighting, memory_objectives="per-task"),
        "GEM; Lopez-Paz and Ranzato, NeurIPS 2017",
    ),
    Method(
        "mega",
        "serial",
        _weighted(lambda: weightings.MEGAWeighting),
        "MEGA-II; Guo et al., NeurIPS 2020",
    ),
    Method(
        "der++",
        "serial",
        _strategy(lambda: strategies.DERPPStrategy),
        "DER++; Buzzega et al., NeurIPS 2020",
    ),
    Method(
        "er-ace",
        "serial",
        _strategy(lambda: strategies.ERACEStrategy),
        "ER-ACE; Caccia et al., ICLR 2022",
    ),
    Method(
        "gmed",
        "serial",
        _strategy(lambda: strategies.GMEDStrategy),
        "GMED; Jin et al., NeurIPS 2021",
    ),
    Method(
        "mdmt-r",
        "serial",
        _strategy(lambda: strategies.MDMTRStrategy),
        "MDMT-R; Lyu et al., AAAI 2021",
    ),
    Method(
        "icarl",
        "serial",
        _strategy(lambda: strategies.ICaRLStrategy),
        "iCaRL; Rebuffi et al., CVPR 2017",
    ),
    Method(
        "mir",
        "serial",
        _strategy(lambda: strategies.MIRStrategy),
        "MIR; Aljundi et al., NeurIPS 2019",
    ),
    Method(
        "gss",
        "serial",
        _strategy(lambda: strategies.GSSStrategy),
        "GSS-greedy; Aljundi et al., NeurIPS 2019",
    ),
    # Without memory
    Method(
        "naive",
        "serial",
        _strategy(lambda: strategies.NaiveStrategy),
        "fine-tuning, nothing against forgetting",
        has_memory=False,
    ),
    Method(
        "ewc",
        "serial",
        _strategy(lambda: strategies.EWCStrategy),
        "EWC; Kirkpatrick et al., PNAS 2017",
        has_memory=False,
    ),
    Method(
        "si",
        "serial",
        _strategy(lambda: strategies.SIStrategy),
        "SI; Zenke et al., ICML 2017",
        has_memory=False,
    ),
    Method(
        "lwf",
        "serial",
        _strategy(lambda: strategies.LwFStrategy),
        "LwF; Li and Hoiem, ECCV 2016",
        has_memory=False,
    ),
    Method(
        "joint",
        "bound",
        _strategy(lambda: strategies.JointStrategy),
        "all samples from the start, shuffled",
        has_memory=False,
    ),
)

METHODS: Mapping[str, Method] = {method.name: method for method in _ALL}
"""The built-in methods, in the order of tables."""
