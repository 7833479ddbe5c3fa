"""Every job is known to the worker, which imports no more than it needs."""

import re
from pathlib import Path

from workers.lanes import AREAS

SERVICES = Path(__file__).parent.parent.parent / "services"


def test_the_worker_imports_every_module_that_declares_a_job() -> None:
    declaring = {file.stem for file in SERVICES.glob("*.py") if re.search(r"^@job\(", file.read_text(), re.MULTILINE)}

    assert declaring == {area.__name__.removeprefix("services.") for area in AREAS} & declaring
    assert declaring
