"""A signal interrupts a rescue, but never the making or deleting of a clone."""

import os
import signal

import pytest

from rescue.interrupt import as_keyboard_interrupt, deferred


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_way_to_stop_is_one(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), as_keyboard_interrupt():
        os.kill(os.getpid(), number)
        pytest.fail("the signal did not interrupt")
    assert signal.getsignal(number) is before


def test_a_second_signal_does_not_break_into_the_clean_up() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), as_keyboard_interrupt():
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            os.kill(os.getpid(), signal.SIGHUP)
            done.append("clean-up")
    assert done == ["clean-up"]


def test_a_deferred_signal_waits_for_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), as_keyboard_interrupt(), deferred():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        done.append("everything")
    assert done == ["everything"]


def test_an_error_in_a_deferred_block_is_not_hidden_by_a_signal() -> None:
    with pytest.raises(ValueError, match="the real trouble"), deferred():
        os.kill(os.getpid(), signal.SIGINT)
        raise ValueError("the real trouble")


def test_a_signal_that_the_caller_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with as_keyboard_interrupt(), deferred():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
