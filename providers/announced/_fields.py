"""Fields that many vendors ask for alike."""

from typing import Any

from pydantic import SecretStr, create_model

from providers.offers import Announced, Category, Feature, Offer, Words, asked


def secret(fr: str, en: str, where_fr: str, where_en: str, help: Words | None = None) -> tuple[Any, Any]:
    """A key that is sealed."""
    said = help or Words("Signe chaque appel ; jamais montrée.", "Signs each call; never shown.")
    field = asked(Words(fr, en), said, where=Words(where_fr, where_en), min_length=1, max_length=5000)
    return SecretStr, field


def text(fr: str, en: str, help_fr: str, help_en: str, where_fr: str, where_en: str) -> tuple[Any, Any]:
    """A name or a number that is no secret."""
    words, help = Words(fr, en), Words(help_fr, help_en)
    return str, asked(words, help, where=Words(where_fr, where_en), min_length=1, max_length=500)


def address(name: str, where_fr: str, where_en: str) -> tuple[Any, Any]:
    """Where an installation of one's own answers."""
    words = Words(f"Adresse de {name}", f"Address of {name}")
    help = Words("Où répond votre installation, en https.", "Where your installation answers, over https.")
    return str, asked(words, help, where=Words(where_fr, where_en), pattern=r"^https://[^\s]+$", max_length=500)


def announced(
    key: str, name: str, category: Category, *, does: Words, needs: Words, opens: tuple[Feature, ...], **form: Any
) -> Announced:
    """A provider of the catalogue that has no module yet."""
    return Announced(key, name, category, Offer(create_model(name, **form), does, needs, opens))
