"""What GraphiQL opens with: the five-minute tour of README, then the sales that are less simple."""

from datetime import UTC, datetime, timedelta

from engine.graphiql import Tab
from resolvers import bilan_examples


def tabs(app_url: str, sandbox_url: str | None, *, smtp_port: int = 587) -> tuple[Tab, ...]:
    """The tour, for the installation at this address. An empty variable is for the reader to fill."""
    return (
        Tab(SIGN_IN, {"email": "owner@demo.test", "password": "comptoir-demo"}),  # the demonstration's owner
        Tab(CATALOGUE),
        Tab(ORDER, {"client": "", "product": "", "code": "BIENVENUE10"}),
        Tab(CHECKOUT, {"order": "", "successUrl": f"{app_url}/"}),
        Tab(ORDERS),
        Tab(RESEND, {"notification": ""}),
        Tab(PARTNERS),
        Tab(TEST, {"partner": ""}),
        Tab(PREVIEW, {"notification": ""}),
        Tab(REPLAY, {"partner": "", "since": f"{datetime.now(UTC).date()}T00:00:00Z"}),
        Tab(FOLLOW),
        Tab(DEPOSIT, {"client": "", "product": ""}),
        Tab(INTENT.format(form=f"{sandbox_url or app_url}/pay-intent/<clientSecret>"), {"order": ""}),
        Tab(INVOICE, {"order": ""}),
        Tab(RECORD, {"order": "", "amount": {"amount": 2000}}),
        Tab(REFUND, {"payment": "", "reason": "Séance annulée."}),
        Tab(CREDIT_NOTE, {"invoice": "", "reason": "Geste commercial."}),
        Tab(REFUNDS),
        Tab(SAMPLE, {"brandColor": "#1f4e5f"}),
        Tab(QUOTE, {"quote": ""}),
        Tab(TICKETS, {"ticket": "", "body": "C'est fait."}),
        Tab(CLIENTS, {"text": "lefevre"}),
        Tab(IMPORTS),
        Tab(TIMELINE, {"client": ""}),
        Tab(DATA, {"client": ""}),
        Tab(DATA_FETCH, {"clientDataExport": ""}),
        Tab(PAYMENT_LINK, {"opportunity": ""}),
        Tab(PORTAL_LINK, {"client": ""}),
        Tab(PORTAL, headers=BY_LINK),
        Tab(PORTAL_ASK, {"subject": "Ma facture", "body": "Où la trouver ?"}, headers=BY_LINK),
        Tab(PORTAL_BOOK, {"service": "", "startsAt": ""}, headers=BY_LINK),
        Tab(PORTAL_PAY, {"order": ""}, headers=BY_LINK),
        Tab(EXPORT),
        Tab(AVAILABILITY, {"service": "", "from": _midnight(1), "to": _midnight(15)}),
        Tab(BOOK, {"service": "", "client": "", "startsAt": ""}),
        Tab(MOVE, {"booking": "", "startsAt": ""}),
        Tab(CANCEL_BOOKING, {"booking": "", "reason": "Empêchement."}),
        Tab(FEED, {"staff": ""}),
        Tab(CONSENT),
        Tab(CONSENTED, {"code": "", "state": ""}),
        Tab(CONNECT, {"staff": "", "oauthGrant": "", "remoteId": "consultant@demo.test"}),
        Tab(CALENDARS),
        Tab(bilan_examples.BILANS),
        Tab(
            bilan_examples.SESSION,
            {
                "bilan": "",
                "phase": "PRELIMINARY",
                "startsAt": _midnight(-1),
                "endsAt": _midnight(-1).replace("T00", "T02"),
            },
        ),
        Tab(bilan_examples.DOCUMENTS),
        Tab(bilan_examples.OPEN, {"document": ""}),
        Tab(bilan_examples.QUALITY, {"from": _midnight(-365)[:10], "to": _midnight(0)[:10]}),
        Tab(
            bilan_examples.PROOF,
            {"indicator": 25, "title": "Journée d'étude sur l'entretien", "happenedOn": _midnight(-7)[:10]},
        ),
        Tab(bilan_examples.AUDITOR, {"from": _midnight(-365)[:10], "to": _midnight(0)[:10]}),
        Tab(INTEGRATIONS),
        Tab(
            OWN_MAIL,
            {"values": {"host": "127.0.0.1", "port": smtp_port, "security": "none", "sender": "bonjour@demo.test"}},
        ),
        Tab(SUBSCRIPTIONS),
        Tab(CANCEL, {"subscription": ""}),
        Tab(CONFLICTS),
        Tab(RESOLVE, {"conflict": "", "resolution": "Virement rendu le 12, par la banque."}),
        Tab(RECONCILIATIONS),
        Tab(PAGES, {"after": None}),
        Tab(AUDIT),
    )


