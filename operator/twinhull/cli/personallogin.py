"""A person's login, which all connections of a verb share."""

from __future__ import annotations

from itertools import chain, repeat

from twinhull.cli.targets import Target
from twinhull.shell.kopf_process.credentials import Credentials, Login, LoginError, login_of_person


class PersonalLogin:
    """The login to a cluster. A credential plugin runs once for all connections, since it may take a while
    and may ask the person something.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._credentials_or_error: Credentials | LoginError | None = None

    def credentials(self) -> Credentials:
        """The credentials. Raises LoginError, each time with the same reason."""
        if self._credentials_or_error is None:
            try:
                self._credentials_or_error = self._anew()
            except LoginError as error:
                self._credentials_or_error = error
        if isinstance(self._credentials_or_error, LoginError):
            raise self._credentials_or_error
        return self._credentials_or_error

    def of_connection(self) -> Login:
        """The login for a connection: first these credentials, then new ones whenever they are refused."""
        logins = chain([self.credentials], repeat(self._anew))

        def login() -> Credentials:
            return next(logins)()

        return login

    def _anew(self) -> Credentials:
        return login_of_person(self._target.kubeconfig, self._target.context)
