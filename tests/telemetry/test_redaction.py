"""No secret stands in a log line or in what is sent away, whatever wrote it there."""

from collections.abc import Iterator

import pytest

from telemetry.redaction import hide, redacted

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("key sk_live_51AbCdEf refused", "51AbCdEf"),
        ("key sk_test_51AbCdEf refused", "51AbCdEf"),
        ("rk_live_51AbCdEf,rk_test_51AbCdEf", "51AbCdEf"),
        ("signed with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw+/=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("{'Authorization': 'Bearer abc.def~1'}", "abc.def~1"),
        ("authorization: BEARER abcdef", "abcdef"),
        ("from ptk_a1B2c3", "a1B2c3"),
        ("from apk_a1B2c3", "a1B2c3"),
        (f"GET /files/{JWT}/FQCA-2025-000001.pdf", JWT.split(".")[2]),
        ("postgres://comptoir:s3cr%40t/x@db:5432/comptoir is away", "s3cr"),
        ("redis://:only-a-password@cache:6379", "only-a-password"),
        ("k2:" + "A" * 43 + "=", "A" * 43),
        (f"GET /portal/{'0123456789abcdef' * 6}", "0123456789abcdef"),
        (f"Authorization: Bearer {'0123456789abcdef' * 6}", "0123456789abcdef"),
        (f"/portal#{'0123456789abcdef' * 6},", "0123456789abcdef"),
        (f"/portal#{('0123456789ABCDEF' * 6)[1:]}", "0123456789ABCDEF"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(said: str, secret: str) -> None:
    assert secret not in redacted(said)
    assert "…" in redacted(said)


@pytest.mark.parametrize(
    "said",
    [
        "order 0198f2a0-1111-7000-8000-000000000000: Stripe took 12000 EUR, the order asks 9999 EUR (pi_3Abc)",
        "GET https://api.stripe.com:443/v1/customers?limit=1",
        "postgres://comptoir@db/comptoir",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "evt_1PAbCdEf of cs_test_a1b2 by acct_1Xyz",
    ],
)
def test_what_is_none_stays_as_it_is(said: str) -> None:
    assert redacted(said) == said


@pytest.fixture
def nothing_of_our_own() -> Iterator[None]:
    yield
    hide([])


@pytest.mark.usefixtures("nothing_of_our_own")
def test_the_installations_own_secrets_are_taken_out_whatever_they_look_like() -> None:
    hide(["correct horse (battery)", "short", "correct horse (battery) staple"])

    assert redacted("with correct horse (battery) staple, in short") == "with …, in short"


def test_a_long_line_without_spaces_takes_no_time_to_speak_of() -> None:
    for said in ("a" * 500_000, "http://" * 50_000, "a:b" * 100_000, "whsec" * 100_000, "eyJ." * 100_000):
        assert len(redacted(said)) == len(said)  # quadratic, one of these would take minutes
