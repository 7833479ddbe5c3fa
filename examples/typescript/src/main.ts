// The demonstration's owner lists orders, makes one, starts its checkout, and sees it paid.
import { stdin, stdout } from "node:process";
import { createInterface } from "node:readline/promises";
import { ApiError } from "./api.ts";
import { CatalogueDocument, CheckoutStartDocument, OrderCreateDocument } from "./generated.ts";
import { follow, pages } from "./orders.ts";
import { signIn, type Session } from "./session.ts";

const API = process.env["COMPTOIR_URL"] ?? "http://127.0.0.1:8000/graphql";
const EMAIL = process.env["EMAIL"] ?? "owner@demo.test";
const PASSWORD = process.env["PASSWORD"] ?? "comptoir-demo";
const RETURN_URL = process.env["RETURN_URL"] ?? "http://127.0.0.1:8000/"; // where the client lands once paid

async function main(): Promise<void> {
  const session = await signIn(API, EMAIL, PASSWORD, askCode);
  console.log(`Signed in as ${EMAIL}`);
  for await (const page of pages(session, 2)) {
    for (const order of page) {
      console.log(`  ${order.number} ${order.status} ${order.total.formatted} ${order.client.email}`);
    }
  }
  const { id } = await makeOrder(session);
  await startCheckout(session, id);
  for await (const { happened, order } of follow(session, id)) {
    console.log(`  ${order?.status} ${happened.join(", ")}`);
    if (order?.status !== "OPEN") break;
  }
  try {
    await startCheckout(session, id);
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "CONFLICT")) throw error;
    console.log(`Not twice: ${error.message}`);
  }
}

async function askCode(): Promise<string> {
  const terminal = createInterface({ input: stdin, output: stdout });
  const code = await terminal.question("Code of your authenticator app: ");
  terminal.close();
  return code;
}

async function makeOrder(session: Session) {
  const { clients, products } = await session.request(CatalogueDocument, {});
  const [client] = clients.nodes;
  const [product] = products.nodes;
  if (!client || !product) throw new Error("There is nobody to sell to, or nothing to sell.");
  const input = {
    client: client.id,
    lines: [{ product: product.id, quantity: 1 }],
    idempotencyKey: crypto.randomUUID(), // sent again with it, where the answer was lost, the order is made once
  };
  return (await session.request(OrderCreateDocument, { input })).orderCreate.order;
}

async function startCheckout(session: Session, order: string): Promise<void> {
  const input = { order, successUrl: RETURN_URL };
  const { checkoutStart } = await session.request(CheckoutStartDocument, { input });
  switch (checkoutStart.__typename) {
    case "CheckoutStarted":
      return console.log(`Pay at ${checkoutStart.url} until ${checkoutStart.expiresAt}`);
    case "OrderCompleted":
      return console.log(`There was nothing to pay: order ${checkoutStart.orderNumber} is complete`);
  }
}

main().catch((error: unknown) => {
  if (!(error instanceof ApiError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
});
