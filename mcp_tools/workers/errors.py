"""Why a call has no answer. The messages are constant: nothing that a worker said is in them."""


class WorkerError(Exception):
    """A call has no answer."""

    def __init__(self) -> None:
        super().__init__(type(self).MESSAGE)

    MESSAGE = "the call was not answered"


class DeadlineError(WorkerError, TimeoutError):
    """The call took too long; its worker was killed."""

    MESSAGE = "the call took too long and was stopped"


class WorkerLostError(WorkerError):
    """The worker died of the call: a crash, or no memory left; or it could not be started, or the pool is closed."""

    MESSAGE = "the worker process ended before it answered"


class CallFailedError(WorkerError):
    """The call raised an exception, or does not fit into a frame; the worker lives."""

    MESSAGE = "the call failed"
