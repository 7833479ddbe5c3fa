"""What tests ask in GraphQL, in the words of `tests/shop.py`."""

SIGN_IN = """mutation ($input: SignInInput!) {
  signIn(input: $input) {
    __typename
    ... on SignedIn { accessToken expiresAt refreshToken sessionExpiresAt }
    ... on SignedInByCookie { expiresAt sessionExpiresAt }
    ... on SecondFactorRequired { challenge expiresAt }
  }
}"""

CHECKOUT = """mutation ($input: CheckoutStartInput!) {
  checkoutStart(input: $input) {
    __typename
    ... on CheckoutStarted { url expiresAt amount { amount currency } order { id number } }
    ... on OrderCompleted { order { id status } }
  }
}"""

INTENT = """mutation ($input: PaymentIntentStartInput!) {
  paymentIntentStart(input: $input) {
    __typename
    ... on PaymentIntentStarted { clientSecret publishableKey amount { amount currency } order { id number } }
    ... on OrderCompleted { order { id status } }
  }
}"""

CODE = """mutation ($input: DiscountCodeCreateInput!) {
  discountCodeCreate(input: $input) { discountCode { id code name redemptions active } }
}"""

SEEN = """
  id number status source paidAt canceledAt cancelReason live payUrl client { id email firstName lastName phone }
  subtotal { amount } discount { amount } discountReason discountCode { code redemptions }
  total { amount currency formatted } deposit { amount } paid { amount } balance { amount }
  lines {
    position description quantity unitPrice { amount } discount { amount } share { amount } total { amount }
    product { id name }
  }
  payments {
    id method status amount { amount currency } applied { amount } reference failureCode failureMessage stripeId paidAt
  }
  invoices {
    id type number net { amount } vat { amount } total { amount } dueOn settledAt pdfUrl emailedAt partner { slug }
  }
  notifications {
    id status webhookId eventId attemptsLeft partner { slug }
    attempts { number statusCode accepted error response durationMs }
  }
  reminders { number dueAt sentAt }
  conflicts { id kind message proposal proposed { amount } }
"""

ORDER = f"query ($id: ID!) {{ order(id: $id) {{ {SEEN} }} }}"


def mutation(action: str) -> str:
    """That does something with an order, and shows it: `orderInvoice`."""
    kind = action[0].upper() + action[1:]
    return f"mutation ($input: {kind}Input!) {{ {action}(input: $input) {{ order {{ {SEEN} }} }} }}"


def changing(kind: str) -> str:
    """That changes something of a kind: `organization`."""
    named = kind[0].upper() + kind[1:]
    return f"mutation ($input: {named}UpdateInput!) {{ {kind}Update(input: $input) {{ {kind} {{ id }} }} }}"
