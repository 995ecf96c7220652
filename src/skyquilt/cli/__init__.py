"""The command `skyquilt`: one file per verb; each calls one step."""

import sys
from types import TracebackType


def _say_interrupted(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Tell of Ctrl-C in one line also while the command is still being imported."""
    if issubclass(kind, KeyboardInterrupt):
        print("skyquilt: interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def _pass_interruption_on(unraisable: "sys.UnraisableHookArgs") -> None:
    """Raise Ctrl-C again that came where Python can raise nothing, as in the midst of an import."""
    if unraisable.exc_type is KeyboardInterrupt:
        import signal

        signal.raise_signal(signal.SIGINT)
    else:
        sys.__unraisablehook__(unraisable)


def pass_interruptions_on() -> None:
    """Let Ctrl-C end a process that is the command, at whatever moment it comes."""
    sys.unraisablehook = _pass_interruption_on


sys.excepthook = _say_interrupted  # now, for the verbs are imported next
