"""How customers say that a rule's condition holds: sentences for train, others for test."""

from mixwright.sources.generators.support_desk.wordings import Sides, wordings


def _said(train: str, test: str) -> Sides[str]:
    return {"train": wordings(train), "test": wordings(test)}


def _age(slot: str, train: str, test: str) -> Sides[str]:
    """Ages differ in their number; a sentence about 10 days is on the side of the one about 40."""
    number = "{" + slot + "}"
    return _said(
        train=f"I bought it {number} days ago. | That was {number} days ago. | The order is {number} days old. | "
        f"I paid {number} days ago. | It came {number} days ago. | It has been {number} days since I ordered. | "
        + train,
        test=f"My purchase was {number} days ago. | I ordered {number} days ago. | "
        f"It is {number} days since I bought it. | " + test,
    )


CONDITIONS = {
    "over_30_days": _age(
        "many",
        train="I bought it (two / three) months ago. | That was (half a year / four months) ago.",
        test="I ordered three months ago.",
    ),
    "under_30_days": _age(
        "few",
        train="I bought it (last week / yesterday). | That was only (last week / a week ago).",
        test="I ordered only last week.",
    ),
    "final_sale": _said(
        train=(
            "It was in the final sale. | It came from the clearance sale. | The label says final sale. | "
            "I bought it in the clearance. | It was a final sale item. | I took it from the clearance shelf. | "
            "I paid the final sale price. | It was marked as clearance."
        ),
        test=(
            "I found it in your final sale. | It was on the clearance page. | It had a clearance label. | "
            "It was sold as final sale."
        ),
    ),
    "already_shipped": _said(
        train=(
            "It has been shipped already. | The site says it is shipped. | It left your warehouse already. | "
            "The parcel is already on its way. | You shipped it this morning. | The courier has it already. | "
            "I got the mail that it was shipped. | It has already been sent out."
        ),
        test=(
            "The parcel has left the warehouse. | According to the site it was shipped. | "
            "It is already with the courier. | You have shipped the parcel."
        ),
    ),
    "business_customer": _said(
        train=(
            "We are a business customer. | I order for my company. | This is for our business account. | "
            "We buy as a firm. | My company is your customer. | It is for our staff. | "
            "The order is on a company account. | I write for a business."
        ),
        test=(
            "I am a business customer. | Our company has an account with you. | It was ordered by our business. | "
            "This is for the staff of my firm."
        ),
    ),
    "no_receipt": _said(
        train=(
            "I have no receipt. | I cannot find the receipt. | The receipt is gone. | I threw the receipt away. | "
            "There is no receipt any more. | I lost the receipt. | I do not have a receipt. | My receipt got lost."
        ),
        test="I kept no receipt. | The receipt is lost. | I can show no receipt. | The receipt went in the bin.",
    ),
    "gold_member": _said(
        train=(
            "I am a gold member. | My gold membership is active. | As a gold member I hope it goes fast. | "
            "I have a gold card from your club. | We are gold members. | I joined the gold club. | "
            "My account has gold status. | Please note my gold membership."
        ),
        test=(
            "I have been a gold member for years. | I pay for gold membership. | My status is gold. | "
            "I am in your gold club."
        ),
    ),
    "legal_threat": _said(
        train=(
            "Otherwise I call my lawyer. | My lawyer will write to you. | I am ready to go to court. | "
            "I will take you to court. | My lawyer knows about this. | I will sue you. | "
            "You will hear from my lawyer. | I think about legal action."
        ),
        test=(
            "I will ask a lawyer for help. | We will meet in court. | My next step is legal action. | "
            "Soon a lawyer will call you."
        ),
    ),
    "injury": _said(
        train=(
            "I cut my hand on it. | My child was hurt by it. | It gave me a burn on my arm. | "
            "I hurt my foot with it. | It cut my finger. | My son got injured by it. | "
            "I had to see a doctor because of it. | It burned my hand."
        ),
        test=(
            "It hurt my arm. | I was injured and saw a doctor. | I got a cut on my finger from it. | "
            "My daughter burned her hand on it."
        ),
    ),
    "someone_else": _said(
        train=(
            "I write for my mother. | It is my husband's, not mine. | I ask on behalf of a friend. | "
            "The account belongs to my wife. | I do this for my grandfather. | The order is my sister's, not mine. | "
            "I help my neighbour with this. | My friend asked me to write."
        ),
        test=(
            "I ask for my father. | It belongs to my wife, not me. | I write on behalf of my mother. | "
            "The account is my brother's, not mine."
        ),
    ),
    "second_time": _said(
        train=(
            "It is the second time. | This happened before. | It is the same trouble again. | "
            "I had this problem before. | It happens again and again. | You already solved this once for me. | "
            "This is my second message about it. | Once more the same problem."
        ),
        test=(
            "The same thing happened before. | It is my second complaint about this. | "
            "I have the same trouble once more. | This problem comes again and again."
        ),
    ),
    "abroad": _said(
        train=(
            "I live abroad. | I am in another country. | I live outside the country. | "
            "My home is in a foreign country. | I moved abroad. | I am not in your country. | "
            "You would have to send it abroad. | I write from another country."
        ),
        test=(
            "My home is abroad. | I live in a foreign country. | I am outside the country. | "
            "My address is in another country."
        ),
    ),
    "gift_receiver": _said(
        train=(
            "I got it as a gift. | It was a present from my aunt. | Someone gave it to me as a present. | "
            "It was a birthday gift. | My sister gave it to me. | I did not buy it, it was a gift. | "
            "It was a present for Christmas. | I received it as a present."
        ),
        test=(
            "It was a gift from my uncle. | I got it for my birthday as a present. | My brother gave me this gift. | "
            "Somebody bought it for me as a present."
        ),
    ),
}
