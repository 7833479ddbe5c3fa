"""What clients and staff hear of bookings: letters with a file for the calendar, and reminders."""

from typing import Any

import models
from models.base import global_id
from tests import itip
from tests.bookings.desk import MOVE, Desk, ahead
from tests.shop import Shop, said

EMAIL = "jean@example.com"


async def test_a_client_who_books_moves_and_cancels_has_a_letter_and_a_file_of_each(shop: Shop) -> None:
    desk = await Desk.open(shop)
    booking = (await desk.book(ahead(), await shop.client(EMAIL)))["booking"]["id"]
    await shop.work_is_done()
    await desk.move(booking, ahead(4))
    await shop.work_is_done()
    await desk.cancel(booking, reason="Empêchement")
    await shop.work_is_done()

    made, moved, canceled = shop.mails(EMAIL)
    files = [attached(each) for each in (made, moved, canceled)]
    assert [method for method, _ in files] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [event["SEQUENCE"] for _, event in files] == ["0", "1", "2"]
    assert len({event["UID"] for _, event in files}) == 1
    assert [str(each.message["Subject"]).partition(" :")[0] for each in (made, moved, canceled)] == [
        "[TEST] Votre rendez-vous est confirmé",
        "[TEST] Votre rendez-vous a changé",
        "[TEST] Nous avons dû annuler votre rendez-vous",
    ]
    assert "Empêchement" in said(canceled)


async def test_changes_that_follow_each_other_fast_are_one_letter(shop: Shop) -> None:
    desk = await Desk.open(shop)
    booking = (await desk.book(ahead(), await shop.client(EMAIL)))["booking"]["id"]
    await desk.move(booking, ahead(4))
    await desk.move(booking, ahead(5))
    await shop.work_is_done()

    (letter,) = shop.mails(EMAIL)
    assert attached(letter)[1]["SEQUENCE"] == "2"


async def test_who_holds_the_appointment_is_told_who_comes(shop: Shop) -> None:
    desk = await Desk.open(shop)
    member = await models.Membership.filter(organization=shop.organization).first()
    await models.Staff.filter(id=desk.staff[0].id).update(membership_id=member.id)  # type: ignore[union-attr]
    booking = (await desk.book(ahead(), await shop.client(EMAIL), clientNotes="Allergie"))["booking"]["id"]
    await shop.work_is_done()
    await desk.cancel(booking)
    await shop.work_is_done()

    made, canceled = shop.mails(shop.email)
    assert "jean@example.com" in said(made)
    assert "Allergie" in said(made)
    assert [attached(each)[0] for each in (made, canceled)] == ["REQUEST", "CANCEL"]


async def held_by_two(shop: Shop) -> Desk:
    """A desk of the person signed in and of a consultant, in this order."""
    desk = await Desk.open(shop, "Camille", "Dominique")
    other = await Shop.open(shop.http, shop.sandbox, role=models.Role.CONSULTANT)
    for staff, email in zip(desk.staff, (shop.email, other.email), strict=True):
        member = await models.Membership.get(user__email=email)
        await models.Staff.filter(id=staff.id).update(membership_id=member.id)
    return desk


async def test_an_appointment_that_goes_over_to_somebody_else_leaves_one_calendar_for_the_other(shop: Shop) -> None:
    desk = await held_by_two(shop)
    before, after = (global_id(each) for each in desk.staff)
    made = await desk.book(ahead(), await shop.client(EMAIL), staff=before, clientNotes="Allergie")
    await shop.work_is_done()
    await desk.move(made["booking"]["id"], ahead(4), staff=after)
    await shop.work_is_done()

    first, taken_out = shop.mails(shop.email)
    (put_in,) = shop.mails("consultant@shop.test")
    files = [attached(each) for each in (first, taken_out, put_in)]
    assert [method for method, _ in files] == ["REQUEST", "CANCEL", "REQUEST"]
    assert len({event["UID"] for _, event in files}) == 1
    assert [event["SEQUENCE"] for _, event in files] == ["0", "1", "1"]
    assert [event["ATTENDEE"] for _, event in files[1:]] == ["mailto:owner@shop.test", "mailto:consultant@shop.test"]
    assert "Rendez-vous confié à quelqu’un d’autre" in str(taken_out.message["Subject"])
    assert "l’est désormais à Dominique" in said(taken_out)
    assert "jean@example.com" not in said(taken_out)
    assert "Rendez-vous confié à vous" in str(put_in.message["Subject"])
    assert "Allergie" in said(put_in)


