"""What orders, payments, refunds, disputes and bookings may be, and what leads from one state to another, as tables.

Each table is `{state: {news: the state that it leads to}}`; news that are not in a state's row change nothing there, so
that news may come again, and in any order. What they were that came last is of no matter: there is no way around.
`docs/architecture.md` shows the same tables.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from models.fields import Coded
from models.subscription import SubscriptionStatus

S = TypeVar("S", bound=Coded)
N = TypeVar("N", bound=Coded)


@dataclass(frozen=True)
class Machine(Generic[S, N]):
    """The states of one thing; it begins in the first, or in that which its first news lead to."""

    table: Mapping[S, Mapping[N, S]]

    def hears(self, state: S, news: N) -> bool:
        """Whether the news change anything, be it only what is known of that state."""
        return news in self.table[state]

    def after(self, state: S, news: N) -> S:
        """The state that news lead to: the same where they come too late."""
        return self.table[state].get(news, state)

    def rows(self) -> Iterator[tuple[S, N, S]]:
        for state, row in self.table.items():
            for news, then in row.items():
                yield state, news, then


# Orders


class OrderStatus(Coded):
    """Where an order stands."""

    OPEN = "OPEN", "Waiting to be paid"
    PAID = "PAID", "Paid in full, or free and completed"
    REFUNDED = "REFUNDED", "Paid, and given back whole"
    CANCELED = "CANCELED", "Given up before it was paid"


class OrderNews(Coded):
    """What happens to an order."""

    PAID = "PAID", "Nothing is left to be paid"
    EMPTIED = "EMPTIED", "No money of it is left: all was given back, or some was and the bank took the rest"
    REFILLED = "REFILLED", "Some is there again: a refund failed after all"
    GIVEN_UP = "GIVEN_UP", "A person gave it up, or its invoices were credited whole"


ORDER = Machine(
    {
        OrderStatus.OPEN: {OrderNews.PAID: OrderStatus.PAID, OrderNews.GIVEN_UP: OrderStatus.CANCELED},
        OrderStatus.PAID: {OrderNews.EMPTIED: OrderStatus.REFUNDED},
        OrderStatus.REFUNDED: {OrderNews.REFILLED: OrderStatus.PAID},
        OrderStatus.CANCELED: {},
    }
)


# Payments


class PaymentStatus(Coded):
    """What came of a payment."""

    PROCESSING = "PROCESSING", "Under way: a SEPA debit takes days"
    SUCCEEDED = "SUCCEEDED", "The money is ours"
    FAILED = "FAILED", "Declined; the client may try again"
    CANCELED = "CANCELED", "Given up before any money came"


class PaymentNews(Coded):
    """What happens to a payment. Of the first two the younger wins."""

    STARTED = "STARTED", "A debit is under way"
    DECLINED = "DECLINED", "A try was refused, or a debit bounced"
    GIVEN_UP = "GIVEN_UP", "Nobody can pay by it any more"
    PAID = "PAID", "The money came"


PAYMENT = Machine(
    {
        PaymentStatus.FAILED: {
            PaymentNews.STARTED: PaymentStatus.PROCESSING,
            PaymentNews.DECLINED: PaymentStatus.FAILED,
            PaymentNews.GIVEN_UP: PaymentStatus.CANCELED,
            PaymentNews.PAID: PaymentStatus.SUCCEEDED,
        },
        PaymentStatus.PROCESSING: {
            PaymentNews.STARTED: PaymentStatus.PROCESSING,
            PaymentNews.DECLINED: PaymentStatus.FAILED,
            PaymentNews.GIVEN_UP: PaymentStatus.CANCELED,
            PaymentNews.PAID: PaymentStatus.SUCCEEDED,
        },
        PaymentStatus.CANCELED: {
            PaymentNews.GIVEN_UP: PaymentStatus.CANCELED,
            PaymentNews.PAID: PaymentStatus.SUCCEEDED,
        },
        PaymentStatus.SUCCEEDED: {},
    }
)


# Refunds


class RefundStatus(Coded):
    """What came of a refund."""

    PENDING = "PENDING", "Asked for, or on its way: a bank takes days"
    SUCCEEDED = "SUCCEEDED", "The money went back"
    FAILED = "FAILED", "It did not, or the bank sent it back: the money is still ours"
    CANCELED = "CANCELED", "Given up before it went: the money is still ours"


class RefundNews(Coded):
    """What happens to a refund, by Stripe's own words (https://docs.stripe.com/api/refunds/object)."""

    PENDING = "pending", "It is on its way"
    REQUIRES_ACTION = "requires_action", "It waits for somebody"
    SUCCEEDED = "succeeded", "The money went back"
    FAILED = "failed", "It did not arrive"
    CANCELED = "canceled", "It was given up"


