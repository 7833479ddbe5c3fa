"""Clients that are imported from a file, and what was found of its lines."""

from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.fields import Coded, belongs_to
from models.upload import StoredFile


class ClientImportStatus(Coded):
    """How far it is."""

    PENDING = "PENDING", "A worker will begin"
    CHECKING = "CHECKING", "Each line is being looked at; nothing is written yet"
    IMPORTING = "IMPORTING", "Clients are being written, a thousand lines at a time"
    CHECKED = "CHECKED", "All lines were looked at, and nothing was imported, as asked"
    IMPORTED = "IMPORTED", "It is done"
    REFUSED = "REFUSED", "Some lines are wrong, and nothing was imported, as asked"
    FAILED = "FAILED", "The file cannot be read: its one line says why"


FINISHED = (
    ClientImportStatus.CHECKED, ClientImportStatus.IMPORTED, ClientImportStatus.REFUSED, ClientImportStatus.FAILED,
)  # fmt: skip


class OnExistingClient(Coded):
    """What happens to a client who is there already, by the e-mail address."""

    SKIP = "SKIP", "They stay as they are"
    FILL = "FILL", "What is not known of them yet is taken from the file"
    OVERWRITE = "OVERWRITE", "What the file says takes the place of what is known; an empty cell takes nothing away"


class OnBrokenLine(Coded):
    """What happens where lines are wrong."""

    REFUSE = "REFUSE", "Nothing is imported"
    LEAVE_OUT = "LEAVE_OUT", "All others are imported"


class ClientImportField(Coded):
    """What a column of the file says of a client."""

    EMAIL = "EMAIL", "E-mail address"
    FIRST_NAME = "FIRST_NAME", "First name"
    LAST_NAME = "LAST_NAME", "Last name"
    COMPANY = "COMPANY", "Company"
    SIREN = "SIREN", "SIREN, or the SIRET of which it is a part"
    VAT_NUMBER = "VAT_NUMBER", "VAT number"
    PHONE = "PHONE", "Phone number; a national one is of the line's country, of France where it has none"
    ADDRESS = "ADDRESS", "Street"
    POSTAL_CODE = "POSTAL_CODE", "Postal code"
    CITY = "CITY", "Town"
    COUNTRY = "COUNTRY", "Country, by its code or its name in French or in English"
    LANGUAGE = "LANGUAGE", "Language, by its code or its name: French or English"
    DELIVERY_ADDRESS = "DELIVERY_ADDRESS", "Street of the delivery"
    DELIVERY_POSTAL_CODE = "DELIVERY_POSTAL_CODE", "Postal code of the delivery"
    DELIVERY_CITY = "DELIVERY_CITY", "Town of the delivery"
    DELIVERY_COUNTRY = "DELIVERY_COUNTRY", "Country of the delivery"
    CONSULTANT = "CONSULTANT", "Who looks after them: the e-mail address of a consultant, an admin or an owner"
    TAGS = "TAGS", "Tags, between commas or bars (`|`); those that are not there yet are made, and none is taken off"

    @property
    def column(self) -> str | None:
        """Of clients, where it holds what the file says; None where that names other rows."""
        return None if self in (self.CONSULTANT, self.TAGS) else self.value.lower()


