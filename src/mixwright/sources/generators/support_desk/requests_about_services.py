"""Requests about money, advice, services and the account; see `requests`."""

from mixwright.sources.generators.support_desk.wordings import Request, Sides, requests

ABOUT_SERVICES: dict[str, Sides[Request]] = {
    "double_charge": {
        "train": requests(
            fact=(
                "I (paid / was charged) (twice / two times) | my card was charged (twice / two times) | "
                "you took (the money / the price) twice | you took my money two times | "
                "there are two payments (on my statement / for order {order}) | "
                "the {item} was charged (double / twice) | order {order} was charged double | "
                "I see the same payment twice | the same amount left my account twice | you booked my payment twice | "
                "the (price / amount) was booked twice | two payments left my bank account | "
                "there are two charges for order {order} | I paid the price two times | you charged my account twice | "
                "my (bank / statement) shows two payments"
            ),
            ask="why (I was charged twice / I paid double / there are two charges)",
        ),
        "test": requests(
            fact=(
                "I paid the price of the {item} twice | my account was charged two times | "
                "two payments for the {item} left my account | the price was taken twice | "
                "you charged me for order {order} twice"
            ),
            ask="why the same amount was booked two times | why my statement has two charges",
        ),
    },
    "payment_declined": {
        "train": requests(
            fact=(
                "my (card / payment) (was declined / is refused) | the payment (failed / does not go through) | "
                "your shop does not accept my card | I cannot pay for (the {item} / my order) | "
                "the checkout (rejects / refuses) my (payment / card) | my card does not work at the checkout | "
                "I tried to pay and it failed | the payment page shows an error | my bank card is not accepted | "
                "(my payment / the card) was not accepted | my payment (fails / did not work) | "
                "the shop declined my card | I cannot pay at the checkout"
            ),
            ask=(
                "why (my payment does not go through / my card is declined) | "
                "why the payment (fails / did not go through)"
            ),
        ),
        "test": requests(
            fact=(
                "the checkout declined my bank card | your shop refuses my payment | I cannot pay with my card | "
                "my payment was rejected | the payment for the {item} did not work"
            ),
            ask="why the payment page does not accept my card | why the payment for my order fails",
        ),
    },
    "invoice_copy": {
        "train": requests(
            act=(
                "get (an invoice / a bill / a copy of the invoice) for order {order} | "
                "download (a copy of the bill / my invoice) | have the (invoice / bill) for the {item} again | "
                "print my (bill / invoice) | see the invoice for my order | get the bill by email | "
                "download (the invoice / my bill) | get a copy of my (bill / invoice) | "
                "have (a new invoice / a copy of the bill) sent by email"
            ),
            fact=(
                "I (lost / cannot find) the (invoice / bill) | there was no (bill / invoice) in the (mail / box) | "
                "you sent me no (bill / invoice) | the (bill / invoice) for order {order} got lost"
            ),
            ask="where I find my (invoice / bill) | where the (bill / invoice) for the {item} is",
        ),
        "test": requests(
            act=(
                "print a copy of the invoice | download the bill for order {order} | "
                "have my bill sent to me again | get a new invoice for the {item}"
            ),
            fact="the invoice for the {item} got lost | you sent no bill with my order",
            ask="where the bill for my order is",
        ),
    },
    "discount_code": {
        "train": requests(
            act=(
                "use (my discount code / my voucher / a coupon) | "
                "apply (a voucher / a discount code) to order {order} | add a (coupon / voucher code) to my order | "
                "get the discount for the {item} | enter (a voucher / my discount code) | use a coupon for the {item}"
            ),
            fact=(
                "(the discount code / my coupon / the voucher) (does not work / is refused / is not valid) | "
                "the checkout does not accept my (voucher / discount code)"
            ),
            ask=(
                "whether there is a (discount code / voucher) for the {item} | why my voucher is not accepted | "
                "where I type the coupon | where I (enter / add) (the discount code / my coupon) | "
                "how I get a (discount / voucher) in your shop"
            ),
        ),
        "test": requests(
            act="apply my coupon to the {item} | add the discount code at the checkout | use a voucher for the {item}",
            fact="your site says that my discount code is not valid | the coupon was not accepted",
            ask="where I enter the voucher code | how I get a discount on the {item}",
        ),
    },
    "gift_card": {
        "train": requests(
            act=(
                "buy (a gift card / two gift cards) | use (a / my) gift card for the {item} | "
                "check the balance of (a / my) gift card | pay with (a / my) gift card | send a gift card by email | "
                "pay for my order with a gift card | see the balance of my gift card"
            ),
            fact=(
                "my gift card (does not work / is empty / is lost) | the shop does not take my gift card | "
                "the code on the gift card cannot be read"
            ),
            ask=(
                "how much is left on my gift card | (whether / when) (the / my) gift card expires | "
                "where I can spend a gift card | what gift cards you sell | how long my gift card is good"
            ),
        ),
        "test": requests(
            act="give somebody a gift card | pay for the {item} with a gift card | see what is left on the gift card",
            fact="the balance of my gift card is wrong | the gift card is not accepted for the {item}",
            ask="how long I can use a gift card | whether you sell gift cards by email",
        ),
    },
    "price_match": {
        "train": requests(
            fact=(
                "the (same / very same) {item} is cheaper in another shop | "
                "I saw the {item} (at a lower price / cheaper somewhere else) | "
                "the price of the {item} fell after I paid | another shop asks less for the {item} | "
                "your price for the {item} is higher than elsewhere | the {item} (got cheaper / costs less) now | "
                "the {item} is cheaper (today / elsewhere) | I found the {item} at a better price"
            ),
            ask=(
                "whether you match (the price of another shop / a lower price) | "
                "whether I get the difference when the price falls | what you do when another shop is cheaper | "
                "whether you match (lower prices / the prices of other shops) | "
                "what you do when the {item} gets cheaper"
            ),
            act=(
                "get the (lower / better) price | get (the price difference / back the difference) for the {item} | "
                "pay the price of the other shop | have the price of the {item} matched | "
                "get the difference to a lower price"
            ),
        ),
        "test": requests(
            fact=(
                "a different shop sells the {item} at a lower price | I found a better price for the {item} | "
                "the {item} is cheaper now than when I paid"
            ),
            ask="whether you match prices from elsewhere | what you do when I see the {item} cheaper",
            act="get the difference to the price of another shop | have your price for the {item} matched",
        ),
    },
    "size_advice": {
        "train": requests(
            ask=(
                "(which / what) size (fits me / I should take / is right for tall people) | "
                "which size of the {wear} I should (take / order) | whether the {wear} runs (small / large) | "
                "how to measure for the {wear} | how the sizes of the {wear} run | what size I am in your shop | "
                "whether I need a medium or a large | which size to take for the {wear} | "
                "what size a (tall / small) person takes | how to find my size"
            ),
            act=(
                "find (my size / the right size) of the {wear} | read the size chart | know my size before I order | "
                "choose between two sizes | find my size on your size chart | measure my (feet / head) | "
                "choose the size of the {wear}"
            ),
        ),
        "test": requests(
            ask=(
                "which size of the {wear} fits a tall person | how I find out my size | "
                "whether the {wear} comes out large or small | what size to take between medium and large"
            ),
            act="measure myself for the {wear} | find the {wear} on the size chart | choose the right size",
        ),
    },
    "care_advice": {
        "train": requests(
            ask=(
                "how (I wash / to clean / to dry) the {wear} | "
                "whether the {wear} can go in the (washing machine / dryer) | "
                "how to make the {item} waterproof again | how hot I may wash the {wear} | "
                "which soap is good for the {wear} | how to get (mud / grease) out of the {wear} | "
                "how I store the {item} in winter | how long the {wear} must dry | "
                "whether I may dry the {wear} in the sun | whether I may wash the {wear} with soap | "
                "which wax is good for the {item}"
            ),
            act=(
                "(wash / clean / wax) the {wear} at home | clean mud from the {item} | "
                "remove a stain from the {item} | keep the {item} waterproof | take good care of the {item} | "
                "get mud out of the {item} | store the {item} for the winter"
            ),
            fact="the {item} is full of mud | there is a stain on the {item}",
        ),
        "test": requests(
            ask=(
                "whether I can wash my {wear} by hand | how long to dry the {wear} | "
                "which wax makes the {item} waterproof"
            ),
            act="get a stain out of the {wear} | wash my {wear} in the machine | clean and store the {item}",
            fact="there is mud on my {item}",
        ),
    },
    "stock_check": {
        "train": requests(
            ask=(
                "whether (the {item} / a {item}) is in stock | when (the {item} / a {item}) is available again | "
                "whether your shop has the {item} | whether there is a {item} left | "
                "whether you still sell the {item} | when you get the {item} back in stock | "
                "in which shop the {item} is available | how soon the {item} is back in stock | "
                "whether the website still has the {item}"
            ),
            fact=(
                "the {item} is (sold out / out of stock) (on the website / in the shop) | "
                "I cannot find the {item} on your website | your site says that the {item} is sold out | "
                "there is no {item} left in the shop | the {item} is not in stock"
            ),
            act=(
                "(find / order) the {item} that is (out of stock / sold out) | find a {item} in one of your shops | "
                "buy the {item} that is sold out"
            ),
        ),
        "test": requests(
            ask=(
                "whether you have the {item} in your shop | when the {item} is in stock again | "
                "how soon the sold out {item} is available"
            ),
            fact="the {item} is not available on your website | your shop has no {item} left",
            act="buy the {item} when it is back in stock | find a shop that still has the {item}",
        ),
    },
    "repair_service": {
        "train": requests(
            act=(
                "have the {item} (repaired / mended) | get my old {item} (mended / repaired) | "
                "send the {item} in for repair | (replace / repair) the sole of my boots | "
                "book a repair for the {item} | get a new (zip / strap) for the {item} | "
                "(bring / take) the {item} to your repair shop | have the (strap / zip) of the {item} repaired | "
                "get my shoes repaired"
            ),
            ask=(
                "whether you (repair / mend) (the {item} / old things) | (what / how much) a repair costs | "
                "how long a repair takes | where your repair shop is | what it costs to (repair / replace) a strap | "
                "how long it takes to mend the {item}"
            ),
            fact=(
                "the {item} is old and needs a repair | my {item} is worn and must be mended | "
                "the {item} needs (a repair / a new strap)"
            ),
        ),
        "test": requests(
            act=(
                "have a strap of the {item} mended | bring my {item} to the repair shop | "
                "get the sole of my shoes repaired"
            ),
            ask="what it costs to mend the {item} | how long it takes to repair the {item}",
            fact="my old {item} needs to be repaired | the {item} is worn and needs new parts",
        ),
    },
    "reset_password": {
        "train": requests(
            act=(
                "(reset / change / recover) my password | get a (new / fresh) password | log in again | "
                "unlock my (login / account) | set a new password | reset my login | log in to the website | "
                "choose a new password"
            ),
            fact=(
                "I (forgot / lost) my password | my (login / password) (does not work / is not accepted) | "
                "the website does not know my password | I cannot log in | I am locked out of my account | "
                "the link for a new password never came | my account is locked | I do not remember my password | "
                "the website says that I am locked out"
            ),
            ask="why my password is wrong",
        ),
        "test": requests(
            act="choose another password | log in to my account | reset the login for the website",
            fact="I do not know my password any more | my login is locked | the website says that my password is wrong",
            ask="why I am locked out",
        ),
    },
    "delete_account": {
        "train": requests(
            act=(
                "(delete / close / remove) my (account / profile) | close my account for good | "
                "(erase / delete) all my data | have my (profile / account) removed | "
                "leave your shop and delete everything | have my data erased | have my (login / account) deleted | "
                "remove (all my data / everything that you know)"
            ),
            fact=(
                "I no longer want an account | you should (erase / delete) my (data / account) | "
                "I do not need my account any more | you keep data about me that I want erased | "
                "I no longer need (an account / the account) | my data should be removed"
            ),
            ask="how long it takes until my data is deleted | how I (delete / remove) my profile",
        ),
        "test": requests(
            act="have my account closed | erase my profile | remove everything about me | have all my data deleted",
            fact="I no longer need a profile | you should remove my data",
            ask="how I close an account",
        ),
    },
    "newsletter_stop": {
        "train": requests(
            act=(
                "(stop / cancel / end) (the / your) newsletter | leave the mailing list | "
                "get (no more / less) advertising | be taken off the mailing list | "
                "unsubscribe from (the newsletter / your emails) | leave your list | stop the emails with offers | "
                "get no more emails | unsubscribe from your list"
            ),
            fact=(
                "I get too many emails from you | your newsletter comes every day | "
                "I never asked for (the newsletter / your emails) | "
                "I do not want (the newsletter / your advertising / emails with offers) | "
                "I want no (newsletter / advertising) | I never asked for (advertising / your offers)"
            ),
            ask="why you send me emails every day | why I get so many (emails / offers)",
        ),
        "test": requests(
            act="get your newsletter no more | stop all advertising emails | unsubscribe from the mailing list",
            fact="I want no emails from you | too much advertising comes in my mail | I never asked for offers",
            ask="why I get the newsletter every day",
        ),
    },
    "speak_to_human": {
        "train": requests(
            act=(
                "(speak / talk) to (a person / a human / somebody on your team / an agent) | "
                "call somebody on your team | be called by (an agent / a person) | have a person call me | "
                "reach a human on the phone | have an agent phone me | speak with somebody real"
            ),
            ask=(
                "(what / which) number I call to reach a person | when I can (phone / call) your team | "
                "whether a human reads this | whether a real person can call me"
            ),
            fact="I do not want to talk to a machine | I want a real person | your chat robot does not help me",
        ),
        "test": requests(
            act=(
                "speak with a real person | talk to one of your people | have somebody on your team phone me | "
                "reach an agent"
            ),
            ask="which number a human answers | whether I can talk to a real agent",
            fact="I want to hear a human, not a machine",
        ),
    },
}
