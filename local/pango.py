"""Pango, which draws invoices, where `bin/set-up` unpacked it into a home: for machines without it, when not root."""

import os
import sys
from pathlib import Path


def environment(home: Path) -> dict[str, str]:
    """The variables under which programs started from now on find it; none where nothing was unpacked.

    A program that runs already does not: the loader reads LD_LIBRARY_PATH when it starts.
    """
    unpacked = home.expanduser().resolve() / "pango"
    folders = [str(folder) for pattern in ("usr/lib/*-linux-*", "lib/*-linux-*") for folder in unpacked.glob(pattern)]
    if not folders:
        return {}
    before = os.environ.get("LD_LIBRARY_PATH")
    return {
        "LD_LIBRARY_PATH": ":".join([*folders, before] if before else folders),
        "FONTCONFIG_FILE": str(unpacked / "fonts.conf"),
    }


def main() -> None:
    """`python -m local.pango HOME …`: Python, with the rest of the arguments, and with what that home has."""
    home, *arguments = sys.argv[1:]
    os.execve(sys.executable, [sys.executable, *arguments], os.environ | environment(Path(home)))  # noqa: S606


if __name__ == "__main__":
    main()
