"""Sphinx settings. The sources are staged by ``_generate``; ``make docs`` does both."""  # noqa: INP001

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import napari_gluer

project = "napari-gluer"
author = "The napari-gluer developers"
version = release = napari_gluer.__version__
project_copyright = "The napari-gluer developers, BSD-3-Clause"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_copybutton",
    "_generate.equations",
    "_generate.docstrings",
]
source_suffix = {".md": "markdown"}
root_doc = "index"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
suppress_warnings: list[str] = []
default_role = "literal"
math_number_all = False

autosummary_generate = False
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False

nitpicky = True
# names of other packages: their inventories are not at hand offline
nitpick_ignore_regex = [
    (r"py:.*", r"(?!napari_gluer\.).*"),
    (r"py:class", r"napari_gluer(\.\w+){2,}"),  # of signatures: not every type is a public name
]

toc_object_entries = False
html_theme = "pydata_sphinx_theme"
html_title = "napari-gluer"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "header_links_before_dropdown": 7,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
copybutton_prompt_text = "$ "

linkcheck_timeout = 20
linkcheck_retries = 2
# publishers answer 403 to anything that is no browser
linkcheck_ignore = [r"https://doi\.org/.*"]

if os.environ.get("NAPARI_GLUER_DOCS_ONLINE"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "anndata": ("https://anndata.readthedocs.io/en/stable", None),
    }
