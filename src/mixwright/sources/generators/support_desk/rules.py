"""The desk's rules as data: what each intent leads to, and which conditions overrule that.

One intent and at most one condition decide, so every gold answer can be looked up by hand. Real desks chain
rules; a chain would test reasoning, and this domain is to test learning a house format.
"""

from typing import NamedTuple

# The action for each intent when no rule applies.
USUAL_ACTION = {
    "track_order": "send_status",
    "late_parcel": "open_trace",
    "missing_item": "ship_again",
    "wrong_item": "swap_item",
    "damaged_item": "swap_item",
    "return_item": "send_label",
    "refund_status": "send_status",
    "cancel_order": "stop_order",
    "change_address": "edit_order",
    "change_size": "swap_item",
    "double_charge": "pay_back",
    "payment_declined": "explain",
    "invoice_copy": "send_document",
    "discount_code": "explain",
    "gift_card": "explain",
    "price_match": "pay_back",
    "size_advice": "explain",
    "care_advice": "explain",
    "stock_check": "send_status",
    "repair_service": "send_label",
    "reset_password": "send_link",
    "delete_account": "send_link",
    "newsletter_stop": "edit_profile",
    "speak_to_human": "call_back",
}


class Rule(NamedTuple):
    """When `condition` is in the message and the intent is one of `intents`, do `action` instead."""

    condition: str
    intents: frozenset[str]
    action: str


def _rule(condition: str, intents: str, action: str) -> Rule:
    return Rule(condition, frozenset(intents.split()), action)


GOODS = "missing_item wrong_item damaged_item return_item change_size"
MONEY = "refund_status double_charge payment_declined price_match discount_code gift_card"
PARCEL = "track_order late_parcel cancel_order change_address"

RULES = (
    _rule("over_30_days", f"{GOODS} price_match", "decline"),
    _rule("final_sale", "return_item change_size price_match discount_code", "decline"),
    _rule("already_shipped", "cancel_order change_address", "refuse_parcel"),
    _rule("business_customer", f"{GOODS} {MONEY} {PARCEL} invoice_copy stock_check", "account_manager"),
    _rule("no_receipt", f"{GOODS} repair_service price_match", "ask_receipt"),
    _rule("gold_member", f"{GOODS} late_parcel stock_check repair_service", "express"),
    _rule("legal_threat", " ".join(USUAL_ACTION), "escalate"),
    _rule("injury", "damaged_item return_item wrong_item repair_service care_advice", "safety_team"),
    _rule("someone_else", f"{MONEY} {PARCEL} reset_password delete_account invoice_copy", "verify_identity"),
    _rule("second_time", f"{GOODS} late_parcel payment_declined reset_password", "call_back"),
    _rule("abroad", f"{GOODS} late_parcel repair_service", "partner_shop"),
    _rule("gift_receiver", "return_item change_size wrong_item", "store_credit"),
)

# A condition that no rule mentions: the customer bought a short time ago.
HARMLESS_CONDITIONS = ("under_30_days",)


def action_for(intent: str, condition: str) -> str:
    """The action for `intent`; `condition` is "" when the message has none. Raises KeyError for an unknown
    intent.
    """
    for rule in RULES:
        if rule.condition == condition and intent in rule.intents:
            return rule.action
    return USUAL_ACTION[intent]


def conditions_for(intent: str) -> tuple[str, ...]:
    """The conditions that a rule ties to `intent`, in the order of the rules."""
    return tuple(rule.condition for rule in RULES if intent in rule.intents)
