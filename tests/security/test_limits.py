"""Documents that ask for too much are refused before anything is done with them."""

import pytest

from tests.shop import Shop


@pytest.mark.parametrize(
    "document",
    [
        "{" + " ".join(f"a{n}: me {{ role }}" for n in range(21)) + "}",
        "{ orders { nodes " + "{ notifications { order " * 7 + "{ id }" + " } }" * 7 + " } }",
        "{ orders { nodes { " + " ".join(f"a{n}: client {{ id }}" for n in range(501)) + " } } }",
        "{" + " ".join(f"a{n}: me {{ role }}" for n in range(50_000)) + "}",
        "query { me { ...f0 } } "
        + " ".join(f"fragment f{n} on Membership {{ ...f{n + 1} ...f{n + 1} }}" for n in range(40))
        + " fragment f40 on Membership { role }",
        "query { me { ...f } } fragment f on Membership { ...f }",
    ],
    ids=["aliases", "a cycle of relations", "fields", "tokens", "fragments that double", "fragments that turn"],
)
async def test_a_document_that_asks_for_too_much_is_refused_whoever_asks(shop: Shop, document: str) -> None:
    for token in ("", shop.token):
        shop.token = token
        answer = await shop.post(document, {})

        assert answer.get("data") is None
        assert answer["errors"][0]["extensions"]["code"] in ("LIMITED", "INVALID")
        assert len(answer["errors"]) <= 20
