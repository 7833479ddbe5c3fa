// Orders: all of them, page by page, and one of them as it changes.
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Client } from "graphql-ws";
import { ApiError, type Refusal } from "./api.ts";
import {
  OrderChangedDocument,
  OrdersDocument,
  type OrderChangedSubscription,
  type OrdersQuery,
  type OrderSummaryFragment,
} from "./generated.ts";
import type { Session } from "./session.ts";

const TRIES = 6; // in a row, to connect
const SIGN_IN_AGAIN = 4403; // closed with this: the token is no longer good

/** All orders, newest first, `first` at a time: the next page is asked for when it is needed. */
export async function* pages(session: Session, first: number): AsyncGenerator<OrderSummaryFragment[]> {
  let after: string | null = null;
  do {
    const { orders }: OrdersQuery = await session.request(OrdersDocument, { first, after });
    yield orders.nodes;
    after = orders.pageInfo.hasNextPage ? orders.pageInfo.endCursor : null;
  } while (after !== null);
}

/** How an order is now, and whenever something happens to it; also what happened while the connection was lost. */
export async function* follow(
  session: Session,
  id: string,
): AsyncGenerator<OrderChangedSubscription["orderChanged"]> {
  let after: string | undefined;
  let refused: string | undefined;
  for (let failures = 0; failures < TRIES; failures++) {
    const token = await session.accessToken(refused);
    const client = connection(session.url, token);
    const query = OrderChangedDocument.toString();
    try {
      for await (const { data } of client.iterate<OrderChangedSubscription>({ query, variables: { id, after } })) {
        if (!data) continue;
        after = data.orderChanged.cursor;
        failures = 0;
        yield data.orderChanged;
      }
      return; // nobody sees it any more
    } catch (error) {
      const code = codeOf(error);
      refused = code === "UNAUTHENTICATED" ? token : undefined;
      if (code === "EXPIRED") after = undefined; // lost for more than a day: begin anew
    }
    await sleep(Math.random() * 1000 * 2 ** failures); // not all at once
  }
  throw new TypeError("The connection was lost, and could not be made again.");
}

/** One whose loss is told, to be made again from where it was lost. */
function connection(url: string, token: string): Client {
  let unanswered: NodeJS.Timeout;
  const client = createClient({
    url: url.replace("http", "ws"),
    connectionParams: { authorization: `Bearer ${token}` },
    connectionAckWaitTimeout: 10_000,
    retryAttempts: 0,
    keepAlive: 20_000,
    on: {
      ping: (received) => {
        if (!received) unanswered = setTimeout(() => client.terminate(), 10_000);
      },
      pong: (received) => {
        if (received) clearTimeout(unanswered);
      },
      closed: () => clearTimeout(unanswered),
    },
  });
  return client;
}

/** Why there are no more events; undefined where the connection was lost. Throws what trying again does not help. */
function codeOf(error: unknown): ApiError["code"] | undefined {
  if (Array.isArray(error)) {
    const refusal = new ApiError(error[0] as Refusal);
    if (refusal.code === "UNAUTHENTICATED" || refusal.code === "EXPIRED") return refusal.code;
    throw refusal;
  }
  return (error as { code?: unknown }).code === SIGN_IN_AGAIN ? "UNAUTHENTICATED" : undefined;
}
