// Orders: all of them, page by page.
import { OrdersDocument, type OrdersQuery, type OrderSummaryFragment } from "./generated.ts";
import type { Session } from "./session.ts";

/** All orders, newest first, `first` at a time: the next page is asked for when it is needed. */
export async function* pages(session: Session, first: number): AsyncGenerator<OrderSummaryFragment[]> {
  let after: string | null = null;
  do {
    const { orders }: OrdersQuery = await session.request(OrdersDocument, { first, after });
    yield orders.nodes;
    after = orders.pageInfo.hasNextPage ? orders.pageInfo.endCursor : null;
  } while (after !== null);
}
