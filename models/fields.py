"""Columns with a meaning: each has its GraphQL scalar in `schema/scalars.py`."""

from enum import StrEnum
from typing import Any, Self

from tortoise import fields
from tortoise.fields import OnDelete


class Coded(StrEnum):
    """An enum whose every value says what it means: `PAID = "PAID", "Paid in full"`."""

    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class EmailField(fields.CharField[str]):
    """An e-mail address, lower case."""

    def __init__(self, max_length: int = 254, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)


class PhoneField(fields.CharField[str]):
    """A phone number in E.164 form: `+33612345678`."""

    def __init__(self, max_length: int = 16, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)


class UrlField(fields.CharField[str]):
    """An absolute http(s) address."""

    def __init__(self, max_length: int = 2048, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)


class SirenField(fields.CharField[str]):
    """A SIREN: nine digits, of which the last is a check (Luhn)."""

    def __init__(self, max_length: int = 9, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)


class SiretField(fields.CharField[str]):
    """A SIRET: the SIREN and five digits for the establishment."""

    def __init__(self, max_length: int = 14, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)


class VatNumberField(fields.CharField[str]):
    """A VAT number of the European Union, in capitals: `FR44732829320`."""

    def __init__(self, max_length: int = 14, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)


class CurrencyField(fields.CharField[str]):
    """An ISO 4217 code, upper case."""

    def __init__(self, max_length: int = 3, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)


class CountryField(fields.CharField[str]):
    """An ISO 3166-1 alpha-2 code, upper case."""

    def __init__(self, max_length: int = 2, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)


def belongs_to(model: str, related_name: str | None, description: str, **options: Any) -> Any:
    """A foreign key that never cascades; the constraint, with the tenant in it, and its index are in the migrations."""
    return fields.ForeignKeyField(
        f"models.{model}",
        related_name=related_name if related_name is not None else False,
        on_delete=OnDelete.RESTRICT,
        db_constraint=False,
        description=description,
        **options,
    )
