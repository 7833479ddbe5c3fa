"""kill -9 of the worker while clients are imported: the import goes on to its end, nobody is there twice or missing.

Real processes over the test database. Each kill waits about as long as a lease (15 s).
"""

from pathlib import Path

import httpx

import models
from services import scratch
from settings import Settings
from tests.faults.halts import halting
from tests.faults.installation import installed, wait_for
from tests.importing import begun, seen
from tests.shop import Shop

LOOKED_AT, WRITTEN = "lines are looked at, not written down", "clients are written, not committed"
HALTS = {
    LOOKED_AT: "{} BEFORE UPDATE ON client_imports FOR EACH ROW WHEN (NEW.status = 'CHECKING' AND NEW.done > 1000)",
    WRITTEN: "{} AFTER UPDATE ON client_imports DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
    " WHEN (NEW.status = 'IMPORTING' AND NEW.done > 1000)",
}
LINES = 2500
WRONG = {7: "nobody;;", 1205: "a@example.com;123;", 2400: "client9@example.com;;"}
FOUND = [(7, "E-mail", "EMAIL", None), (1205, "Téléphone", "PHONE", None), (2400, "E-mail", "DUPLICATE", 9)]


async def test_a_worker_killed_in_the_middle_of_an_import_loses_nobody_and_doubles_nobody(
    shop: Shop, settings: Settings, database_url: str, tmp_path: Path
) -> None:
    right = {number: f"client{number}@example.com" for number in range(2, LINES + 2) if number not in WRONG}
    lines = [WRONG.get(number) or f"{right[number]};06 12 34 56 78;Lyon" for number in range(2, LINES + 2)]
    file = "\n".join(("E-mail;Téléphone;Tags", *lines))
    left = tmp_path / f"{scratch.PREFIX}of-who-was-killed"
    left.mkdir()
    async with (
        installed(settings, tmp_path, TMPDIR=str(tmp_path)) as installation,
        httpx.AsyncClient(base_url=installation.url) as http,
    ):
        house = await Shop.open(http, installation.sandbox, slug="house")
        async with halting(database_url, HALTS) as halts:
            made = await begun(house, file, onBroken="LEAVE_OUT")
            for step, written in ((LOOKED_AT, 0), (WRITTEN, 999)):
                await halts.at(step)
                await installation.start("worker")
                await halts.all_reached()
                assert await house.count("clients") == written
                installation.kill("worker")
                await halts.lift()

        await installation.start("worker")
        await wait_for(lambda: house.count("client_imports", "status = 'IMPORTED'"), "the import to be done")
        done = await seen(house, made)

    assert not left.exists()
    assert (done["total"], done["created"], done["unchanged"], done["broken"]) == (LINES, LINES - 3, 0, 3)
    told = [tuple(line[name] for name in ("line", "heading", "problem", "firstLine")) for line in done["lines"]]
    assert (told, done["newTags"]) == (FOUND, ["Lyon"])
    assert sorted(await models.Client.all().values_list("email", flat=True)) == sorted(right.values())
    assert await models.ClientTag.all().count() == LINES - 3
    assert await models.AuditEntry.filter(subject_type="Client").count() == LINES - 3
