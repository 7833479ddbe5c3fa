"""What GraphiQL opens with: the five-minute tour of README."""

from engine.graphiql import Tab

TABS = (
    Tab(
        """# The demonstration's owner. Run this first: the page remembers the token.
mutation SignIn($email: Email!, $password: String!) {
  signIn(input: { email: $email, password: $password }) { accessToken expiresAt }
}""",
        {"email": "owner@demo.test", "password": "comptoir-demo"},
    ),
    Tab(
        """query Catalogue {
  me { role user { firstName } organization { name } }
  products { nodes { id name price { formatted } partners { name } } }
  clients { nodes { id email firstName lastName } }
}"""
    ),
    Tab(
        """mutation Order($client: ID!, $product: ID!) {
  orderCreate(input: { client: $client, lines: [{ product: $product, quantity: 1 }] }) {
    order { id number status total { formatted } }
  }
}""",
        {"client": "", "product": ""},
    ),
    Tab(
        """# Open the url in a new tab and pay with 4242 4242 4242 4242.
mutation Checkout($order: ID!, $successUrl: URL!) {
  checkoutStart(input: { order: $order, successUrl: $successUrl }) {
    ... on CheckoutStarted { url expiresAt }
    ... on OrderCompleted { order { status } }
  }
}""",
        {"order": "", "successUrl": "http://127.0.0.1:8000/"},
    ),
    Tab(
        """query Orders {
  orders(first: 5) {
    nodes {
      number status paidAt total { formatted } client { email }
      lines { description quantity unitPrice { formatted } }
      invoices { number pdfUrl emailedAt }
      notifications { status partner { name } attempts { number statusCode durationMs } }
    }
  }
}"""
    ),
)