class ClientImportProblem(Coded):
    """What is wrong with a file, with a line of it, or with a value."""

    EMPTY = "EMPTY", "The file has no line"
    LINE_TOO_LONG = "LINE_TOO_LONG", "A line is longer than a million characters: this is no CSV"
    TOO_MANY_LINES = "TOO_MANY_LINES", "The file has more than 200,000 lines"
    NO_EMAIL_COLUMN = "NO_EMAIL_COLUMN", "No column is known to hold e-mail addresses"
    TOO_MANY_COLUMNS = "TOO_MANY_COLUMNS", "The file has more than 1,000 columns"
    UNKNOWN_COLUMN = "UNKNOWN_COLUMN", "A column that was named is not in the file"
    COLUMN_TWICE = "COLUMN_TWICE", "Two columns are for the same"
    FILE_GONE = "FILE_GONE", "The file was kept for a week, and is gone"
    MALFORMED = "MALFORMED", "The quotation marks of the line do not match"
    TOO_MANY_CELLS = "TOO_MANY_CELLS", "The line has more cells than there are columns"
    MISSING = "MISSING", "There is no e-mail address"
    EMAIL = "EMAIL", "Not an e-mail address"
    PHONE = "PHONE", "Not a phone number"
    SIREN = "SIREN", "Not a SIREN"
    VAT_NUMBER = "VAT_NUMBER", "Not a VAT number of the European Union"
    COUNTRY = "COUNTRY", "Not a country"
    LANGUAGE = "LANGUAGE", "Neither French nor English"
    CONSULTANT = "CONSULTANT", "Not the address of a consultant, an admin or an owner of the organization"
    TOO_MANY_TAGS = "TOO_MANY_TAGS", "More than 20 tags, or more than 500 different ones down to this line"
    TOO_LONG = "TOO_LONG", "Longer than what is kept"
    CHARACTERS = "CHARACTERS", "Holds a character that no text has, or one that could not be read"
    FORMULA = "FORMULA", "A formula of a spreadsheet, not what it comes to"
    DISAGREES = "DISAGREES", "The VAT number is of another company than the SIREN"
    DUPLICATE = "DUPLICATE", "The same e-mail address as an earlier line"


class ClientImport(Owned):
    """Clients from a CSV file: first each line is looked at, then they are written, unless only that was asked."""

    filename = fields.CharField(200, description="What the file was called")
    file_id: UUID
    file: StoredFile = belongs_to("StoredFile", None, "How it is kept")
    status = fields.CharEnumField(
        ClientImportStatus, max_length=10, default=ClientImportStatus.PENDING, description="How far it is"
    )
    dry_run = fields.BooleanField(description="Whether lines are only looked at")
    on_existing = fields.CharEnumField(
        OnExistingClient, max_length=10, description="What happens to clients who are there already"
    )
    on_broken = fields.CharEnumField(OnBrokenLine, max_length=10, description="What happens where lines are wrong")
    mapping: Any = fields.JSONField(default=dict, description="What columns say, as asked, by heading")
    columns: Any = fields.JSONField(
        default=list, description="What each column was taken for, [heading, field or null]; none until it is read"
    )
    encoding = fields.CharField(20, null=True, description="How its characters are written; null until it is read")
    delimiter = fields.CharField(1, null=True, description="What stands between its cells; null until it is read")
    total = fields.IntField(default=0, description="How many lines there are, about, until all are read")
    done = fields.IntField(default=0, description="How many of them are looked at, or imported")
    created = fields.IntField(default=0, description="How many clients were made, or would be")
    updated = fields.IntField(default=0, description="How many clients were changed, or would be")
    unchanged = fields.IntField(default=0, description="How many clients were there already, and stayed as they are")
    broken = fields.IntField(default=0, description="How many lines are wrong")
    new_tags: Any = fields.JSONField(default=list, description="Tags that were made, or would be, by name")
    requested_by_id: UUID | None
    requested_by: Any = belongs_to("Membership", None, "Who asked for it; null for a server", null=True)
    finished_at = fields.DatetimeField(null=True, description="When it was done, refused or failed")

    class Meta:
        table = "client_imports"

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def percent(self) -> int:
        """How far it is, of 100; looking at the lines is the first half where they are written afterwards."""
        if self.is_finished:
            return 100
        part = min(99, 100 * self.done // self.total) if self.total else 0
        if self.dry_run:
            return part
        return (part + 100 * (self.status is ClientImportStatus.IMPORTING)) // 2


class ClientImportLine(Owned):
    """What is wrong with a line of an import."""

    client_import_id: UUID
    client_import: ClientImport = belongs_to("ClientImport", "lines", "The import")
    line = fields.IntField(description="Where it begins in the file; the first is 1")
    last_line = fields.IntField(description="Where it ends: values may go over several")
    heading = fields.CharField(100, null=True, description="The column, as the file calls it; null for all of the line")
    value = fields.CharField(100, null=True, description="What it says, cut")
    problem = fields.CharEnumField(ClientImportProblem, max_length=20, description="What is wrong")
    first_line = fields.IntField(null=True, description="Of what comes twice, the line where it comes first")

    class Meta:
        table = "client_import_lines"
