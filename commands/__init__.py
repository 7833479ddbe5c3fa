"""What `bin/comptoir` can do, by area; `cli.py` puts them together."""
