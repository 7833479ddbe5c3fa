"""What a document asks for at each place of its answer: two things under one name do not go together."""

Sought = tuple[str, str, str]  # a field's name, its arguments, its type
Place = dict[str, tuple[Sought, "Place"]]  # response name → what is asked for there, and what lies below


def merged(fragment: Place, place: Place) -> bool:
    """Takes what a fragment asks into a place; False where that asks something else under the same name."""
    if not _fits(fragment, place):
        return False
    for name, (asked, below) in fragment.items():
        merged(below, place.setdefault(name, (asked, {}))[1])
    return True


def _fits(fragment: Place, place: Place) -> bool:
    return all(
        name not in place or (place[name][0] == asked and _fits(below, place[name][1]))
        for name, (asked, below) in fragment.items()
    )
