"""Settings of Sphinx for the documentation; `make docs` builds it."""

import os
import sys
import warnings
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))
# Notebooks and commands run in processes of their own: theirs is the package of this checkout, too.
sys.path.insert(0, str(HERE.parent))
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, (str(HERE.parent), os.environ.get("PYTHONPATH")))
)
os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
os.environ["PYTHONWARNINGS"] = "ignore"
warnings.filterwarnings("ignore", category=DeprecationWarning)

project = "avalanche-emgd"
author = "The avalanche-emgd developers"
copyright = author
version = release = version_of("avalanche-emgd")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "mathml",
    "reference",
]
exclude_patterns = ["_build"]
suppress_warnings = ["mystnb.unknown_mime_type"]

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
copybutton_exclude = ".linenos, .gp, .go"

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

# Tutorials are run in each build, in an empty folder.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_render_markdown_format = "myst"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

# A broken reference fails the build. Names of other projects are not looked up: the build needs no
# network.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(avalanche|nn|torch|torchjd|torchvision)\..*"),
    (r"py:.*", r"(np|numpy|pd|pandas|matplotlib|rich|dask)\..*"),
    (r"py:.*", r"(collections|typing|typing_extensions|pathlib|os|abc|functools|contextlib)\..*"),
]
