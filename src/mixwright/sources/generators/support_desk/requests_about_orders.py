"""Requests about an order and what is in it; see `requests`."""

from mixwright.sources.generators.support_desk.wordings import Request, Sides, requests

ABOUT_ORDERS: dict[str, Sides[Request]] = {
    "track_order": {
        "train": requests(
            ask=(
                "where (my parcel / the {item} / order {order}) is (now / at the moment) | "
                "on which day (my parcel / the {item}) arrives | how far my order has come | "
                "what the status of order {order} is | whether my parcel is still on its way | "
                "where the courier is (now / at the moment) | what the status of my (order / parcel) is | "
                "when (my parcel / order {order}) will be here | how far (my parcel / the delivery) is"
            ),
            act=(
                "track (my order / my parcel / order {order}) | follow my (parcel / delivery) | "
                "see where my (order / delivery) is | see how far my (order / delivery) is | "
                "track (my delivery / my {item}) | follow my order on its way"
            ),
        ),
        "test": requests(
            ask=(
                "where the courier is with my parcel | how far the {item} has come | "
                "what the status of my delivery is | on which day order {order} will be here"
            ),
            act="follow order {order} on the map | track the {item} | see how far my parcel has got",
        ),
    },
    "late_parcel": {
        "train": requests(
            fact=(
                "(my parcel / the {item} / order {order}) is late | "
                "(my order / the {item}) should have come last week | (the delivery / my parcel) is overdue | "
                "I am still waiting for (my parcel / the {item}) | the courier never came with my ({item} / parcel) | "
                "(order {order} / the {item}) has not arrived | my parcel is stuck somewhere | "
                "nothing has arrived yet | (my delivery / the {item}) is still not here | my order is very late | "
                "I have waited too long for my parcel | I should have my parcel by now"
            ),
            ask=(
                "why (my parcel / order {order}) takes so long | why my delivery is late | "
                "why the courier (is so slow / did not come) | why my {item} is late"
            ),
        ),
        "test": requests(
            fact=(
                "the delivery of the {item} is very late | my order is long overdue | "
                "I am still waiting for order {order} | the courier never showed up | "
                "my parcel should have been here by now"
            ),
            ask="why the {item} has still not arrived | why the courier takes so long",
        ),
    },
    "missing_item": {
        "train": requests(
            fact=(
                "the {item} was (not in the box / missing from the box) | "
                "(one thing / something / the {item}) is missing from my (parcel / order) | "
                "(the box / my parcel) came without the {item} | half of my order is missing | the parcel was empty | "
                "you forgot to pack (the {item} / one thing) | only a part of my order was in the box | "
                "I got everything but the {item} | (two / some) things are missing from my order | "
                "something was not in (the box / my order) | the box was only half full | only half of my order came | "
                "I did not find the {item} in the box"
            ),
            ask=(
                "why (the {item} / a part of my order) was not in the parcel | "
                "why (one thing / half of my order) is missing"
            ),
        ),
        "test": requests(
            fact=(
                "the {item} is missing from the box | two things were not in my parcel | the box was half empty | "
                "my order came without one of the things | you forgot the {item} when you packed my parcel"
            ),
            ask="why something is missing from the box | why only a part of my order came",
        ),
    },
    "wrong_item": {
        "train": requests(
            fact=(
                "I got (the wrong {item} / a wrong product / the wrong thing) | "
                "you sent (something else than the {item} / the wrong product / me another {item}) | "
                "this is not the {item} that I ordered | (the box / my parcel) holds another product | "
                "the {item} has the wrong colour | (somebody else's order / another person's {item}) was in my box | "
                "the colour of the {item} is not what I ordered | I ordered the {item} and got something else | "
                "the {item} in the box is a different (model / colour) | "
                "a different (product / model) was in (my parcel / the box) | I got somebody else's (parcel / order) | "
                "(my parcel / the box) has the wrong {item} in it"
            ),
            ask=(
                "why you sent me the wrong (thing / {item}) | why I got a different {item} | "
                "why another product was in my parcel"
            ),
        ),
        "test": requests(
            fact=(
                "the wrong {item} was in my box | you sent me a different product | "
                "somebody else's {item} came in my parcel | I ordered another model of the {item} | "
                "this is the wrong colour of the {item}"
            ),
            ask="why I got another product than I ordered | why a different {item} was in the box",
        ),
    },
    "damaged_item": {
        "train": requests(
            fact=(
                "the {item} (arrived / came) (broken / damaged) | there is a (hole / crack / tear) in the {item} | "
                "the {item} (is torn / has a crack / has a hole / is scratched / fell apart) | "
                "the {item} was (damaged / broken) in the box | a part of the {item} is broken | "
                "I unpacked the {item} and it was broken | the seam of the {item} is open | "
                "there are scratches on the {item} | I found a (crack / tear) in the {item} | "
                "one side of the {item} is torn | my new {item} is (damaged / broken)"
            ),
            ask=(
                "why you sent me a (broken / torn) {item} | why there is a hole in the {item} | "
                "why the {item} came broken"
            ),
        ),
        "test": requests(
            fact=(
                "the {item} came out of the box torn | I found a big hole in the {item} | "
                "the {item} has scratches and a crack | one side of the {item} is damaged | "
                "the new {item} is broken and of no use"
            ),
            ask="why the {item} has fallen apart | why there is a crack in my new {item}",
        ),
    },
    "return_item": {
        "train": requests(
            act=(
                "(return / send back / give back / bring back) (the {item} / what I bought) | get a return label | "
                "return order {order} | start a return for the {item} | send the {item} back to you | "
                "give the {item} back because I do not like it | get a label for the return | "
                "(return / send back) the things from my order | send back order {order}"
            ),
            ask=(
                "how a return works | where I send the {item} back | who pays for the return | "
                "whether I can (return / bring back) my order | what I pay for a return | "
                "where I bring the {item} for a return"
            ),
            fact=(
                "I do not like the {item} and want to return it | I do not like what I bought and want to send it back"
            ),
        ),
        "test": requests(
            act=(
                "return one part of my order | send back the things that I do not like | "
                "get a label to send the {item} back | bring the {item} back to a shop"
            ),
            ask="where I can return the things that I bought | what a return costs",
            fact="I do not like the {item}, so it goes back to you",
        ),
    },
    "refund_status": {
        "train": requests(
            ask=(
                "(when / whether) I get my (refund / money back) | where my (refund / money) is | "
                "how long (the refund / my refund for order {order}) takes | what happened to my refund | "
                "whether my (money / refund) is on its way | when the (money / refund) comes | "
                "how long I wait for my (refund / money) | where the refund for the {item} is"
            ),
            fact=(
                "my refund has not come | I am still waiting for my (money back / refund) | "
                "the refund for order {order} is not on my account | "
                "I sent the {item} back and have no (refund / money) yet | you promised me a refund | "
                "the money for (the {item} / my return) has not come back | "
                "my (money / refund) is still not on my account | my refund has not arrived | "
                "I returned the {item} and got no money back"
            ),
        ),
        "test": requests(
            ask=(
                "how long I must wait for my money back | when I get the refund for the {item} | "
                "where the money for order {order} is"
            ),
            fact=(
                "my money is not back on my account | the refund that you promised has not arrived | "
                "I returned the {item} and am waiting for the refund | I have no refund yet for order {order}"
            ),
        ),
    },
    "cancel_order": {
        "train": requests(
            act=(
                "(cancel / stop / call off) (my order / order {order} / my order for the {item}) | "
                "call off the purchase | undo my (order / purchase) | cancel the {item} | take back my order {order} | "
                "have my order (cancelled / stopped) | cancel (my purchase / everything) | undo my order of the {item}"
            ),
            fact=(
                "I no longer want (the order / the {item}) | I ordered the {item} by mistake | "
                "I changed my mind about order {order} | you can forget my order | "
                "I changed my mind and do not want the {item} | the (order / purchase) was a mistake"
            ),
        ),
        "test": requests(
            act=(
                "cancel what I ordered | cancel the purchase of the {item} | call off all of my order | "
                "undo order {order} | have order {order} cancelled"
            ),
            fact="I changed my mind and no longer want what I ordered | my order of the {item} was a mistake",
        ),
    },
    "change_address": {
        "train": requests(
            act=(
                "change the (delivery address / address of order {order} / address for my parcel) | "
                "send (order {order} / the {item} / my parcel) to (another / a new) address | "
                "correct my (street / house number) in the order | "
                "have the {item} delivered to my (office / neighbour) | "
                "have (my order / the {item}) sent to (a new / another) address | "
                "have order {order} delivered to my new house"
            ),
            fact=(
                "I moved and my order has the old address | the address of my order is wrong | "
                "I gave you (my old / the wrong) address | I typed the wrong street | "
                "order {order} goes to the wrong address | my (street / house number) in the order is wrong | "
                "I have moved to another street | the {item} goes to the wrong house | my address has changed"
            ),
        ),
        "test": requests(
            act=(
                "correct the address of my parcel | have my parcel sent to my new address | "
                "have order {order} delivered to another street | change the house number of my delivery"
            ),
            fact="the street in my order is wrong | I moved to another house | the {item} goes to my old address",
        ),
    },
    "change_size": {
        "train": requests(
            act=(
                "(swap / exchange) the {wear} for a (larger / smaller / different) size | "
                "get (another size / a larger size / a smaller size) of the {wear} | exchange the size | "
                "change the size of the {wear} | have the {wear} in a (larger / smaller) size | "
                "change to a (larger / different) size | swap the {wear} because it is too large"
            ),
            fact=(
                "the {wear} is too (small / large / tight / wide) | the {wear} does not fit me | "
                "I need the {wear} one size (up / down) | I took the wrong size | "
                "I need a (larger / smaller) size of the {wear} | the {wear} is (one size / much) too small | "
                "my {wear} must be larger"
            ),
        ),
        "test": requests(
            act=(
                "swap my {wear} for one that fits | have the {wear} in the next size up | change to a smaller size | "
                "exchange the {wear} because it is too tight"
            ),
            fact="the {wear} is one size too large | this size of the {wear} does not fit | I need a larger {wear}",
        ),
    },
}
