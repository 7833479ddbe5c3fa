// Signing in, and staying so.
import { ApiError, request } from "./api.ts";
import {
  SecondFactorVerifyDocument,
  SessionRefreshDocument,
  SignInDocument,
  type TokensFragment,
  type TypedDocumentString,
} from "./generated.ts";

const EARLY = 30_000; // ms before its end in which an access token is not used any more

/** Of a person who is signed in: sends their access token, and asks for the next one when it ends. */
export class Session {
  readonly url: string;
  #tokens: TokensFragment;
  #refreshing: Promise<void> | undefined;

  constructor(url: string, tokens: TokensFragment) {
    this.url = url;
    this.#tokens = tokens;
  }

  /** What an operation gives. Throws as `request` does; UNAUTHENTICATED means that the session is over. */
  async request<Data, Variables>(
    document: TypedDocumentString<Data, Variables>,
    variables: Variables,
  ): Promise<Data> {
    const token = await this.accessToken();
    try {
      return await request(this.url, document, variables, token);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "UNAUTHENTICATED")) throw error;
      return await request(this.url, document, variables, await this.accessToken(token));
    }
  }

  /** One that is good. `refused` is one that the API does not take any more. */
  async accessToken(refused?: string): Promise<string> {
    if (this.#tokens.accessToken === refused || Date.parse(this.#tokens.expiresAt) - Date.now() < EARLY) {
      // A refresh token is good once: whoever comes meanwhile waits for the same answer.
      this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
      await this.#refreshing;
    }
    return this.#tokens.accessToken;
  }

  async #refresh(): Promise<void> {
    const input = { refreshToken: this.#tokens.refreshToken };
    const { sessionRefresh } = await request(this.url, SessionRefreshDocument, { input });
    this.#tokens = tokensOf(sessionRefresh);
  }
}

/** Sign in; `askCode` gives a code of the person's authenticator app, where they have one. Throws as `request` does. */
export async function signIn(
  url: string,
  email: string,
  password: string,
  askCode: () => Promise<string>,
): Promise<Session> {
  const { signIn } = await request(url, SignInDocument, { input: { email, password } });
  if (signIn.__typename !== "SecondFactorRequired") return new Session(url, tokensOf(signIn));
  const input = { challenge: signIn.challenge, code: await askCode() };
  const { secondFactorVerify } = await request(url, SecondFactorVerifyDocument, { input });
  return new Session(url, tokensOf(secondFactorVerify));
}

/** Cookies come only to who asks for them with `byCookie: true`. */
function tokensOf(signedIn: ({ __typename: "SignedIn" } & TokensFragment) | { __typename: "SignedInByCookie" }) {
  if (signedIn.__typename === "SignedIn") return signedIn;
  throw new TypeError("The tokens came in cookies.");
}
