"""Documents in a folder."""

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from errors import Gone
from providers.disk import Disk

PDF, CONTENT = "application/pdf", b"%PDF-1.7 une facture"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
KEY = "organization/invoices/1.pdf"


async def test_a_document_comes_back_as_it_was(tmp_path: Path) -> None:
    store = Disk(tmp_path / "files")

    assert await store.digest(KEY) is None
    assert await store.save(KEY, CONTENT, PDF) == DIGEST
    assert await store.load(KEY) == CONTENT
    assert await store.digest(KEY) == DIGEST
    assert (tmp_path / "files" / KEY).read_bytes() == CONTENT


async def test_what_is_saved_is_never_replaced_and_its_digest_is_given(tmp_path: Path) -> None:
    store = Disk(tmp_path)
    await store.save(KEY, CONTENT, PDF)

    assert await store.save(KEY, CONTENT, PDF) == DIGEST
    assert await store.save(KEY, b"something else", PDF) == DIGEST

    assert await store.load(KEY) == CONTENT


async def test_of_many_who_save_at_once_all_are_given_the_digest_of_what_is_kept(tmp_path: Path) -> None:
    store = Disk(tmp_path)

    digests = await asyncio.gather(*(store.save(KEY, f"the {number}th".encode(), PDF) for number in range(20)))

    assert set(digests) == {hashlib.sha256(await store.load(KEY)).hexdigest()}
    assert [path.name for path in (tmp_path / KEY).parent.iterdir()] == ["1.pdf"]


async def test_a_document_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / KEY).mkdir(parents=True)  # in its place

    with pytest.raises(OSError):
        await Disk(tmp_path).save(KEY, CONTENT, PDF)

    assert [path.name for path in (tmp_path / KEY).parent.iterdir()] == ["1.pdf"]


async def test_a_document_that_is_not_there_is_gone(tmp_path: Path) -> None:
    with pytest.raises(Gone, match=KEY):
        await Disk(tmp_path).load(KEY)


async def test_a_folder_serves_nobody(tmp_path: Path) -> None:
    assert await Disk(tmp_path).link(KEY, filename="1.pdf", content_type=PDF, life=timedelta(hours=1)) is None
