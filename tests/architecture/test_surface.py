"""The public surface: every root field names its permission, everything is described, the SDL is committed."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
)

import models
from engine.views import VIEWS
from policy import READS, Permission
from resolvers.schema import sdl
from schema.roots import MUTATIONS, PERMISSIONS, QUERIES, SUBSCRIPTIONS

ROOT = Path(__file__).parent.parent.parent
PUBLIC = {
    "emailConfirm",
    "invitationAccept",
    "invitationOffer",
    "organizationRegister",
    "passwordReset",
    "passwordResetRequest",
    "registrationConfirm",
    "secondFactorVerify",
    "sessionRefresh",
    "signIn",
}  # what nobody needs to be signed in for

CREATES_OR_PAYS = re.compile(
    "(Create|Start|Record|Add|Invite|Invoice|Rotate|Refund|Pay|Issue|Register|Subscribe|Import|Book|Duplicate)$"
)

ONE_AT_A_TIME = {"secondFactorStart"}  # each takes the place of the one before

# Seen by nobody through the API: machinery, and what is shown only through its owner's own fields.
HIDDEN = {
    models.Attempt, models.CalendarEvent, models.EmailChange, models.IdempotencyKey, models.InvoiceSeries,
    models.KeyGeneration, models.KnownPlace, models.OAuthRequest,
    models.PasswordRequest, models.Promise, models.QuoteSeries, models.ReconciliationPoint, models.RecoveryCode,
    models.Registration, models.StoredFile, models.StripeAccount, models.StripeEvent,
}  # fmt: skip

SCHEMA = build_schema(sdl())
OURS = [kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")]


def test_every_root_field_names_its_permission() -> None:
    assert SCHEMA.query_type is not None
    assert SCHEMA.mutation_type is not None
    assert set(SCHEMA.query_type.fields) == set(QUERIES)
    assert set(SCHEMA.mutation_type.fields) == set(MUTATIONS)
    assert SCHEMA.subscription_type is not None
    assert set(SCHEMA.subscription_type.fields) == set(SUBSCRIPTIONS)
    assert set(PERMISSIONS) == {*QUERIES, *MUTATIONS, *SUBSCRIPTIONS}
    assert {name for name, permission in PERMISSIONS.items() if permission is Permission.PUBLIC} == PUBLIC


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.name)
def test_everything_is_described(kind: GraphQLNamedType) -> None:
    assert kind.description, kind.name
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in kind.fields.items():
            assert field.description, f"{kind.name}.{name}"
            for argument, given in field.args.items():
                assert given.description, f"{kind.name}.{name}({argument})"
    elif isinstance(kind, GraphQLInputObjectType):
        for name, input_field in kind.fields.items():
            assert input_field.description, f"{kind.name}.{name}"
    elif isinstance(kind, GraphQLEnumType):
        for name, value in kind.values.items():
            assert value.description, f"{kind.name}.{name}"


def test_what_creates_or_pays_takes_an_idempotency_key() -> None:
    """Of who is signed in; without a caller there is nobody whose key it could be."""
    assert SCHEMA.mutation_type is not None
    for name in SCHEMA.mutation_type.fields:
        if CREATES_OR_PAYS.search(name) and name not in PUBLIC | ONE_AT_A_TIME:
            input = get_named_type(SCHEMA.mutation_type.fields[name].args["input"].type)
            assert isinstance(input, GraphQLInputObjectType)
            assert "idempotencyKey" in input.fields, f"{name}: declare it `idempotent=True`"


def test_the_committed_schema_is_the_one_of_the_code() -> None:
    assert (ROOT / "schema.graphql").read_text() == sdl(), "run `bin/comptoir schema` and commit it"


def test_every_table_is_opened_by_a_permission_or_hidden_on_purpose() -> None:
    tables = {getattr(models, name) for name in models.__all__ if hasattr(getattr(models, name), "_meta")}

    assert set(READS) | HIDDEN == tables
    assert set(READS) & HIDDEN == set()
    assert set(VIEWS) <= set(READS)


@pytest.mark.parametrize(
    ("module", "below"),
    [
        ("errors", set()),
        ("settings", {"errors"}),
        ("policy", {"errors", "models"}),
    ],
    ids=["errors", "settings", "policy"],
)
def test_single_modules_import_only_what_stands_below_them(module: str, below: set[str]) -> None:
    ours = {path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/__init__.py")}
    tree = ast.parse((ROOT / f"{module}.py").read_text())
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }

    assert imported & ours <= below


def test_locks_name_no_registry_and_hash_everything() -> None:
    for lock, packages_least in {
        "requirements.lock": 50,
        "requirements-dev.lock": 80,
        "requirements-audit.lock": 2,
        "examples/python/requirements.lock": 20,
    }.items():
        text = (ROOT / lock).read_text()
        assert "://" not in text
        packages = re.findall(r"^[a-z0-9][^\n]*==[^\n]*", text, re.M)
        assert len(packages) >= packages_least
        for block in re.split(r"\n(?=[a-z0-9])", text.strip()):
            assert "--hash=sha256:" in block, block.splitlines()[0]


@pytest.mark.parametrize("folder", ["tests/http", "examples/typescript"])
def test_npm_s_locks_name_no_registry_and_hash_everything(folder: str) -> None:
    locked = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    packages = [package for place, package in locked.items() if place]

    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert not any("resolved" in package for package in packages)


def test_nothing_of_a_machine_is_committed() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    place = str(ROOT) + "/"
    for name in tracked.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".html", ".css", ".txt", ".graphql", ".lock", ""} and path.is_file():
            assert place not in path.read_text(errors="replace"), name
