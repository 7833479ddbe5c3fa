"""The catalogue, found: each module of this package that has a provider with an `offer` is one, under its own name.

Modules are imported when they are asked for: some bring a vendor's whole library.
"""

import inspect
import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from providers.announced import ANNOUNCED
from providers.base import Provider
from providers.offers import Announced

MODULES = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])} - {"registry"}

Listed = type[Provider[Any]] | Announced


@cache
def catalogue() -> dict[str, Listed]:
    """Every provider by key, those first that can be connected, each of them by name."""
    available = [kind for name in MODULES if (kind := provider(name))]
    listed: dict[str, Listed] = {kind.key: kind for kind in sorted(available, key=_name)}
    return listed | {each.key: each for each in sorted(ANNOUNCED.values(), key=_name) if each.key not in listed}


@cache
def provider(key: str) -> type[Provider[Any]] | None:
    """The provider of a key; None where there is none, or none yet."""
    if key not in MODULES:
        return None
    module = import_module(f"providers.{key}")
    own = (each for _, each in inspect.getmembers(module, inspect.isclass) if each.__module__ == module.__name__)
    return next((each for each in own if issubclass(each, Provider) and "offer" in vars(each)), None)


def _name(listed: Listed) -> str:
    return listed.name.casefold()
