"""What GraphiQL opens with: the five-minute tour of README."""

from engine.graphiql import Tab


def tabs(app_url: str) -> tuple[Tab, ...]:
    """The tour, for the installation at this address."""
    return (
        Tab(SIGN_IN, {"email": "owner@demo.test", "password": "comptoir-demo"}),  # the demonstration's owner
        Tab(CATALOGUE),
        Tab(ORDER, {"client": "", "product": ""}),
        Tab(CHECKOUT, {"order": "", "successUrl": f"{app_url}/"}),
        Tab(ORDERS),
        Tab(RESEND, {"notification": ""}),
        Tab(PAGES, {"after": None}),
    )


SIGN_IN = """# Run this first: the page remembers the token.
mutation SignIn($email: Email!, $password: String!) {
  signIn(input: { email: $email, password: $password }) {
    accessToken
    expiresAt
  }
}"""

CATALOGUE = """# Note the id of a product and of a client.
query Catalogue {
  me { role user { firstName } organization { name } }
  products {
    nodes { id name price { formatted } partners { name } }
  }
  clients {
    nodes { id email firstName lastName }
  }
}"""

ORDER = """# Put the two ids in the variables below.
mutation Order($client: ID!, $product: ID!) {
  orderCreate(input: {
    client: $client
    lines: [{ product: $product, quantity: 1 }]
  }) {
    order { id number status total { formatted } }
  }
}"""

CHECKOUT = """# Put the order's id in the variables, open the url, pay with 4242 4242 4242 4242.
mutation Checkout($order: ID!, $successUrl: URL!) {
  checkoutStart(input: { order: $order, successUrl: $successUrl }) {
    ... on CheckoutStarted { url expiresAt }
    ... on OrderCompleted { order { status } }
  }
}"""

ORDERS = """query Orders {
  orders(first: 5) {
    totalCount
    nodes {
      number
      status
      paidAt
      total { formatted }
      client { email }
      lines { description quantity unitPrice { formatted } }
      invoices { number pdfUrl emailedAt }
      notifications {
        id
        status
        nextAttemptAt
        partner { name }
        attempts { number statusCode durationMs }
      }
    }
  }
}"""

RESEND = """# A partner who failed, or is to be tried later, is told at once.
mutation Resend($notification: ID!) {
  notificationResend(input: { notification: $notification }) {
    notification { status attempts { number statusCode } }
  }
}"""

PAGES = """# Lists come in pages, filtered and sorted. Put endCursor into the variables for the next one.
query Pages($after: String) {
  orders(
    first: 2
    after: $after
    filter: { status: [PAID, OPEN], total: { least: 100 } }
    orderBy: { field: TOTAL, direction: DESC }
  ) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { number total { formatted } client { displayName orders(first: 3) { totalCount } } }
  }
}"""
