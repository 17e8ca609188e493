"""What customers of Brindle & Moor say, as data: requests by intent, conditions, and the words around them.

A request has a kind that fits its openings: `act` ("I want to ..."), `fact` ("it seems that ...") or `ask`
("can you tell me ...").
"""

from typing import NamedTuple


class Request(NamedTuple):
    """The core of a message, and which openings it can follow."""

    kind: str
    text: str


def _requests(**phrases: str) -> tuple[Request, ...]:
    return tuple(Request(kind, text) for kind, listed in phrases.items() for text in _phrases(listed))


def _phrases(listed: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in listed.split("|"))


OPENINGS = {
    "act": (
        "I want to {request}.",
        "I would like to {request}.",
        "I need to {request}.",
        "How do I {request}?",
        "Can you help me to {request}?",
        "Is it possible to {request}?",
        "I am trying to {request}.",
        "What must I do to {request}?",
    ),
    "fact": (
        "{request}.",
        "It seems that {request}.",
        "I am sorry to say that {request}.",
        "Just so you know, {request}.",
        "I have a problem: {request}.",
        "About order {order}: {request}.",
        "I noticed that {request}.",
        "I am not happy, {request}.",
    ),
    "ask": (
        "Can you tell me {request}?",
        "I would like to know {request}.",
        "Do you know {request}?",
        "Please tell me {request}.",
        "About order {order}, please say {request}.",
        "I wonder {request}.",
        "Could you check {request}?",
        "My question is {request}.",
    ),
}

REQUESTS = {
    "track_order": _requests(
        ask=(
            "where my parcel is now | where the {item} is at the moment | how far my order has come | "
            "on which day it arrives"
        ),
        act="track my order {order} | follow my parcel | see where my order is",
    ),
    "late_parcel": _requests(
        fact=(
            "my parcel is late | the {item} should have come last week | the delivery is overdue | "
            "I still wait for my parcel | the courier never came with my {item} | "
            "order {order} has not arrived"
        ),
    ),
    "missing_item": _requests(
        fact=(
            "the {item} was not in the box | one thing is missing from my parcel | "
            "the box came without the {item} | half of my order is missing | the parcel was empty | "
            "you forgot to pack the {item}"
        ),
    ),
    "wrong_item": _requests(
        fact=(
            "I got the wrong {item} | you sent something else than the {item} | "
            "this is not the {item} that I ordered | the box holds another product | "
            "the {item} has the wrong colour | somebody else's order was in my box"
        ),
    ),
    "damaged_item": _requests(
        fact=(
            "the {item} arrived broken | the {item} is torn | there is a hole in the {item} | "
            "the zip of the {item} is broken | the {item} came with a crack | "
            "the {item} was damaged in the box"
        ),
    ),
    "return_item": _requests(
        act=(
            "return the {item} | send the {item} back | bring back the {item} because I do not like it | "
            "give back what I bought | get a return label"
        ),
        ask="how a return works | where I send the {item} back",
    ),
    "refund_status": _requests(
        ask=(
            "when I get my refund | where my refund is | how long the refund takes | "
            "whether my money is on its way back"
        ),
        fact=("my refund has not come | I still wait for my money back | the refund for {order} is not on my account"),
    ),
    "cancel_order": _requests(
        act=(
            "cancel my order | cancel order {order} | stop my order for the {item} | "
            "call off the purchase | undo my order {order}"
        ),
        fact="I no longer want the order | I ordered the {item} by mistake and want to cancel",
    ),
    "change_address": _requests(
        act=(
            "change the delivery address | send order {order} to another address | "
            "correct my street in the order | have the {item} delivered to my office"
        ),
        fact="I moved and my order has the old address | the address of my order is wrong",
    ),
    "change_size": _requests(
        act=(
            "swap the {item} for a larger size | swap the {item} for a smaller size | "
            "get another size of the {item} | exchange the size"
        ),
        fact="the {item} is too small | the {item} is too large | the {item} does not fit",
    ),
    "double_charge": _requests(
        fact=(
            "I paid twice | my card was charged two times | you took the money twice for order {order} | "
            "there are two payments on my statement | the {item} was charged double"
        ),
        ask="why I was charged twice",
    ),
    "payment_declined": _requests(
        fact=(
            "my card was declined | the payment failed | your shop does not accept my card | "
            "I cannot pay for the {item} | the checkout rejects my payment"
        ),
        ask="why my payment does not go through",
    ),
    "invoice_copy": _requests(
        act=(
            "get an invoice for {order} | download a copy of the bill | "
            "have the invoice for the {item} again | print my bill"
        ),
        fact="I lost the invoice | there was no bill in the mail",
    ),
    "discount_code": _requests(
        act="use my discount code | apply a voucher to order {order} | add a coupon",
        fact="the discount code does not work | my coupon is refused | the voucher says it is not valid",
        ask="whether there is a discount code for the {item}",
    ),
    "gift_card": _requests(
        act="buy a gift card | use a gift card for the {item} | check the balance of a gift card",
        ask="how much is left on my gift card | whether the gift card expires",
        fact="my gift card does not work",
    ),
    "price_match": _requests(
        fact=(
            "the {item} is cheaper in another shop | I saw the {item} at a lower price | "
            "the price of the {item} fell after I paid"
        ),
        ask="whether you match the price of another shop",
        act="get the lower price | get back the price difference for the {item}",
    ),
    "size_advice": _requests(
        ask=(
            "which size of {item} I should take | whether the {item} runs small | "
            "how to measure for the {item} | what size fits me | which size is right for tall people"
        ),
        act="find my size of {item} | read the size chart",
    ),
    "care_advice": _requests(
        ask=(
            "how I wash the {item} | whether the {item} can go in the washing machine | "
            "how to clean the {item} | how to make the {item} waterproof again | how to dry the {item}"
        ),
        act="wash the {item} | clean mud from the {item}",
    ),
    "stock_check": _requests(
        ask=(
            "whether the {item} is in stock | when the {item} is available again | "
            "whether your shop has the {item} | how many of the {item} are left"
        ),
        fact="the {item} is sold out on the website",
        act="find the {item} that is out of stock",
    ),
    "repair_service": _requests(
        act=(
            "have the {item} repaired | get my old {item} mended | send the {item} in for repair | "
            "replace the sole of my boots"
        ),
        ask="whether you repair the {item} | what a repair costs",
    ),
    "reset_password": _requests(
        act="reset my password | log in again | get a new password | unlock my login",
        fact="I forgot my password | my login does not work | the website does not know my password",
    ),
    "delete_account": _requests(
        act="delete my account | close my account for good | erase my data | have my profile removed",
        fact="I no longer want an account | you should erase all my data",
    ),
    "newsletter_stop": _requests(
        act="stop the newsletter | leave the mailing list | get no more advertising",
        fact=("I get too many emails from you | your newsletter comes every day | I never asked for the newsletter"),
    ),
    "speak_to_human": _requests(
        act="speak to a person | talk to a human | call somebody on your team | be called by an agent",
        ask="what number I call to reach a person",
        fact="I do not want to talk to a machine",
    ),
}

