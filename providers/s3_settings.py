"""Which bucket documents are kept in: the installation's, by its settings, or an organization's, by its form."""

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

from providers.offers import Words, asked

Addressing = Literal["auto", "path", "virtual"]


class Credentials(BaseModel):
    """`endpoint_url`: a store other than Amazon's. `prefix` begins each key, without slashes around it.

    `addressing`: whether the path or the host of addresses names the bucket; "auto": the host, at Amazon.
    """

    model_config = ConfigDict(frozen=True)

    bucket: str | None
    region: str = "eu-west-3"
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: SecretStr | None = None
    prefix: str = ""
    addressing: Addressing = "auto"


class OwnBucket(Credentials):
    """The bucket of an organization: what its form asks for."""

    bucket: str = asked(
        Words("Bucket", "Bucket"),
        Words("Où les documents sont déposés.", "Where documents are kept."),
        where=Words(
            "Console du fournisseur → S3 / Object Storage → nom du bucket.",
            "Your provider's console → S3 / Object Storage → the bucket's name.",
        ),
        pattern=r"^[A-Za-z0-9._-]{1,255}$",
    )
    region: str = asked(
        Words("Région", "Region"),
        Words("Région du bucket.", "The bucket's region."),
        where=Words("À côté du nom du bucket : eu-west-3, fr-par, gra…", "Beside its name: eu-west-3, fr-par, gra…"),
        default="eu-west-3",
        pattern=r"^[a-z0-9-]{1,40}$",
    )
    endpoint_url: str | None = asked(
        Words("Adresse du service", "Service address"),
        Words(
            "Seulement hors d'Amazon : OVHcloud, Scaleway, MinIO…", "Only outside Amazon: OVHcloud, Scaleway, MinIO…"
        ),
        where=Words(
            "« Endpoint » dans la console : https://s3.fr-par.scw.cloud",
            "“Endpoint” in the console: https://s3.fr-par.scw.cloud",
        ),
        default=None,
        max_length=500,
        pattern=r"^https?://[^/?#@\s]+/?$",
    )
    access_key_id: str = asked(
        Words("Identifiant de clé", "Access key ID"),
        Words("D'un compte qui peut lister, lire et écrire.", "Of an account that may list, read and write."),
        where=Words(
            "AWS : IAM → Utilisateurs → Informations d'identification de sécurité. Droits : s3:ListBucket,"
            " s3:GetObject, s3:PutObject.",
            "AWS: IAM → Users → Security credentials. Rights: s3:ListBucket, s3:GetObject, s3:PutObject.",
        ),
        min_length=1,
        max_length=200,
    )
    secret_access_key: SecretStr = asked(
        Words("Clé secrète", "Secret access key"),
        Words("De cet identifiant.", "Of that key."),
        where=Words("Montrée une seule fois, à la création de la clé.", "Shown once, when the key is made."),
        min_length=1,
        max_length=500,
    )
    prefix: str = asked(
        Words("Dossier", "Folder"),
        Words(
            "Début du nom de chaque document, sans barre oblique autour.", "Begins each key, without slashes around it."
        ),
        where=Words("À vous de choisir.", "Yours to choose."),
        default="",
        pattern=r"^([^/\s][^\s]{0,198}[^/\s]|[^/\s])?$",
    )
    addressing: Addressing = asked(
        Words("Adressage", "Addressing"),
        Words("auto convient presque toujours.", "auto fits almost always."),
        where=Words("Dans l'aide du fournisseur : « path-style ».", "In your provider's help: “path-style”."),
        default="auto",
    )


class S3Settings(Protocol):
    """The settings that say which bucket: `S3_BUCKET` and its kin."""

    @property
    def s3_bucket(self) -> str | None: ...
    @property
    def s3_region(self) -> str: ...
    @property
    def s3_endpoint_url(self) -> str | None: ...
    @property
    def s3_access_key_id(self) -> str | None: ...
    @property
    def s3_secret_access_key(self) -> SecretStr | None: ...
    @property
    def s3_prefix(self) -> str: ...
    @property
    def s3_addressing(self) -> Addressing: ...
