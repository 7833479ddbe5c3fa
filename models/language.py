"""Languages that documents and letters are written in."""

from models.fields import Coded


class Language(Coded):
    """What a client reads. French is always enough in law; its terms stand in English documents too."""

    FR = "FR", "French"
    EN = "EN", "English, French legal terms beside"
