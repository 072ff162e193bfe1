"""When to try again, to wait, to stop or to send twice: pure, on a clock that is given."""
