"""States of weightings, of TorchJD's modules and of plain objects."""

from __future__ import annotations

from typing import Any

from torch import nn

from ...optim import ObjectiveWeighting
from .errors import StateError
from .reader import Reader
from .writer import KnownObjects, Writer, has_state

__all__ = ["load_weighting", "weighting_state"]

_DEFAULT_EXTRA = (nn.Module.get_extra_state, ObjectiveWeighting.get_extra_state)


def weighting_state(weighting: Any, known: KnownObjects) -> Any:
    """Return the state of a weighting as plain values; ``None`` if it has none.

    :param weighting: weighting of any kind: a module, another object, or a function.
    :param known: objects that have their own place in the state.
    """
    if not isinstance(weighting, nn.Module):
        if weighting is None or isinstance(weighting, type) or not hasattr(weighting, "__dict__"):
            return None
        if has_state(weighting):
            return {"state": Writer(known, "weighting").value(weighting.state_dict(), "", 0)}
        return {"attributes": Writer(known, "weighting").attributes(weighting)}
    modules = {}
    for name, module in weighting.named_modules():
        writer, where = Writer(known.copy(), "weighting"), f"weighting.{name}"
        own = type(module).get_extra_state not in _DEFAULT_EXTRA
        modules[name] = {
            "extra": writer.value(module.get_extra_state(), where, 0) if own else None,
            "attributes": {} if own else writer.attributes(module, frozenset({"_rows"})),
            "tensors": writer.value({**module._parameters, **module._buffers}, where, 0),
        }
    return {"modules": modules}


def load_weighting(weighting: Any, state: Any, reader: Reader) -> None:
    """Restore the state of :func:`weighting_state`.

    :param weighting: weighting of the fresh strategy.
    :param state: state.
    :param reader: reader of plain values.
    :raises StateError: if the weighting is of another kind.
    """
    if state is None:
        return
    if "state" in state:
        weighting.load_state_dict(reader.value(state["state"], None, "weighting"))
    elif "attributes" in state:
        reader.attributes(weighting, state["attributes"])
    else:
        modules = dict(weighting.named_modules())
        if set(modules) != set(state["modules"]):
            raise StateError("`weighting` is of another kind than that of the saved strategy.")
        for name, own in state["modules"].items():
            module = modules[name]
            if own["extra"] is not None:
                module.set_extra_state(reader.value(own["extra"], None, "weighting"))
            reader.attributes(module, own["attributes"])
            for key, value in reader.value(own["tensors"], None, "weighting").items():
                if isinstance(module._parameters.get(key), nn.Parameter):
                    module._parameters[key].data.copy_(value)
                else:
                    module._buffers[key] = value