async def test_who_has_it_back_before_anybody_was_told_hears_of_no_other(shop: Shop) -> None:
    desk = await held_by_two(shop)
    before, after = (global_id(each) for each in desk.staff)
    made = await desk.book(ahead(), await shop.client(EMAIL), staff=before)
    await shop.work_is_done()
    await desk.move(made["booking"]["id"], ahead(4), staff=after)
    await desk.move(made["booking"]["id"], ahead(5), staff=before)
    await shop.work_is_done()

    assert [subject.partition(" :")[0] for subject in shop.subjects(shop.email)] == [
        "[TEST] Nouveau rendez-vous", "[TEST] Rendez-vous déplacé",
    ]  # fmt: skip
    assert shop.mails("consultant@shop.test") == []


async def test_what_is_cancelled_once_somebody_else_has_it_is_told_to_who_was_told_of_it(shop: Shop) -> None:
    desk = await held_by_two(shop)
    before, after = (global_id(each) for each in desk.staff)
    made = await desk.book(ahead(), await shop.client(EMAIL), staff=before)
    await shop.work_is_done()
    await desk.move(made["booking"]["id"], ahead(4), staff=after)
    await desk.cancel(made["booking"]["id"])
    await shop.work_is_done()

    letter = shop.mails(shop.email)[-1]
    assert "Rendez-vous annulé" in str(letter.message["Subject"])
    assert (attached(letter)[0], attached(letter)[1]["STATUS"]) == ("CANCEL", "CANCELLED")
    assert shop.mails("consultant@shop.test") == []


async def test_hours_stay_together_in_a_subject(shop: Shop) -> None:
    desk = await Desk.open(shop)
    await desk.book(ahead(hour=10, minute=30), await shop.client(EMAIL))
    await shop.work_is_done()

    assert "10\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}30" in str(shop.mails(EMAIL)[0].message["Subject"])


async def test_who_goes_over_into_another_group_has_the_one_before_taken_out(shop: Shop) -> None:
    desk = await Desk.open(shop, capacity=5)
    booking = (await desk.book(ahead(), await shop.client(EMAIL)))["booking"]["id"]
    await desk.book(ahead())
    await shop.work_is_done()
    await desk.move(booking, ahead(4))
    await shop.work_is_done()

    made, moved = shop.mails(EMAIL)
    taken_out, put_in = [itip.read(part.get_content().encode()) for part in moved.attachments]
    assert (taken_out["METHOD"], put_in["METHOD"]) == ("CANCEL", "REQUEST")
    assert taken_out.components[0]["UID"] == attached(made)[1]["UID"] != put_in.components[0]["UID"]
    assert taken_out.components[0].get("STATUS") is None  # it is held for the others


