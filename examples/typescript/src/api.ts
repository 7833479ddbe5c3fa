// One request to the API, and what it refuses.
import type { ErrorCode, TypedDocumentString } from "./generated.ts";

const TIMEOUT = 30_000; // ms

/** A refusal of the API's: act on its code, show its message, blame its field. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  /** The part of the input to blame: `input.order`. */
  readonly field: string | undefined;
  /** In how many seconds to try again, where that helps. */
  readonly retryAfter: number | undefined;

  constructor({ message, extensions }: Refusal) {
    super(message);
    this.code = extensions.code;
    this.field = extensions.field;
    this.retryAfter = extensions.retryAfter;
  }
}

export interface Refusal {
  message: string;
  extensions: { code: ErrorCode; field?: string; retryAfter?: number };
}

/** What an operation gives. Throws ApiError, and TypeError or TimeoutError where nobody answers. */
export async function request<Data, Variables>(
  url: string,
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  accessToken?: string,
): Promise<Data> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "Accept": "application/graphql-response+json, application/json;q=0.9",
      "Content-Type": "application/json",
      ...(accessToken === undefined ? {} : { Authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify({ query: document.toString(), variables }),
    signal: AbortSignal.timeout(TIMEOUT),
  });
  if (!response.headers.get("Content-Type")?.includes("json")) {
    throw new TypeError(`No answer of the API's but ${response.status} ${response.statusText}`);
  }
  const answer = (await response.json()) as { data?: Data; errors?: [Refusal, ...Refusal[]] };
  if (answer.errors) throw new ApiError(answer.errors[0]);
  return answer.data as Data;
}
