"""The API's refusals, in French for who buys."""

BY_FIELD = {
    "email": "Cette adresse e-mail n’est pas valable.",
    "firstName": "Ce prénom n’est pas valable.",
    "lastName": "Ce nom n’est pas valable.",
    "product": "Ce produit n’est plus en vente.",
    "quantity": "Cette quantité n’est pas possible.",
    "discountCode": "Ce code de réduction n’est pas valable, ou ne l’est plus.",
}
BY_CODE = {
    "UNAUTHENTICATED": "La boutique n’a pas pu se connecter à Comptoir.",
    "FORBIDDEN": "La boutique n’a pas le droit de faire cela.",
    "NOT_FOUND": "Introuvable : cela n’existe pas, ou n’existe plus.",
    "INVALID": "Un des renseignements n’est pas valable.",
    "CONFLICT": "Ce n’est plus possible dans l’état actuel de la commande.",
    "LIMITED": "Trop de demandes en peu de temps. Patientez un instant, puis réessayez.",
    "NOT_CONFIGURED": "La boutique ne peut pas encore vendre : il manque un réglage à Comptoir.",
    "UNAVAILABLE": "Un service extérieur ne répond pas. Rien n’est perdu : réessayez dans un instant.",
    "INTERNAL": "Comptoir a rencontré une erreur. Réessayez dans un instant.",
}


def sentence(code: str, field: str = "") -> str:
    """`sentence("INVALID", "input.lines.0.quantity")` → `Cette quantité n’est pas possible.`"""
    blamed = field.rpartition(".")[2] if code in ("INVALID", "NOT_FOUND", "CONFLICT") else ""
    return BY_FIELD.get(blamed) or BY_CODE.get(code) or BY_CODE["INTERNAL"]
