"""What RFC 5545 asks of a file's lines, and RFC 5546 of its properties: read without the library that writes."""

import re
from collections import Counter
from dataclasses import dataclass, field

# RFC 5546, tables of 3.2.1, 3.2.2 and 3.2.5: how often a property of a VEVENT may stand there.
ONCE, MAYBE, SOME, NEVER = (1, 1), (0, 1), (1, 1000), (0, 0)
TABLES: dict[str, dict[str, tuple[int, int]]] = {
    "PUBLISH": {"ORGANIZER": MAYBE, "SUMMARY": ONCE, "ATTENDEE": NEVER, "SEQUENCE": MAYBE, "VALARM": MAYBE},
    "REQUEST": {"ORGANIZER": ONCE, "SUMMARY": ONCE, "ATTENDEE": SOME, "SEQUENCE": MAYBE, "VALARM": MAYBE},
    "CANCEL": {"ORGANIZER": ONCE, "SUMMARY": MAYBE, "ATTENDEE": (0, 1000), "SEQUENCE": ONCE, "VALARM": NEVER},
}
ALWAYS = {
    "DTSTAMP": ONCE, "UID": ONCE, "DTSTART": ONCE, "DTEND": ONCE, "LOCATION": MAYBE, "URL": MAYBE, "STATUS": MAYBE,
    "DESCRIPTION": MAYBE,
}  # fmt: skip
STATUSES = {"PUBLISH": {"CONFIRMED"}, "REQUEST": {"CONFIRMED"}, "CANCEL": {"CANCELLED"}}

# RFC 5545 3.1: name *(";" param) ":" value, a parameter's value quoted where it holds ":", ";" or ",".
_LINE = re.compile(r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"\x00-\x08]*"|[^";:,\x00-\x08]*))*):(.*)', re.DOTALL)


@dataclass
class Component:
    """`properties` are (name, parameters as written, value, TEXT's escapes undone)."""

    name: str
    properties: list[tuple[str, str, str]] = field(default_factory=list)
    components: list["Component"] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        (value,) = (value for known, _, value in self.properties if known == name)
        return value

    def get(self, name: str) -> str | None:
        return next((value for known, _, value in self.properties if known == name), None)


def read(content: bytes) -> Component:
    """The calendar in a file, its rules checked. Raises AssertionError, saying which is broken."""
    calendar = _parsed(content)
    assert calendar["VERSION"] == "2.0" and calendar["PRODID"] and calendar["CALSCALE"] == "GREGORIAN"
    method = calendar["METHOD"]
    events = [each for each in calendar.components if each.name == "VEVENT"]
    for event in events:
        _must_follow(event, method)
    assert len({event["UID"] for event in events}) == len(events)
    return calendar


def event(content: bytes) -> Component:
    """The one event of a letter's file."""
    (only,) = read(content).components
    return only


def _must_follow(event: Component, method: str) -> None:
    numbers = Counter(name for name, _, _ in event.properties) + Counter(each.name for each in event.components)
    for name, (least, most) in (ALWAYS | TABLES[method]).items():
        assert least <= numbers[name] <= most, f"{numbers[name]} {name} in {method}"
    for name in ("DTSTAMP", "DTSTART", "DTEND"):
        assert re.fullmatch(r"\d{8}T\d{6}Z", event[name]), f"{name} is not in UTC"
    assert event["DTEND"] > event["DTSTART"]
    assert event.get("STATUS") in {None, *STATUSES[method]}
    assert method == "CANCEL" or event.get("STATUS")
    for name, _, value in event.properties:
        assert name not in ("ATTENDEE", "ORGANIZER") or value.startswith("mailto:")
    for alarm in event.components:
        assert {"ACTION", "TRIGGER", "DESCRIPTION"} <= {name for name, _, _ in alarm.properties}


def _parsed(content: bytes) -> Component:
    assert content.endswith(b"\r\n") and b"\n" not in content.replace(b"\r\n", b""), "lines end in CRLF"
    assert max(map(len, content.split(b"\r\n"))) <= 75, "lines are folded at 75 octets"
    top, open_ones = Component(""), []
    within = top
    for line in content.decode().replace("\r\n ", "").split("\r\n")[:-1]:
        match = _LINE.fullmatch(line)
        assert match, line
        name, parameters, value = match[1].upper(), match[2], match[3]
        if name == "BEGIN":
            open_ones.append(within)
            within = Component(value)
            open_ones[-1].components.append(within)
        elif name == "END":
            assert within.name == value
            within = open_ones.pop()
        else:
            within.properties.append((name, parameters, _unescaped(value)))
    (calendar,) = top.components
    assert calendar.name == "VCALENDAR" and not open_ones
    return calendar


def _unescaped(value: str) -> str:
    return re.sub(r"\\([\\;,nN])", lambda match: "\n" if match[1] in "nN" else match[1], value)
