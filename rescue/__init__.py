"""rescue: why does this pod crash?  Clone it safely, replay its command under strace, say the cause."""

__version__ = "0.1.0"