CONDITIONS = {
    "over_30_days": (
        "I bought it {many} days ago.",
        "That was {many} days ago.",
        "The order is {many} days old.",
    ),
    "under_30_days": (
        "I bought it {few} days ago.",
        "That was {few} days ago.",
        "The order is {few} days old.",
    ),
    "final_sale": (
        "It was in the final sale.",
        "It came from the clearance sale.",
        "The label says final sale.",
    ),
    "already_shipped": (
        "It has been shipped already.",
        "The site says it is shipped.",
        "It left your warehouse already.",
    ),
    "business_customer": (
        "We are a business customer.",
        "I order for my company.",
        "This is for our business account.",
    ),
    "no_receipt": ("I have no receipt.", "I cannot find the receipt.", "The receipt is gone."),
    "gold_member": (
        "I am a gold member.",
        "My gold membership is active.",
        "As a gold member I hope it goes fast.",
    ),
    "legal_threat": (
        "Otherwise I call my lawyer.",
        "My lawyer will write to you.",
        "I am ready to go to court.",
    ),
    "injury": ("I cut my hand on it.", "My child was hurt by it.", "It gave me a burn on my arm."),
    "someone_else": (
        "I write for my mother.",
        "It is my husband's, not mine.",
        "I ask on behalf of a friend.",
    ),
    "second_time": ("It is the second time.", "This happened before.", "It is the same trouble again."),
    "abroad": ("I live abroad.", "I am in another country.", "I live outside the country."),
    "gift_receiver": (
        "I got it as a gift.",
        "It was a present from my aunt.",
        "Someone gave it to me as a present.",
    ),
}

GREETINGS = ("", "", "Hi.", "Hello.", "Good morning.", "Hi there.", "Dear team.", "Hello Brindle and Moor.")
CLOSINGS = (
    "",
    "",
    "Thanks.",
    "Thank you.",
    "Please answer soon.",
    "Best wishes.",
    "Many thanks.",
    "My order is {order}.",
)

ITEMS = _phrases(
    "tent | rain jacket | sleeping bag | rucksack | head torch | camp stove | hiking boots | wool socks | "
    "fleece | walking poles | water bottle | down coat | climbing rope | camping chair | gas lamp | "
    "sun hat | winter gloves | trail shoes | compass | hammock"
)
