"""Entry point of the command ``avalanche-emgd``, and of ``python -m avalanche_emgd``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main(name: str | None = None) -> None:
    """Run the command line.

    :param name: name of the command in messages; that of the script if omitted.
    """
    try:
        from .cli import app
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
    app(prog_name=name)


if __name__ == "__main__":
    main("python -m avalanche_emgd")
