"""No test asks the network for anything; and what a test starts can be interrupted, even where the tests cannot."""

import os
import signal

os.environ["HF_HUB_OFFLINE"] = "1"
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so in the background of a shell, and inherited by every child
    signal.signal(signal.SIGINT, signal.default_int_handler)
