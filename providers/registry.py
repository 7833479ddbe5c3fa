"""The catalogue, found: each module of this package that has a provider with an `offer` is one, under its own name.

Modules are imported when they are asked for: some bring a vendor's whole library.
"""

import inspect
import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from providers.base import Provider

PROVIDERS = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])} - {"registry"}


@cache
def offered() -> dict[str, type[Provider[Any]]]:
    """Every provider that organizations can connect, by key."""
    found = {name: _provider_in(import_module(f"providers.{name}")) for name in sorted(PROVIDERS)}
    return {name: provider for name, provider in found.items() if provider}


def provider(key: str) -> type[Provider[Any]] | None:
    """The provider of a key; None where there is none, or none yet."""
    return _provider_in(import_module(f"providers.{key}")) if key in PROVIDERS else None


def _provider_in(module: ModuleType) -> type[Provider[Any]] | None:
    own = (each for _, each in inspect.getmembers(module, inspect.isclass) if each.__module__ == module.__name__)
    return next((each for each in own if issubclass(each, Provider) and each.offer), None)
