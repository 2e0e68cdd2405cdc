"""Entry point of ``python -m avalanche_emgd``, the same command as ``avalanche-emgd``."""

from .cli import app

if __name__ == "__main__":
    app(prog_name="python -m avalanche_emgd")
