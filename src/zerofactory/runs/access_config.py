"""``access.toml`` beside the access database: the company's own login and the partners of data exchange.

No secret stands in the file: it names the variable or the file that holds it. Unknown keys are refused.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zerofactory.connectors.web_request import may_ask
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.runs.access import ROLES, policy
from zerofactory.store.access import ANY_SITE

CONFIG_FILE = "access.toml"
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
)  # signed by the provider's key alone
Word = Annotated[str, Field(min_length=1, max_length=500)]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


class _Secret(BaseModel):
    """Where a client's secret is: in a variable of the environment or in a file that its owner alone reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    client_id: Word
    client_secret_env: Word | None = None
    client_secret_file: Word | None = None

    def secret(self) -> str:
        """Return the secret, read anew each time; raise `FaultyData` when it is not where it should be."""
        if self.client_secret_env is not None:
            found = os.environ.get(self.client_secret_env, "")
        elif self.client_secret_file is not None:
            path = Path(self.client_secret_file)
            found = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
        else:
            return ""
        if not found:
            where = self.client_secret_env or self.client_secret_file
            text = Text(f"{where} 里没有密钥。", f"There is no secret in {where}.")
            raise FaultyData([Problem("access.secret", text, _MEND, file=CONFIG_FILE)])
        return found


class RoleGiven(BaseModel):
    """One value of the claim and the role it gives at one site (``*``: at every site)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    value: Word
    site: Word
    role: Word

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.role == "administrator":
            raise ValueError("role administrator: administrators are appointed here, never by a claim")
        if self.role not in ROLES:
            raise ValueError(f"role '{self.role}': choose from {', '.join(r for r in ROLES if r != 'administrator')}")
        return self


class Company(_Secret):
    """The company's own login: an OpenID Connect provider, and what its claims give here."""

    issuer: Word
    address: Word
    scopes: tuple[Word, ...] = ("openid", "profile")
    algorithms: tuple[Algorithm, ...] = ("RS256", "PS256", "ES256")
    client_auth: Literal["basic", "post", "none"] = "basic"
    role_claim: Word = "groups"
    login_claim: Word = "preferred_username"
    name_claim: Word = "name"
    clock_skew_seconds: Annotated[int, Field(ge=0)] = 60
    only: bool = False
    title: Word = "公司账户 · Company account"
    roles: Annotated[tuple[RoleGiven, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        faults = [f"{name}: https:// (or http:// on this machine), without user, query or fragment" for name in ("issuer", "address") if not may_ask(getattr(self, name)) or "?" in getattr(self, name)]  # fmt: skip
        if "openid" not in self.scopes:
            faults.append("scopes: 'openid' is missing")
        if self.clock_skew_seconds > policy()["company"]["longest_skew_seconds"]:
            faults.append(f"clock_skew_seconds: at most {policy()['company']['longest_skew_seconds']}")
        if (self.client_auth == "none") != (self.client_secret_env is None and self.client_secret_file is None):
            faults.append("client_auth: 'none' goes without a secret, 'basic' and 'post' with one")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class Partner(_Secret):
    """A customer or supplier with whom footprints are exchanged: by which user its program comes here, and where its own door is."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    title: Word
    login: Word
    site: Word
    address: Word
    token_address: Word | None = None
    told_of_new: bool = False

    @model_validator(mode="after")
    def _sound(self) -> Self:
        wrong = [a for a in (self.address, self.token_address) if a is not None and (not may_ask(a) or "?" in a)]
        if wrong:
            raise ValueError(
                f"{', '.join(wrong)}: https:// (or http:// on this machine), without user, query or fragment"
            )
        return self


class AccessConfig(BaseModel):
    """What ``access.toml`` says; nothing of it when there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    company: Company | None = None
    partners: tuple[Partner, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for name in ("id", "login"):
            values = [getattr(one, name) for one in self.partners]
            if len(values) != len(set(values)):
                raise ValueError(f"partners: two with the same {name}")
        return self

    def partner_of(self, login: str, site: str) -> Partner | None:
        """Return the partner whose program comes as this user to this site."""
        return next((p for p in self.partners if p.login.casefold() == login and p.site in (site, ANY_SITE)), None)


_MEND = Text("见 docs/how-to/company-login.md。", "See docs/how-to/company-login.md.")


def read_config(folder: Path) -> AccessConfig:
    """Return what ``access.toml`` of a folder says; raise `FaultyData` with every fault, secrets not repeated."""
    path = folder / CONFIG_FILE
    if not path.is_file():
        return AccessConfig()
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        place = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "UTF-8"
        text = Text(f"不是有效的 TOML: {place}", f"It is no TOML: {place}")
        raise FaultyData([Problem("access.config", text, _MEND, file=CONFIG_FILE)]) from None
    try:
        return AccessConfig.model_validate(raw)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise FaultyData(
            Problem(
                "access.config",
                Text(f"不对: {one['msg']}", f"{one['msg']}"),
                _MEND,
                file=CONFIG_FILE,
                column=".".join(str(part) for part in one["loc"]),
            )
            for one in faults
        ) from None