REFUND = Machine(
    {
        RefundStatus.PENDING: {
            RefundNews.SUCCEEDED: RefundStatus.SUCCEEDED,
            RefundNews.FAILED: RefundStatus.FAILED,
            RefundNews.CANCELED: RefundStatus.CANCELED,
        },
        RefundStatus.SUCCEEDED: {RefundNews.FAILED: RefundStatus.FAILED},
        RefundStatus.FAILED: {},
        RefundStatus.CANCELED: {},
    }
)


# Disputes


class DisputeStatus(Coded):
    """What came of a dispute."""

    OPEN = "OPEN", "The client's bank asks for the money back, and has not decided"
    WON = "WON", "The money is ours: it was decided so, or only asked about"
    LOST = "LOST", "The bank took the money back"


class DisputeNews(Coded):
    """What happens to a dispute, by Stripe's own words (https://docs.stripe.com/api/disputes/object)."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response", "The bank asks about a payment"
    WARNING_UNDER_REVIEW = "warning_under_review", "The bank looks at our answer"
    WARNING_CLOSED = "warning_closed", "The bank asked, and left it at that"
    NEEDS_RESPONSE = "needs_response", "The bank asks for the money back"
    UNDER_REVIEW = "under_review", "The bank looks at our evidence"
    WON = "won", "The bank decided for us"
    LOST = "lost", "The bank decided for the client"


DISPUTE = Machine(
    {
        DisputeStatus.OPEN: {
            DisputeNews.WARNING_CLOSED: DisputeStatus.WON,
            DisputeNews.WON: DisputeStatus.WON,
            DisputeNews.LOST: DisputeStatus.LOST,
        },
        DisputeStatus.WON: {},
        DisputeStatus.LOST: {},
    }
)

# Subscriptions, of which Stripe tells the state itself

_BEGUN = (
    SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID,
    SubscriptionStatus.PAUSED,
)  # fmt: skip
_TOLD = {status: status for status in (*_BEGUN, SubscriptionStatus.CANCELED)}

SUBSCRIPTION: Machine[SubscriptionStatus, SubscriptionStatus] = Machine(
    {
        SubscriptionStatus.INCOMPLETE: {
            **_TOLD,
            SubscriptionStatus.INCOMPLETE_EXPIRED: SubscriptionStatus.INCOMPLETE_EXPIRED,
        },
        **dict.fromkeys(_BEGUN, _TOLD),
        SubscriptionStatus.CANCELED: {},
        SubscriptionStatus.INCOMPLETE_EXPIRED: {},
    }
)

# Bookings


class BookingStatus(Coded):
    """Where a booking stands."""

    PENDING = "PENDING", "Held for the client until it is paid"
    CONFIRMED = "CONFIRMED", "The client is expected"
    EXPIRED = "EXPIRED", "It was not paid in time, and the place is free"
    CANCELED = "CANCELED", "Given up, and the place is free"
    COMPLETED = "COMPLETED", "The client came"
    NO_SHOW = "NO_SHOW", "The client did not come"


class BookingNews(Coded):
    """What happens to a booking."""

    HELD = "HELD", "The client comes back to pay, and the place is still free"
    CONFIRMED = "CONFIRMED", "What is to be paid first was paid, or nothing is"
    LAPSED = "LAPSED", "Its hold ended without being paid"
    GIVEN_UP = "GIVEN_UP", "The client or a person cancelled it"
    CAME = "CAME", "The client came"
    MISSED = "MISSED", "The client did not come"


BOOKING = Machine(
    {
        BookingStatus.PENDING: {
            BookingNews.HELD: BookingStatus.PENDING,
            BookingNews.CONFIRMED: BookingStatus.CONFIRMED,
            BookingNews.LAPSED: BookingStatus.EXPIRED,
            BookingNews.GIVEN_UP: BookingStatus.CANCELED,
        },
        BookingStatus.CONFIRMED: {
            BookingNews.GIVEN_UP: BookingStatus.CANCELED,
            BookingNews.CAME: BookingStatus.COMPLETED,
            BookingNews.MISSED: BookingStatus.NO_SHOW,
        },
        BookingStatus.EXPIRED: {
            BookingNews.HELD: BookingStatus.PENDING,
            BookingNews.CONFIRMED: BookingStatus.CONFIRMED,
            BookingNews.GIVEN_UP: BookingStatus.CANCELED,
        },
        BookingStatus.CANCELED: {},
        BookingStatus.COMPLETED: {},
        BookingStatus.NO_SHOW: {},
    }
)

# Bilans


class BilanStatus(Coded):
    """Where a bilan stands."""

    AWAITING_FUNDING = "AWAITING_FUNDING", "Some of its price is neither paid nor agreed: nothing can be booked"
    FUNDED = "FUNDED", "All of its price is paid or agreed: its appointments can be booked"
    IN_PROGRESS = "IN_PROGRESS", "The beneficiary has been to a session"
    COMPLETED = "COMPLETED", "Its three phases are completed"
    CANCELED = "CANCELED", "Given up"


class BilanNews(Coded):
    """What happens to a bilan."""

    FUNDED = "FUNDED", "Nothing of its price is due any more"
    UNFUNDED = "UNFUNDED", "Some of it is due again: a funding was withdrawn, or its money given back"
    BEGAN = "BEGAN", "The beneficiary came to a session"
    ENDED = "ENDED", "The last phase was completed"
    GIVEN_UP = "GIVEN_UP", "A person gave it up"


BILAN = Machine(
    {
        BilanStatus.AWAITING_FUNDING: {
            BilanNews.FUNDED: BilanStatus.FUNDED,
            BilanNews.GIVEN_UP: BilanStatus.CANCELED,
        },
        BilanStatus.FUNDED: {
            BilanNews.UNFUNDED: BilanStatus.AWAITING_FUNDING,
            BilanNews.BEGAN: BilanStatus.IN_PROGRESS,
            BilanNews.GIVEN_UP: BilanStatus.CANCELED,
        },
        BilanStatus.IN_PROGRESS: {
            BilanNews.UNFUNDED: BilanStatus.AWAITING_FUNDING,
            BilanNews.ENDED: BilanStatus.COMPLETED,
            BilanNews.GIVEN_UP: BilanStatus.CANCELED,
        },
        BilanStatus.COMPLETED: {},
        BilanStatus.CANCELED: {},
    }
)


class FundingStatus(Coded):
    """Where a part of a bilan's price stands."""

    PLANNED = "PLANNED", "Asked for, or about to be paid"
    AGREED = "AGREED", "Who pays has agreed to, and pays later"
    PAID = "PAID", "The money came"
    REFUNDED = "REFUNDED", "The money came, and was given back whole"
    WITHDRAWN = "WITHDRAWN", "Nobody will pay it"