async def test_a_place_that_was_not_paid_in_time_is_told_to_be_free(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    await desk.book(ahead(), await shop.client(EMAIL))
    await desk.holds_end()

    (letter,) = shop.mails(EMAIL)
    assert "Votre rendez-vous n’est plus réservé" in str(letter.message["Subject"])
    assert letter.attachments == []


async def test_reminders_go_once_each_and_none_for_what_was_moved_or_cancelled(shop: Shop) -> None:
    desk = await Desk.open(shop)
    booking = (await desk.book(ahead(), await shop.client(EMAIL)))["booking"]["id"]
    canceled = (await desk.book(ahead(hour=14), await shop.client("marie@example.com")))["booking"]["id"]
    await desk.cancel(canceled)
    await shop.work_is_done()
    assert await shop.count("booking_reminders") == 4
    before = len(shop.mails(EMAIL))
    await desk.move(booking, ahead(3, 12))
    await shop.work_is_done()

    await reminders_are_due(shop, 1440)
    await reminders_are_due(shop, 1440)

    subjects = [str(each.message["Subject"]) for each in shop.mails(EMAIL)[before + 1 :]]
    assert [subject.startswith("[TEST] Rappel de votre rendez-vous") for subject in subjects] == [True]
    assert not any("Rappel" in subject for subject in shop.subjects("marie@example.com"))


async def test_who_books_late_is_not_reminded_of_what_they_have_just_done(shop: Shop) -> None:
    await shop.change("organization", bookingReminders=[60, 30 * 24 * 60])
    await (await Desk.open(shop)).book(ahead())

    assert await shop.sql("SELECT minutes_before FROM booking_reminders") == [{"minutes_before": 60}]


SERVICE = """mutation ($input: ServiceUpdateInput!) {
    serviceUpdate(input: $input) { service { reminders } }
}"""


async def test_a_service_has_reminders_of_its_own_none_or_the_organizations(shop: Shop) -> None:
    desk = await Desk.open(shop)
    for reminders, due in (([90], [90]), ([], []), (None, [1440, 120])):
        set_to = await shop(SERVICE, input={"service": desk.service, "reminders": reminders})
        await desk.book(ahead(hour=9 + len(due)))

        promised = await shop.sql("DELETE FROM booking_reminders RETURNING minutes_before")
        assert set_to["service"]["reminders"] == reminders
        assert sorted((row["minutes_before"] for row in promised), reverse=True) == due
    refused = await shop.refused(SERVICE, input={"service": desk.service, "reminders": [0]})
    assert refused == ("INVALID", "input.reminders", "Give 5 at most, each of 1 to 43200 minutes.")


async def test_a_session_of_a_pack_is_drawn_by_a_booking_and_given_back_in_time(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    client = await shop.client(EMAIL)
    product = await shop.product(25_000, name="Forfait", packSessions=1, packServices=[desk.service])
    await shop.sell(product, client=client)
    pack = global_id(await models.Pack.get())

    made = await desk.book(ahead(), client, pack=pack)
    await shop.work_is_done()
    assert (made["confirmed"], made["payUrl"], (await models.Pack.get()).used) == (True, None, 1)
    assert "il vous en reste 0" in said(shop.mails(EMAIL)[-1])

    await desk.cancel(made["booking"]["id"])
    await shop.work_is_done()
    assert (await models.Pack.get()).used == 0
    assert "La séance est rendue à votre forfait" in said(shop.mails(EMAIL)[-1])


async def test_what_was_booked_by_a_pack_that_is_refunded_is_cancelled_and_its_client_is_told(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    client = await shop.client(EMAIL)
    product = await shop.product(25_000, name="Forfait", packSessions=2, packServices=[desk.service])
    order = await shop.sell(product, client=client)
    made = await desk.book(ahead(), client, pack=global_id(await models.Pack.get()))

    await shop("mutation ($input: PaymentRefundInput!) { paymentRefund(input: $input) { refund { status } } }",
               input={"payment": order["payments"][0]["id"]})  # fmt: skip
    await shop.work_is_done()

    booking = await desk.see(made["booking"]["id"])
    assert (booking["status"], booking["cancelReason"]) == ("CANCELED", "Le forfait a été remboursé.")
    assert any("CANCEL" in attached(letter)[0] for letter in shop.mails(EMAIL) if has_calendar(letter))


async def test_a_booking_by_a_pack_is_not_moved_to_where_the_pack_is_over(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    client = await shop.client(EMAIL)
    product = await shop.product(25_000, name="Forfait", packSessions=2, packDays=20, packServices=[desk.service])
    await shop.sell(product, client=client)
    made = await desk.book(ahead(), client, pack=global_id(await models.Pack.get()))

    late = ahead(days=33).isoformat()
    code, field, message = await shop.refused(MOVE, input={"booking": made["booking"]["id"], "startsAt": late})

    assert (code, field) == ("CONFLICT", "input.startsAt")
    assert "over by then" in message


def has_calendar(letter: Any) -> bool:
    return any(part.get_content_type() == "text/calendar" for part in letter.attachments)


def attached(letter: Any) -> tuple[str, Any]:
    """(METHOD, event) of the one file of a letter, whose type says the same method (RFC 6047)."""
    (part,) = letter.attachments
    calendar = itip.read(part.get_content().encode())
    assert part.get_content_type() == "text/calendar"
    assert part["Content-Type"].params["method"] == calendar["METHOD"]
    (event,) = calendar.components
    return calendar["METHOD"], event


async def reminders_are_due(shop: Shop, minutes: int) -> None:
    """A worker comes to those that go so long before."""
    await shop.sql(
        "UPDATE outbox SET due_at = now() WHERE job = 'booking_reminders.remind' AND done_at IS NULL AND subject_id IN"
        " (SELECT id FROM booking_reminders WHERE minutes_before = $1)",
        minutes,
    )
    await shop.work_is_done()
