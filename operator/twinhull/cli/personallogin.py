"""A person's login, which all that one verb asks a cluster for shares."""

from __future__ import annotations

from itertools import chain, repeat

from twinhull.cli.targets import Target
from twinhull.shell.kopf_process.credentials import Credentials, Login, LoginError, login_of_person


class PersonalLogin:
    """The login at a cluster. A credential plugin runs once, for however many connections: it may take a
    while, and may ask the person for something.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._credentials_or_error: Credentials | LoginError | None = None

    def credentials(self) -> Credentials:
        """The credentials. Raises LoginError, each time for the same reason."""
        if self._credentials_or_error is None:
            try:
                self._credentials_or_error = self._anew()
            except LoginError as error:
                self._credentials_or_error = error
        if isinstance(self._credentials_or_error, LoginError):
            raise self._credentials_or_error
        return self._credentials_or_error

    def of_connection(self) -> Login:
        """What logs in for a connection: with these credentials, and anew when they aren't accepted."""
        logins = chain([self.credentials], repeat(self._anew))

        def login() -> Credentials:
            return next(logins)()

        return login

    def _anew(self) -> Credentials:
        return login_of_person(self._target.kubeconfig, self._target.context)