class FundingNews(Coded):
    """What happens to a part of a bilan's price."""

    AGREED = "AGREED", "Who pays agreed to"
    PAID = "PAID", "Its order was paid in full"
    EMPTIED = "EMPTIED", "All money of its order was given back"
    REFILLED = "REFILLED", "Some is there again: a refund failed after all"
    WITHDRAWN = "WITHDRAWN", "It was taken back or refused, or its order given up"


FUNDING = Machine(
    {
        FundingStatus.PLANNED: {
            FundingNews.AGREED: FundingStatus.AGREED,
            FundingNews.PAID: FundingStatus.PAID,
            FundingNews.WITHDRAWN: FundingStatus.WITHDRAWN,
        },
        FundingStatus.AGREED: {
            FundingNews.PAID: FundingStatus.PAID,
            FundingNews.WITHDRAWN: FundingStatus.WITHDRAWN,
        },
        FundingStatus.PAID: {FundingNews.EMPTIED: FundingStatus.REFUNDED},
        FundingStatus.REFUNDED: {FundingNews.REFILLED: FundingStatus.PAID},
        FundingStatus.WITHDRAWN: {},
    }
)


class AgreementStatus(Coded):
    """Where something that is to be agreed in writing stands."""

    PROPOSED = "PROPOSED", "The beneficiary has it, and has not answered"
    ACCEPTED = "ACCEPTED", "The beneficiary accepted it"
    REFUSED = "REFUSED", "The beneficiary refused it"
    LAPSED = "LAPSED", "Its last day passed without an answer, which is a refusal"


class AgreementNews(Coded):
    """What happens to something that is to be agreed."""

    ACCEPTED = "ACCEPTED", "The beneficiary accepted it"
    REFUSED = "REFUSED", "The beneficiary refused it"
    LAPSED = "LAPSED", "Its last day passed"


AGREEMENT = Machine(
    {
        AgreementStatus.PROPOSED: {
            AgreementNews.ACCEPTED: AgreementStatus.ACCEPTED,
            AgreementNews.REFUSED: AgreementStatus.REFUSED,
            AgreementNews.LAPSED: AgreementStatus.LAPSED,
        },
        AgreementStatus.ACCEPTED: {},
        AgreementStatus.REFUSED: {},
        AgreementStatus.LAPSED: {},
    }
)

MACHINES: dict[str, Machine[Any, Any]] = {
    "order": ORDER,
    "payment": PAYMENT,
    "refund": REFUND,
    "dispute": DISPUTE,
    "subscription": SUBSCRIPTION,
    "booking": BOOKING,
    "bilan": BILAN,
    "funding": FUNDING,
    "agreement": AGREEMENT,
}