def _midnight(days: int, *, hour: int = 0) -> str:
    """UTC, so many days from now, or an hour of that day."""
    return f"{datetime.now(UTC).date() + timedelta(days=days)}T{hour:02}:00:00Z"


SIGN_IN = """# Run this first: the page remembers the token.
mutation SignIn($email: Email!, $password: String!) {
  signIn(input: { email: $email, password: $password }) {
    ... on SignedIn { accessToken expiresAt }
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
  discountCodes {
    nodes { code name percent redemptions redemptionsMost }
  }
}"""

ORDER = """# Put the two ids in the variables below. No code: null.
mutation Order($client: ID!, $product: ID!, $code: String) {
  orderCreate(input: {
    client: $client
    lines: [{ product: $product, quantity: 1 }]
    discountCode: $code
  }) {
    order {
      id
      number
      status
      subtotal { formatted }
      discount { formatted }
      total { formatted }
      payUrl # for a letter to the client: it stays good
    }
  }
}"""

CHECKOUT = """# Put the order's id in the variables, open the url, pay with 4242 4242 4242 4242.
mutation Checkout($order: ID!, $successUrl: URL!) {
  checkoutStart(input: { order: $order, successUrl: $successUrl }) {
    ... on CheckoutStarted { url amount { formatted } expiresAt }
    ... on OrderCompleted { orderNumber }
  }
}"""

