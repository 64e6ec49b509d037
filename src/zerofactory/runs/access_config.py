"""``access.toml`` beside the access database: the company's own login and the partners of data exchange.

No secret stands in the file: it names the variable or the file that holds it. Unknown keys are refused.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zerofactory.connectors.web_request import may_ask
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import text_of, toml_of
from zerofactory.runs.access import ROLES, policy
from zerofactory.store.access import ANY_SITE
from zerofactory.wording import complaint, problems_of

CONFIG_FILE = "access.toml"
_ADDRESS = Text(
    "应以 https:// 开头(本机可用 http://), 不带用户名、问号和井号",
    "https:// (or http:// on this machine), without user, query or fragment",
)
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
            raise complaint(
                "role", "管理员只在本机任命, 不由声明给出", "administrators are appointed here, never by a claim"
            )
        if self.role not in ROLES:
            listed = ", ".join(role for role in ROLES if role != "administrator")
            raise complaint("role", f"没有角色“{self.role}”, 可选: {listed}", f"there is no role '{self.role}'; choose from {listed}")  # fmt: skip
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
        unsound = [
            name for name in ("issuer", "address") if not may_ask(getattr(self, name)) or "?" in getattr(self, name)
        ]
        faults = [Text(f"{name} {_ADDRESS.zh}", f"{name}: {_ADDRESS.en}") for name in unsound]
        if "openid" not in self.scopes:
            faults.append(Text("scopes 缺少 'openid'", "scopes: 'openid' is missing"))
        longest = policy()["company"]["longest_skew_seconds"]
        if self.clock_skew_seconds > longest:
            faults.append(Text(f"clock_skew_seconds 至多 {longest}", f"clock_skew_seconds: at most {longest}"))
        if (self.client_auth == "none") != (self.client_secret_env is None and self.client_secret_file is None):
            faults.append(
                Text(
                    "client_auth 为 'none' 时不带密钥, 为 'basic' 或 'post' 时要有一个",
                    "client_auth: 'none' goes without a secret, 'basic' and 'post' with one",
                )
            )
        if faults:
            raise complaint("company", "; ".join(one.zh for one in faults), "; ".join(one.en for one in faults))
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
            listed = ", ".join(wrong)
            raise complaint("address", f"{listed} {_ADDRESS.zh}", f"{listed}: {_ADDRESS.en}")
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
                raise complaint("repeated", f"两个 partners 的 {name} 相同", f"partners: two with the same {name}")
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
        return AccessConfig.model_validate(
            toml_of(text_of(path.read_bytes(), CONFIG_FILE), CONFIG_FILE, "access.config")
        )
    except ValidationError as error:
        raise FaultyData(problems_of(error, "access.config", _MEND, CONFIG_FILE)) from None
