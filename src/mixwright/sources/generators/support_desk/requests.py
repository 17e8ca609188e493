"""What customers want: for each intent the wordings of train and, apart from them, those of test.

A test wording is new as a whole but not in all its words: most of what gives the intent away occurs in some
training wording, often beside other words. Recognising it takes more than recall and less than a dictionary.
"""

from mixwright.sources.generators.support_desk.requests_about_orders import ABOUT_ORDERS
from mixwright.sources.generators.support_desk.requests_about_services import ABOUT_SERVICES
from mixwright.sources.generators.support_desk.wordings import Request, Sides

REQUESTS: dict[str, Sides[Request]] = ABOUT_ORDERS | ABOUT_SERVICES
