"""What is opened by its address alone: the token in it says what, to whom and until when."""

from links import files, pages

ROUTES = (*files.ROUTES, *pages.ROUTES)
