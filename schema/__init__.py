"""What clients see, one file an area: published views of models, and inputs made from them."""
