"""Who has access to what at Google's stand-in: service accounts, people's consents, and the tokens they gave."""

import secrets
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.google_books import GoogleBooks, Json
from sandbox.google_errors import GoogleError, OAuthError

ACCESS_LIFE = 3599  # seconds, of an access token
CODE_LIFE = 600
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://oauth2.googleapis.com/token"
SERVICE_ACCOUNT = "comptoir@sandbox.iam.gserviceaccount.com"


class Principal(NamedTuple):
    """Who calls. `alone`: a service account that acts for nobody."""

    email: str
    scopes: frozenset[str]
    alone: bool = False


class GooglePeople:
    """`rotates`: whether each refresh gives a new refresh token and ends the one before."""

    def __init__(self, books: GoogleBooks) -> None:
        self.rotates = False
        self._books = books
        self._store = books.store

    def service_account(self, email: str = SERVICE_ACCOUNT, private_key: str | None = None) -> str:
        """Know a service account; gives its private key (PEM), made here unless it is given."""
        if private_key is None:
            made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            private_key = made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode()
        loaded = serialization.load_pem_private_key(private_key.replace("\\n", "\n").encode(), None)
        public = loaded.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        before = self._store.get("google_service", email) or {"delegated": False}
        self._store.put("google_service", email, before | {"email": email, "public_key": public.decode()})
        return private_key

    def service_accounts(self) -> list[Json]:
        return self._store.all("google_service")

    def delegate(self, email: str = SERVICE_ACCOUNT, *, delegated: bool = True) -> None:
        """Let a service account act for anybody of the domain, or no more."""
        found = self._store.get("google_service", email)
        if found is None:
            raise ValueError(f"There is no service account {email}")
        self._store.put("google_service", email, found | {"delegated": delegated})

    def consent(self, email: str, asked: dict[str, str], scopes: list[str]) -> str:
        """Agree, as a person on the page does; gives the code that the client exchanges."""
        code = f"4/0{secrets.token_urlsafe(40)}"
        kept = {name: asked.get(name, "") for name in ("client_id", "redirect_uri", "code_challenge", "access_type")}
        method = asked.get("code_challenge_method") or "plain"
        known = self._store.get("google_grant", _grant_id(kept["client_id"], email))
        again = known is None or asked.get("prompt") == "consent"
        thing = kept | {"method": method, "email": email, "scopes": scopes, "refreshable": again}
        self._store.put("google_code", code, thing | {"expires": self._books.clock() + CODE_LIFE})
        return code

    def grants(self) -> list[Json]:
        """What people agreed to and did not take back."""
        return self._store.all("google_grant")

    def forget_consent(self, client_id: str, email: str) -> None:
        """Take an agreement back: its tokens are good for nothing any more."""
        grant = _grant_id(client_id, email)
        for kind in ("google_token", "google_refresh"):
            for thing in self._store.all(kind, [("grant", "=", grant)]):
                self._store.drop(kind, thing["token"])
        self._store.drop("google_grant", grant)

    def expire_access_tokens(self) -> None:
        """As if their hour were over."""
        self._store.forget("google_token")

    def exchange(self, form: dict[str, str]) -> Json:
        """The token endpoint: what is answered to a form. Raises OAuthError."""
        kinds = {"authorization_code": self._by_code, "refresh_token": self._by_refresh, JWT_GRANT: self._by_jwt}
        kind = kinds.get(form.get("grant_type", ""))
        if kind is None:
            raise OAuthError("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
        return kind(form)

    def revoke(self, token: str) -> None:
        """RFC 7009, of either kind of token; the whole agreement ends with it. Raises OAuthError."""
        found = self._store.get("google_refresh", token) or self._store.get("google_token", token)
        if found is None:
            raise OAuthError("invalid_token", "Token expired or revoked")
        if found["grant"]:
            self.forget_consent(found["client_id"], found["email"])
        else:
            self._store.drop("google_token", token)

    def principal(self, authorization: str) -> Principal:
        """Raises GoogleError (401) for a token that is none, or no more."""
        scheme, _, token = authorization.partition(" ")
        found = self._store.get("google_token", token) if scheme.lower() == "bearer" else None
        if found is None or found["expires"] <= self._books.clock():
            raise GoogleError(401, "authError", "Invalid Credentials")
        return Principal(found["email"], frozenset(found["scopes"]), found["alone"])

    def access_token(self, email: str, *, scopes: list[str] | None = None) -> str:
        """One of a person, without the pages."""
        return str(self._issued(email, scopes or ["https://www.googleapis.com/auth/calendar"])["access_token"])

    def _by_code(self, form: dict[str, str]) -> Json:
        client_id = self._client(form)
        code = form.get("code", "")
        found = self._store.get("google_code", code)
        if found is None or found["expires"] <= self._books.clock() or found["client_id"] != client_id:
            raise OAuthError("invalid_grant", "Malformed auth code.")
        self._store.drop("google_code", code)  # good for one try, whatever comes of it
        if found["redirect_uri"] != form.get("redirect_uri"):
            raise OAuthError("redirect_uri_mismatch", "Bad Request")
        if found["code_challenge"] and found["code_challenge"] != _challenge(
            form.get("code_verifier", ""), found["method"]
        ):
            raise OAuthError("invalid_grant", "Invalid code verifier.")
        grant = _grant_id(client_id, found["email"])
        self._store.put(
            "google_grant", grant, {"client_id": client_id, "email": found["email"], "scopes": found["scopes"]}
        )
        answer = self._issued(found["email"], found["scopes"], client_id=client_id, grant=grant)
        if found["access_type"] == "offline" and found["refreshable"]:
            answer["refresh_token"] = self._refresh(client_id, grant, found)
        return answer

    def _by_refresh(self, form: dict[str, str]) -> Json:
        client_id = self._client(form)
        found = self._store.get("google_refresh", form.get("refresh_token", ""))
        if found is None or found["client_id"] != client_id:
            raise OAuthError("invalid_grant", "Token has been expired or revoked.")
        answer = self._issued(found["email"], found["scopes"], client_id=client_id, grant=found["grant"])
        if self.rotates:
            self._store.drop("google_refresh", found["token"])
            answer["refresh_token"] = self._refresh(client_id, found["grant"], found)
        return answer

    def _by_jwt(self, form: dict[str, str]) -> Json:
        """RFC 7523: signed by the service account's key; `sub` only where the domain delegates."""
        assertion = form.get("assertion", "")
        try:
            claimed = jwt.decode(assertion, options={"verify_signature": False}).get("iss", "")
            account = self._store.get("google_service", claimed)
            if account is None:
                raise OAuthError("invalid_grant", "Invalid grant: account not found")
            # By the machine's clock, which the client signs by too.
            audiences = [AUDIENCE, f"{self._books.url}/token"]
            claims = jwt.decode(assertion, account["public_key"], ["RS256"], audience=audiences, leeway=60)
        except jwt.InvalidSignatureError:
            raise OAuthError("invalid_grant", "Invalid JWT Signature.") from None
        except jwt.PyJWTError as error:
            raise OAuthError("invalid_grant", f"Invalid JWT: {error}") from None
        if claims["exp"] - claims.get("iat", time.time()) > 3600:
            raise OAuthError("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes).")
        scopes = claims.get("scope", "").split()
        if not scopes:
            raise OAuthError("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        subject = claims.get("sub")
        if subject and subject != account["email"]:
            if not account["delegated"]:
                message = "Client is unauthorized to retrieve access tokens using this method."
                raise OAuthError("unauthorized_client", message, status=401)
            return self._issued(subject, scopes)
        return self._issued(account["email"], scopes, alone=True)

    def _client(self, form: dict[str, str]) -> str:
        """Any client of Google's kind, by a secret of Google's kind. Raises OAuthError."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        if not client_id.endswith(".apps.googleusercontent.com"):
            raise OAuthError("invalid_client", "The OAuth client was not found.", status=401)
        if not secret.startswith("GOCSPX-"):
            raise OAuthError("invalid_client", "Unauthorized", status=401)
        return client_id

    def _issued(
        self, email: str, scopes: list[str], *, client_id: str = "", grant: str = "", alone: bool = False
    ) -> dict[str, Any]:
        token = f"ya29.{secrets.token_urlsafe(40)}"
        thing = {
            "token": token,
            "email": email,
            "scopes": scopes,
            "client_id": client_id,
            "grant": grant,
            "alone": alone,
        }
        self._store.put("google_token", token, thing | {"expires": self._books.clock() + ACCESS_LIFE})
        return {"access_token": token, "expires_in": ACCESS_LIFE, "scope": " ".join(scopes), "token_type": "Bearer"}

    def _refresh(self, client_id: str, grant: str, of: Json) -> str:
        token = f"1//0{secrets.token_urlsafe(40)}"
        thing = {"token": token, "client_id": client_id, "grant": grant, "email": of["email"], "scopes": of["scopes"]}
        self._store.put("google_refresh", token, thing)
        return token


def _grant_id(client_id: str, email: str) -> str:
    return f"{client_id} {email}"


def _challenge(verifier: str, method: str) -> str:
    """RFC 7636 4.6."""
    if method == "plain":
        return verifier
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
