"""The errors that hef_graph raises on purpose; everything else that escapes is a bug.

HefError
├── HefInputError       a dialogue, message or option that cannot be used as given (also a ValueError)
├── HefModelError       a chat model or a remote SEM that cannot be built or reached
│   └── HefBusyError    a SEM that has too much to do now; try again in a moment
├── HefCheckpointError  model files that are missing, damaged or of another format
└── HefReplyError       a model's answer that does not fit the reply's schema

Their texts say what was wrong by kind, place and length, and never repeat what a user or a model has written: they end
up in logs. Where a foreign error may repeat it, ours is raised `from None`; `__context__` still holds it for debuggers.
"""


class HefError(Exception):
    """Base of all errors of this package; its text says what was wrong and what to do."""


class HefInputError(HefError, ValueError):
    """A dialogue, message or option cannot be used as given."""


class HefModelError(HefError):
    """A chat model or a remote SEM cannot be built or reached."""


class HefBusyError(HefModelError):
    """A small empathetic model (SEM) has too much to do now; try again in a moment."""


class HefCheckpointError(HefError):
    """Model files are missing, damaged or of another format."""


class HefReplyError(HefError):
    """A model's answer does not fit the reply's schema."""

    def __init__(
        self, cause: str, message: str, *, retry_after: float | None = None, refused_method: bool = False
    ) -> None:
        super().__init__(message)
        self.cause = cause
        """One word for `degraded_reason`: refusal, truncated, empty, prose, label, …"""
        self.retry_after = retry_after
        """Seconds after which the provider wants to be asked again; None if it does not say."""
        self.refused_method = refused_method
        """Whether the provider cannot be asked for the schema in this way (`response_format`, tools)."""
