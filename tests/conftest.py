"""What every test relies on."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell has `make test &` ignore Ctrl-C, and so would each process that a test starts, to interrupt it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
