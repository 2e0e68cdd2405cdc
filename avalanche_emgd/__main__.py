"""``python -m avalanche_emgd`` is the command ``avalanche-emgd``."""

from .cli import app

if __name__ == "__main__":
    app(prog_name="python -m avalanche_emgd")
