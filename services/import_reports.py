"""What was wrong with the lines of an import: in words, and as a list for spreadsheets."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from uuid import UUID

from models import ClientImport, ClientImportLine, ClientImportProblem, Language
from services import spreadsheets, tokens
from services.outside import outside

LINK_LIFE = timedelta(hours=24)
CONTENT_TYPE = "text/csv; charset=utf-8"
PAGE = 1000  # lines that are read at once

Problem = ClientImportProblem

# (French, English)
_SAID: Mapping[ClientImportProblem, tuple[str, str]] = {
    Problem.EMPTY: ("Le fichier est vide", "The file is empty"),
    Problem.LINE_TOO_LONG: (
        "Cette ligne dépasse un million de caractères : ce fichier n’est pas un CSV",
        "This line is longer than a million characters: this file is no CSV",
    ),
    Problem.TOO_MANY_LINES: (
        "Le fichier dépasse 200 000 lignes : envoyez-le en plusieurs fois",
        "The file has more than 200,000 lines: send it in several parts",
    ),
    Problem.NO_EMAIL_COLUMN: (
        "Aucune colonne d’adresses e-mail n’a été reconnue : indiquez laquelle c’est",
        "No column of e-mail addresses was recognized: name the one that it is",
    ),
    Problem.TOO_MANY_COLUMNS: (
        "Le fichier a plus de 1 000 colonnes : supprimez celles qui sont vides",
        "The file has more than 1,000 columns: delete those that are empty",
    ),
    Problem.UNKNOWN_COLUMN: ("Cette colonne n’est pas dans le fichier", "This column is not in the file"),
    Problem.COLUMN_TWICE: (
        "Une autre colonne est déjà indiquée pour la même chose",
        "Another column is named for the same already",
    ),
    Problem.FILE_GONE: (
        "Le fichier a été gardé une semaine, et n’existe plus : envoyez-le de nouveau",
        "The file was kept for a week, and is gone: send it again",
    ),
    Problem.MALFORMED: (
        "Les guillemets de cette ligne ne se correspondent pas",
        "The quotation marks of this line do not match",
    ),
    Problem.TOO_MANY_CELLS: (
        "Cette ligne a plus de cellules qu’il n’y a de colonnes",
        "This line has more cells than there are columns",
    ),
    Problem.MISSING: ("L’adresse e-mail manque", "The e-mail address is missing"),
    Problem.EMAIL: ("Ce n’est pas une adresse e-mail", "This is not an e-mail address"),
    Problem.PHONE: ("Ce n’est pas un numéro de téléphone", "This is not a phone number"),
    Problem.SIREN: (
        "Ce n’est pas un SIREN : neuf chiffres, dont le dernier est une clé",
        "This is not a SIREN: nine digits, the last of which is a check",
    ),
    Problem.VAT_NUMBER: (
        "Ce n’est pas un numéro de TVA de l’Union européenne",
        "This is not a VAT number of the European Union",
    ),
    Problem.COUNTRY: ("Ce n’est pas un pays", "This is not a country"),
    Problem.LANGUAGE: ("Ni français ni anglais", "Neither French nor English"),
    Problem.CONSULTANT: (
        "Aucun consultant, administrateur ou propriétaire n’a cette adresse e-mail",
        "No consultant, admin or owner has this e-mail address",
    ),
    Problem.TOO_MANY_TAGS: (
        "Plus de 20 étiquettes, ou plus de 500 différentes jusqu’à cette ligne : cette colonne en est-elle une"
        " d’étiquettes ?",
        "More than 20 tags, or more than 500 different ones down to this line: is this a column of tags?",
    ),
    Problem.TOO_LONG: ("C’est plus long que ce qui est gardé", "This is longer than what is kept"),
    Problem.CHARACTERS: (
        "Contient un caractère illisible : enregistrez le fichier en « CSV UTF-8 »",
        "Holds a character that cannot be read: save the file as “CSV UTF-8”",
    ),
    Problem.FORMULA: (
        "C’est une formule : collez plutôt sa valeur",
        "This is a formula: paste its value instead",
    ),
    Problem.DISAGREES: (
        "Le numéro de TVA est d’une autre entreprise que le SIREN",
        "The VAT number is of another company than the SIREN",
    ),
    Problem.DUPLICATE: (
        "Cette adresse e-mail est déjà à la ligne {first_line}",
        "This e-mail address is on line {first_line} already",
    ),
}
_HEADINGS = ("Ligne", "Jusqu’à la ligne", "Colonne", "Valeur", "Problème", "Problem")


def said(problem: ClientImportProblem, first_line: int | None, language: Language) -> str:
    """What is wrong, in words."""
    return _SAID[problem][language is Language.EN].format(first_line=first_line)


def link(client_import_id: UUID) -> str:
    """A public address of the list, good for 24 hours from now."""
    token, _ = tokens.sign(tokens.FILE, {"client_import": str(client_import_id)}, LINK_LIFE)
    return f"{outside().settings.app_url}/reports/{token}/rapport-import.csv"


async def of_link(token: str) -> ClientImport | None:
    """The import whose list a link opens; None for a link that is not ours or no longer good."""
    claims = tokens.read(tokens.FILE, token) or {}
    return await ClientImport.get_or_none(id=UUID(claims["client_import"])) if "client_import" in claims else None


async def lines(client_import: ClientImport) -> AsyncIterator[bytes]:
    """The list, in French and in English, in the order of the file. What people typed runs nowhere."""
    yield spreadsheets.BOM + spreadsheets.written(_HEADINGS)
    found = ClientImportLine.filter(client_import_id=client_import.id).order_by("line", "id").limit(PAGE)
    offset = 0
    while page := await found.offset(offset):
        yield b"".join(spreadsheets.written(_cells(line)) for line in page)
        offset += len(page)


def _cells(line: ClientImportLine) -> tuple[object, ...]:
    words = (said(line.problem, line.first_line, language) for language in Language)
    return line.line, line.last_line, line.heading, line.value, *words