ORDERS = """query Orders {
  orders(first: 5) {
    totalCount
    nodes {
      id
      number
      status
      paidAt
      total { formatted }
      balance { formatted }
      client { email }
      lines { description quantity unitPrice { formatted } }
      payments { id method status amount { formatted } }
      invoices { id number type pdfUrl emailedAt }
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

PARTNERS = """# How telling each partner goes, at its staging (live: false) and its production address.
query Partners {
  partners {
    nodes {
      id name retryPolicy maxPerMinute breakerThreshold previousSecretUntil
      endpoints { id live breaker failures heldUntil disabledAt disabledReason toldAt }
    }
  }
}"""

TEST = """# A signed event `test` to a partner's staging address. The sandbox's partner page shows what came.
mutation Test($partner: ID!) {
  partnerTest(input: { partner: $partner }) { accepted statusCode error response durationMs }
}"""

PREVIEW = """# The exact request by which a partner would be told now. Nothing is sent.
mutation Preview($notification: ID!) {
  notificationPreview(input: { notification: $notification }) { request { url headers { name value } body } }
}"""

REPLAY = """# After a partner's outage: what failed since then is sent again, a round at a time.
mutation Replay($partner: ID!, $since: DateTime!) {
  notificationsReplay(input: { partner: $partner, live: false, since: $since }) {
    notificationReplay { total replayed finishedAt }
  }
}"""

FOLLOW = """# Leave it running, and sell something: in the shop, or in another tab. Give the last cursor as
# `after` to go on where one was.
subscription Follow {
  orderChanged {
    happened
    cursor
    order { number status total { formatted } payments { status } invoices { number pdfUrl emailedAt } }
  }
}"""

DEPOSIT = """# In two parts, 30 % first. Open payUrl and pay: the deposit. Open it again: the balance. Each is invoiced.
mutation Deposit($client: ID!, $product: ID!) {
  orderCreate(input: {
    client: $client
    lines: [{ product: $product, quantity: 2, discount: { percent: 500 } }]
    deposit: { percent: 3000 }
  }) {
    order { id number total { formatted } deposit { formatted } balance { formatted } payUrl }
  }
}"""

INTENT = """# For a payment form of the front end's own (Stripe.js). The sandbox's is
# {form}
mutation Intent($order: ID!) {{
  paymentIntentStart(input: {{ order: $order }}) {{
    ... on PaymentIntentStarted {{ clientSecret amount {{ formatted }} }}
    ... on OrderCompleted {{ orderNumber }}
  }}
}}"""

INVOICE = """# Of an order that is not paid, for an employer, say. The client is written to, with a link to pay.
mutation Invoice($order: ID!) {
  orderInvoice(input: { order: $order }) {
    order { number status balance { formatted } invoices { number type dueOn settledAt } payUrl }
  }
}"""

RECORD = """# A transfer came: 20 € of it. Then run it with "amount": null, which is all the rest.
mutation Record($order: ID!, $amount: MoneyInput) {
  paymentRecord(input: { order: $order, method: TRANSFER, amount: $amount, reference: "VIR 0042" }) {
    order {
      number
      status
      paid { formatted }
      balance { formatted }
      payments { method amount { formatted } reference }
      invoices { number settledAt }
    }
  }
}"""

REFUND = """# Put the id of a payment (tab Orders) in the variables. All that is left goes back, unless there is an
# "amount"; a credit note follows, and a letter.
mutation Refund($payment: ID!, $amount: MoneyInput, $reason: String) {
  paymentRefund(input: { payment: $payment, amount: $amount, reason: $reason }) {
    refund { status amount { formatted } refundedAt }
  }
}"""

CREDIT_NOTE = """# Takes 5 € off an invoice without giving money back: of one that is not paid, less is then due.
mutation CreditNote($invoice: ID!, $reason: String!) {
  creditNoteCreate(input: { invoice: $invoice, amount: { amount: 500 }, reason: $reason }) {
    invoice { number type total { formatted } corrects { number } pdfUrl }
  }
}"""

REFUNDS = """# What went back, and what clients' banks ask back. The demonstration begins with one sale given back.
query Refunds {
  refunds { nodes { status method amount { formatted } reason refundedAt order { number } } }
  disputes { nodes { status amount { formatted } reason order { number } } }
  invoices(filter: { type: [CREDIT_NOTE] }) { nodes { number corrects { number } total { formatted } pdfUrl } }
}"""

SAMPLE = """# How invoices would look in another colour: a PDF in base64, without a number. Nothing is issued.
mutation Sample($brandColor: String) {
  invoicePreview(input: { brandColor: $brandColor }) { pdf }
}"""

QUOTE = """# A quote becomes an order once the client accepts it, on its page. quotes { nodes { id status } } has one
# in each state; this sends a draft, and the letter with its PDF comes to the sandbox's mail page.
mutation Quote($quote: ID!) {
  quoteSend(input: { quote: $quote }) {
    quote { documentNumber status validUntil total { formatted } deposit { formatted } pageUrl contentSha256 }
  }
}"""

TICKETS = """# What clients ask: tickets { nodes { id number subject status } }. The client is written to (the sandbox's
# mail page); internal: true keeps a reply among members.
mutation Tickets($ticket: ID!, $body: String!) {
  ticketReply(input: { ticket: $ticket, body: $body }) { ticketReply { body internal createdAt } }
}"""

CLIENTS = """# Clients by any part of a name, an address or a number, contacts' included: accents never count, slips are
# forgiven (try « duppont »). clientDuplicates suggests who may be the same (there are two of Léa Moreau), clientMerge
# makes one of two.
query Clients($text: String!) {
  clientSearch(text: $text) {
    email displayName kind status ordersCount
    tags { name }
    contacts { firstName lastName jobTitle phone }
    notes(first: 3) { nodes { body author { user { firstName } } } }
    consents { purpose wording source givenAt withdrawnAt }
  }
}"""

IMPORTS = """# Clients from a spreadsheet, what each column was taken for, and what is wrong with lines. For yours:
# uploadCreate with the purpose CLIENT_IMPORT, a PUT to its url, then clientImportCreate(input: { upload: "…" }).
query Imports {
  clientImports(first: 5) {
    nodes {
      id filename status encoding delimiter total created updated unchanged broken newTags reportUrl
      columns { heading field }
      lines { nodes { line heading value problem messageFr messageEn } }
    }
  }
}"""

TIMELINE = """# What happened with a client (tab Catalogue), newest first. clientEmailAdd puts a pasted e-mail into it.
query Timeline($client: ID!) {
  timelineEvents(filter: { client: $client }, first: 30) {
    nodes {
      kind occurredAt summary
      data {
        ... on TimelinePayment { orderNumber amount { formatted } method }
        ... on TimelineEmail { sender subject body attachments { name size } }
        ... on TimelineTicket { ticketNumber subject fromClient }
      }
    }
  }
}"""

DATA = """# A client asks for all that is kept of them (RGPD, art. 15 and 20): a worker makes a ZIP of it.
# clientDataExports { nodes { percent } } shows how far. What no law keeps goes by clientErase(input: { client: "…" }).
mutation Data($client: ID!) {
  clientDataExportCreate(input: { client: $client }) {
    clientDataExport { id status percent client { email } requestedBy { user { email } } }
  }
}"""

DATA_FETCH = """# Where who ordered it, and nobody else, fetches it: the url is good for five minutes.
mutation DataFetch($clientDataExport: ID!) {
  clientDataExportOpen(input: { clientDataExport: $clientDataExport }) { url expiresAt }
}"""

PAYMENT_LINK = """# What was won is paid by a link, the same while it can be used. The pipeline is
# { opportunityBoard { columns { stage count totals { formatted } opportunities { nodes { id title } } } } }
mutation PaymentLink($opportunity: ID!) {
  opportunityPaymentLink(input: { opportunity: $opportunity }) {
    url expiresAt amount { formatted } opportunity { title paymentStatus } order { number payUrl }
  }
}"""

PORTAL_LINK = """# A private link for a client (tab Catalogue), shown this once. What it opens is in the next tab.
mutation PortalLink($client: ID!) {
  portalTokenCreate(input: { client: $client }) { token portalToken { id expiresAt } }
}"""

# Headers are not kept: with the page, the token is forgotten.
BY_LINK = {"Authorization": "Bearer "}

PORTAL = """# What the client sees: under Headers, put the token of the tab before behind « Bearer », and so in the next
# three tabs, where they ask, book and pay.
query Portal {
  portal {
    clientName
    storefront { brandName }
    opportunities { title amount { formatted } paymentStatus order payUrl }
    quotes { number lines { description quantity } total { formatted } url }
    orders { id number status lines { description } due { formatted } payUrl }
    invoices { number total { formatted } pdfUrl }
    bookings { id service startsAt status freeUntil lateFee { formatted } }
    packs { id name left endsAt services }
    tickets { id number subject status replies { fromClient body } }
    services { id name price { formatted } staff { id name } }
  }
}"""

PORTAL_ASK = """# Under what was asked, portalTicketReply(input: { ticket: "…", body: "…" }) goes on.
mutation PortalAsk($subject: String!, $body: String!) {
  portalTicketCreate(input: { subject: $subject, body: $body }) { ticket number }
}"""

PORTAL_BOOK = """# When it is free: portalAvailability(service: "…", from: "…", to: "…") { startsAt available }. With a
# `pack` a session of it pays. portalBookingMove and portalBookingCancel change it, while the service's rules allow it.
mutation PortalBook($service: ID!, $startsAt: DateTime!) {
  portalBook(input: { service: $service, startsAt: $startsAt }) { booking confirmed holdExpiresAt order }
}"""

PORTAL_PAY = """# The `order` of what was booked or agreed: open the url, and pay.
mutation PortalPay($order: ID!) {
  portalPay(input: { order: $order }) { url amount { formatted } expiresAt }
}"""

EXPORT = """# A worker makes the accounting entries of a period (FEC). exports { nodes { percent url } } shows how far.
mutation Export {
  exportCreate(input: { kind: FEC, from: "2026-01-01", to: "2026-12-31" }) {
    export { id status percent filename url }
  }
}"""

AVAILABILITY = """# When a service is free: services { nodes { id name } } has the ids.
query Availability($service: ID!, $from: DateTime!, $to: DateTime!) {
  availability(service: $service, from: $from, to: $to) { startsAt endsAt available places staff reasonText }
  services { nodes { id name online price { formatted } staff { id displayName } } }
  packs { nodes { sessions used left client { email } access { endsAt product { name } } } }
}"""

BOOK = """# Put a service, a client (tab Catalogue) and a free startsAt in the variables. By video, the link comes with
# the event in Google's calendar, a moment later; the letter with its .ics is on the sandbox's mail page.
mutation Book($service: ID!, $client: ID!, $startsAt: DateTime!) {
  bookingCreate(input: { service: $service, client: $client, startsAt: $startsAt }) {
    confirmed
    payUrl
    booking { id status appointment { startsAt endsAt meetUrl staff { displayName } } }
  }
}"""

MOVE = """# The client is written to, and their calendar follows.
mutation Move($booking: ID!, $startsAt: DateTime!) {
  bookingMove(input: { booking: $booking, startsAt: $startsAt }) {
    booking { status appointment { startsAt sequence meetUrl } reminders { minutesBefore dueAt sentAt } }
  }
}"""

CANCEL_BOOKING = """# All goes back, unless it is cancelled for the client (forClient: true), later than for free.
mutation CancelBooking($booking: ID!, $reason: String) {
  bookingCancel(input: { booking: $booking, reason: $reason }) {
    booking { status fee { formatted } canceledAt appointment { status sequence } }
  }
}"""

FEED = """# The address is shown once: subscribe to it in a calendar of your choice.
mutation Feed($staff: ID!) {
  calendarFeedCreate(input: { staff: $staff }) { url calendarFeed { staff { displayName } } }
}"""

CONSENT = """# Let us into your calendar at Google: open the address, choose consultant@demo.test, and allow. The page
# you come back to shows a code and a state, for tab Consented: they are good once, within ten minutes.
mutation Consent {
  oauthStart(input: { provider: "google_calendar" }) { authorizationUrl }
}"""

CONSENTED = """mutation Consented($code: String!, $state: String!) {
  oauthFinish(input: { code: $code, state: $state }) { oauthGrant { id status scopes } }
}"""

CONNECT = """# Put in the consent's id (tab Consented), and whose calendar it is: staff { nodes { id displayName } } has
# the ids, calendarsToConnect(oauthGrant: "…") { remoteId name } what else the consent opens.
mutation Connect($staff: ID!, $oauthGrant: ID, $remoteId: String!) {
  calendarConnect(input: { staff: $staff, oauthGrant: $oauthGrant, remoteId: $remoteId }) {
    calendar { id name status outgoing incoming }
  }
}"""

CALENDARS = """# Move or delete an appointment on the sandbox's Google page, or put another event over it: soon
# it is followed here, or waits for calendarConflictResolve(input: { calendarConflict: "…", choice: … }).
query Calendars {
  calendars { nodes { id name status statusReason syncedAt } }
  calendarConflicts(filter: { resolved: false }) { nodes { id kind message title startsAt choices } }
}"""

INTEGRATIONS = """# What can be connected, each by its form (form: JSON Schema); what is, and when its keys were used.
query Integrations {
  integrationCatalogue { key name category available does { fr } features { title { fr } } }
  integrations {
    nodes { name status reason detail checkedAt features settings secrets { field lastFour rotatedAt } }
  }
  secretOpenings(first: 5) {
    nodes { createdAt purpose secret { field } }
  }
  me { organization { features } }
}"""

OWN_MAIL = """# A mail server of one's own, here the sandbox's: letters to clients come from its sender. Back with
# mutation { integrationRemove(input: { provider: "smtp" }) { integration { status } } }
mutation OwnMail($values: JSON!) {
  integrationConfigure(input: { provider: "smtp", values: $values }) {
    integration { status settings }
  }
  integrationEnable(input: { provider: "smtp" }) {
    integration { status reason checkedAt features }
  }
  integrationTest(input: { provider: "smtp" }) { connected reason { fr en } detail durationMs }
}"""

SUBSCRIPTIONS = """# What renews. Subscribe to « Alchimique » in the shop, then advance the clock by a month on the
# sandbox's Stripe page (Subscriptions and clock): each month is an order, with its invoice.
query Subscriptions {
  subscriptions {
    nodes {
      id status cancelAtPeriodEnd currentPeriodStart currentPeriodEnd payUrl
      amount { formatted }
      product { name }
      client { email }
    }
  }
  orders(filter: { kind: [SUBSCRIPTION] }) {
    nodes { number source status lines { description periodStart periodEnd } invoices { number pdfUrl } }
  }
  accesses { nodes { startsAt endsAt product { name } order { number } } }
}"""

CANCEL = """# Until it has ended, subscriptionResume lets it go on.
mutation Cancel($subscription: ID!) {
  subscriptionCancel(input: { subscription: $subscription, atPeriodEnd: true }) {
    clientSubscription { status cancelAtPeriodEnd currentPeriodEnd }
  }
}"""

CONFLICTS = """# Money that does not fit waits here for a person. To make some: hold new events on the sandbox's
# Stripe page, pay an order, record a transfer of all of it too, then deliver the last events.
query Conflicts {
  conflicts(filter: { resolved: false }) {
    nodes { id kind message proposal proposed { formatted } order { number status } payment { method stripeId } }
  }
}"""

RESOLVE = """mutation Resolve($conflict: ID!, $resolution: String!) {
  conflictResolve(input: { conflict: $conflict, resolution: $resolution }) {
    conflict { resolvedAt resolution }
  }
}"""

RECONCILIATIONS = """# Each hour Stripe is asked for what never came; bin/comptoir reconcile asks at once.
query Reconciliations {
  reconciliations(first: 3) {
    nodes { since endedAt eventsMissed ordersMended unexplained drifts { kind message reference } }
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

AUDIT = """# Who did what, newest first. For owners: an admin is refused. filter: { subject: "…" } is one row's history.
query Audit {
  auditEntries(first: 10) {
    nodes {
      createdAt
      actorKind
      actor { user { firstName lastName } }
      address
      action
      operation
      subjectType
      subject
      changes { field before after }
    }
  }
}"""
