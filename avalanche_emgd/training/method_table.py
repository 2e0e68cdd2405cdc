"""The table of the built-in methods."""

from __future__ import annotations

from collections.abc import Mapping

from .. import optim, training
from ..optim import peers as weightings
from . import ingredients
from . import peers as strategies
from .method import Method
from .method_makers import (
    composed,
    emgd,
    er_ace_competition,
    gmed_editing,
    recommended,
    strategy,
)

__all__ = ["METHODS"]

_ALL = (
    # Parallel continual learning
    Method(
        "emgd-gmc",
        "parallel",
        emgd(lambda: optim.GMC),
        "EMGD, gradient magnitude change; 2401.01054",
    ),
    Method(
        "emgd++",
        "parallel",
        recommended(),
        "EMGD with stored probabilities, asymmetric loss and averaged weights",
    ),
    Method("emgd-gs", "parallel", emgd(lambda: optim.GS), "EMGD, gradient similarity; 2401.01054"),
    Method("egda", "parallel", emgd(lambda: optim.EGDA), "softmax rule of EMGD's predecessor"),
    Method(
        "maxdo",
        "parallel",
        composed(lambda: weightings.MaxDO),
        "MaxDO; Lyu et al., ICCV 2023",
    ),
    Method("spcl", "parallel", strategy(lambda: strategies.SPCLStrategy), "SPCL; 2407.08214"),
    # Weightings of gradients
    Method("avg", "weighting", strategy(lambda: training.AvgGradStrategy), "plain average"),
    Method("sum", "weighting", composed(lambda: weightings.Sum), "plain sum"),
    Method("mgda", "weighting", emgd(lambda: optim.Constant), "MGDA, exact; Désidéri 2012"),
    Method(
        "mgda-norm",
        "weighting",
        emgd(lambda: optim.GMC, exponent=1.0, decay=0.0, lower_bound=0.0),
        "MGDA on normalised gradients; Désidéri 2012",
    ),
    Method(
        "pcgrad",
        "weighting",
        composed(lambda: weightings.PCGrad),
        "PCGrad; Yu et al., NeurIPS 2020",
    ),
    Method(
        "gradvac",
        "weighting",
        composed(lambda: weightings.GradVac),
        "GradVac; Wang et al., ICLR 2021",
    ),
    Method(
        "graddrop",
        "weighting",
        strategy(lambda: strategies.GradDropStrategy),
        "GradDrop; Chen et al., NeurIPS 2020",
    ),
    Method(
        "imtl-g",
        "weighting",
        composed(lambda: weightings.IMTLG),
        "IMTL-G; Liu et al., ICLR 2021",
    ),
    Method(
        "cagrad",
        "weighting",
        composed(lambda: weightings.CAGrad),
        "CAGrad; Liu et al., NeurIPS 2021",
    ),
    Method(
        "nash-mtl",
        "weighting",
        composed(lambda: weightings.NashMTL),
        "Nash-MTL; Navon et al., ICML 2022",
    ),
    Method(
        "aligned-mtl",
        "weighting",
        composed(lambda: weightings.AlignedMTL),
        "Aligned-MTL; Senushkin et al. 2023",
    ),
    Method(
        "fairgrad",
        "weighting",
        composed(lambda: weightings.FairGrad),
        "FairGrad; Ban and Ji, ICML 2024",
    ),
    Method(
        "upgrad",
        "weighting",
        composed(lambda: weightings.UPGrad),
        "UPGrad; Quinton and Rey, 2406.16232",
    ),
    Method(
        "rlw",
        "weighting",
        composed(lambda: weightings.RLW),
        "random weights; Lin et al., TMLR 2022",
    ),
    Method(
        "cr-mogm",
        "weighting",
        composed(lambda: weightings.CRMOGM),
        "moving average of MGDA's weights; Zhou et al., NeurIPS 2022",
    ),
    Method(
        "db-mtl",
        "weighting",
        composed(lambda: weightings.DBMTL),
        "DB-MTL; Lin et al., 2308.12029",
    ),
    Method(
        "excess-mtl",
        "weighting",
        composed(lambda: weightings.ExcessMTL),
        "ExcessMTL; He et al., ICML 2024",
    ),
    # Weightings of losses
    Method(
        "uncertainty",
        "weighting",
        composed(lambda: weightings.UncertaintyWeighting),
        "uncertainty weighting; Kendall et al., CVPR 2018",
    ),
    Method(
        "gradnorm",
        "weighting",
        composed(lambda: weightings.GradNorm),
        "GradNorm; Chen et al., ICML 2018",
    ),
    Method(
        "dwa",
        "weighting",
        composed(lambda: weightings.DWA),
        "dynamic weight average; Liu et al., CVPR 2019",
    ),
    Method(
        "cv",
        "weighting",
        composed(lambda: weightings.CVWeighting),
        "CV-weighting; Groenendijk et al., WACV 2021",
    ),
    Method(
        "famo",
        "weighting",
        composed(lambda: weightings.FAMO),
        "FAMO; Liu et al., NeurIPS 2023",
    ),
    # Serial continual learning
    Method(
        "er",
        "serial",
        composed(lambda: weightings.ERWeighting),
        "experience replay; Chaudhry et al. 2019",
    ),
    Method(
        "agem",
        "serial",
        composed(lambda: weightings.AGEMWeighting),
        "A-GEM; Chaudhry et al., ICLR 2019",
    ),
    Method(
        "gem",
        "serial",
        composed(lambda: weightings.GEMWeighting, memory_objectives="per-task"),
        "GEM; Lopez-Paz and Ranzato, NeurIPS 2017",
    ),
    Method(
        "mega",
        "serial",
        composed(lambda: weightings.MEGAWeighting),
        "MEGA-II; Guo et al., NeurIPS 2020",
    ),
    Method(
        "der++",
        "serial",
        composed(
            lambda: weightings.ERWeighting,
            memory_loss=lambda: ingredients.StoredLogits,
        ),
        "DER++; Buzzega et al., NeurIPS 2020",
    ),
    Method(
        "er-ace",
        "serial",
        composed(lambda: weightings.ERWeighting, competition=er_ace_competition),
        "ER-ACE; Caccia et al., ICLR 2022",
    ),
    Method(
        "er-las",
        "serial",
        strategy(lambda: strategies.ERLASStrategy),
        "ER with logit adjusted softmax; Huang et al., TMLR 2024",
    ),
    Method(
        "gmed",
        "serial",
        composed(lambda: weightings.ERWeighting, memory_editing=gmed_editing),
        "GMED; Jin et al., NeurIPS 2021",
    ),
    Method(
        "mdmt-r",
        "serial",
        strategy(lambda: strategies.MDMTRStrategy),
        "MDMT-R; Lyu et al., AAAI 2021",
    ),
    Method(
        "icarl",
        "serial",
        strategy(lambda: strategies.ICaRLStrategy),
        "iCaRL; Rebuffi et al., CVPR 2017",
    ),
    Method(
        "mir",
        "serial",
        composed(lambda: weightings.ERWeighting, memory_retrieval=lambda: ingredients.MIR),
        "MIR; Aljundi et al., NeurIPS 2019",
    ),
    Method(
        "gss",
        "serial",
        composed(lambda: weightings.ERWeighting, memory_selection=lambda: ingredients.GSS),
        "GSS-greedy; Aljundi et al., NeurIPS 2019",
    ),
    # Without memory
    Method(
        "naive",
        "serial",
        strategy(lambda: strategies.NaiveStrategy),
        "fine-tuning, nothing against forgetting",
        has_memory=False,
    ),
    Method(
        "ewc",
        "serial",
        strategy(lambda: strategies.EWCStrategy),
        "EWC; Kirkpatrick et al., PNAS 2017",
        has_memory=False,
    ),
    Method(
        "si",
        "serial",
        strategy(lambda: strategies.SIStrategy),
        "SI; Zenke et al., ICML 2017",
        has_memory=False,
    ),
    Method(
        "lwf",
        "serial",
        strategy(lambda: strategies.LwFStrategy),
        "LwF; Li and Hoiem, ECCV 2016",
        has_memory=False,
    ),
    Method(
        "joint",
        "bound",
        strategy(lambda: strategies.JointStrategy),
        "all samples from the start, shuffled",
        has_memory=False,
    ),
)

METHODS: Mapping[str, Method] = {method.name: method for method in _ALL}
"""The built-in methods by name, in the order of the rows of tables."""
