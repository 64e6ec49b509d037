"""Commands of accounts: who may come in over the server, invitations, reset links, sessions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import say
from zerofactory.cli.options import JsonOption, WorkspaceOption, state
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from zerofactory.store.access import AccessStore, User

LoginArgument = Annotated[str, typer.Argument(metavar="LOGIN", help=say("登录名", "login"))]
SiteOption = Annotated[
    str, typer.Option("--site", metavar="SITE", help=say("工厂; * 为全部工厂", "site; * is every site"))
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("服务器的用户", "users of the server"))
    for name, told, command in (
        ("list", say("用户及其角色", "users and their roles"), list_),
        ("invite", say("生成一次性邀请链接", "make a link that makes one account"), invite),
        ("invitations", say("未用的邀请", "open invitations"), invitations),
        ("withdraw", say("撤回邀请", "withdraw an invitation"), withdraw),
        ("role", say("给或收回角色", "give or take a role"), role),
        ("reset", say("生成密码重置链接", "make a password reset link"), reset),
        ("sessions", say("用户的会话", "sessions of a user"), sessions),
        ("log-out", say("结束用户的全部会话", "end every session of a user"), log_out),
        ("disable", say("停用用户", "shut a user out"), disable),
        ("enable", say("恢复用户", "let a user in again"), enable),
        ("company", say("公司登录的设置, 可试连", "the company's login as it is set; try it"), company),
    ):
        group.command(name, help=told)(command)
    app.add_typer(group, name="users")


@door
def list_(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs.accounts import role_at

    store = _store(workspace)
    rows = [
        {"login": user.login, "name": user.name, "roles": store.grants(user.user_id), "company": not user.password_hash, "disabled": user.disabled}
        for user in store.users()
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    head = [
        (say("登录名", "login"), ""),
        (say("姓名", "name"), ""),
        (say("角色", "roles"), ""),
        (say("状态", "state"), ""),
    ]
    out = say("已停用", "shut out")
    shown = [(u.login, u.name, role_at(store, u, None) or "", out if u.disabled else "") for u in store.users()]
    print_table(say("用户", "Users"), head, shown)


@door
def invite(
    role_name: Annotated[
        str,
        typer.Option(
            "--role", metavar="ROLE", help="viewer | inspector | recorder | manager | verifier | administrator"
        ),
    ],
    site: SiteOption,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import access
    from zerofactory.runs.context import clock

    store = _store(workspace, site)
    code = access.invite(store, site, role_name, clock())
    _noted(store, "invite", role_name, site)
    _link(as_json, "/welcome", code)


@door
def invitations(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from dataclasses import asdict

    from zerofactory.runs.context import clock, stamp
    from zerofactory.store.accounts import open_invites

    found = open_invites(_store(workspace), None, at=stamp(clock()))
    if as_json:
        print_json([asdict(one) for one in found])
        return
    head = [
        (say("编号", "id"), ""),
        (say("工厂", "site"), ""),
        (say("角色", "role"), ""),
        (say("有效至 UTC", "until UTC"), ""),
    ]
    rows = [(one.invite_id, one.site, one.role, one.expires_at[:16]) for one in found]
    print_table(say("未用的邀请", "Open invitations"), head, rows)


@door
def withdraw(
    invite_id: Annotated[
        str, typer.Argument(metavar="ID", help=say("见 zf users invitations", "see zf users invitations"))
    ],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import accounts
    from zerofactory.runs.context import clock

    store = _store(workspace)
    accounts.withdraw(store, invite_id, None, clock())
    _noted(store, "withdraw invitation", invite_id)
    _told(as_json, {"invite_id": invite_id}, say("已撤回。", "Withdrawn."))


@door
def role(
    login: LoginArgument,
    role_name: Annotated[
        str, typer.Option("--role", metavar="ROLE", help=say("角色; 留空为收回", "role; empty takes it away"))
    ],
    site: SiteOption,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.errors import NotFound, Text
    from zerofactory.runs.access import ROLES

    store, user = _user(workspace, login, site)
    if role_name and role_name not in ROLES:
        raise NotFound(Text("角色", "role"), role_name, tuple(ROLES))
    store.grant(user.user_id, site, role_name)
    _noted(store, "grant", f"{user.login} {role_name or '-'}", site)
    _told(as_json, {"login": user.login, "roles": store.grants(user.user_id)}, say("已改。", "Done."))


@door
def reset(login: LoginArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import accounts
    from zerofactory.runs.context import clock

    store, user = _user(workspace, login)
    code = accounts.reset_link(store, user, clock())
    _noted(store, "reset link", user.login)
    _link(as_json, "/reset", code)


@door
def sessions(login: LoginArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from dataclasses import asdict

    from zerofactory.runs.context import clock, stamp
    from zerofactory.store import accounts

    store, user = _user(workspace, login)
    found = accounts.sessions(store, user.user_id, at=stamp(clock()))
    if as_json:
        print_json([asdict(one) for one in found])
        return
    head = [(say("会话", "session"), ""), (say("最近使用 UTC", "last used UTC"), ""), (say("结束 UTC", "ends UTC"), "")]
    print_table(user.login, head, [(one.session_id, one.seen_at[:16], one.expires_at[:16]) for one in found])


@door
def log_out(login: LoginArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.store import accounts

    store, user = _user(workspace, login)
    count = accounts.end_sessions(store, user.user_id)
    _noted(store, "end sessions", user.login)
    _told(as_json, {"login": user.login, "ended": count}, say(f"已结束 {count} 个会话。", f"{count} session(s) ended."))


@door
def disable(login: LoginArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    store, user = _user(workspace, login)
    store.disable(user.user_id)
    _noted(store, "disable", user.login)
    _told(as_json, {"login": user.login, "disabled": True}, say("已停用。", "Shut out."))


@door
def enable(login: LoginArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    store, user = _user(workspace, login)
    store.disable(user.user_id, False)
    _noted(store, "enable", user.login)
    _told(as_json, {"login": user.login, "disabled": False}, say("已恢复。", "Let in again."))


@door
def company(
    ask: Annotated[
        bool, typer.Option("--ask", help=say("连提供方试一下", "ask the provider for its description and keys"))
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import company as run
    from zerofactory.runs.access_config import read_config

    held = read_config(workspace or state.workspace or Path()).company
    told = run.told(held, ask) if held is not None else None
    if as_json:
        print_json(told)
        return
    if told is None:
        print_line(
            say("没有公司登录(access.toml 里没有 [company])。", "No company login (no [company] in access.toml).")
        )
        return
    for name, zh, en in (
        ("issuer", "提供方", "issuer"), ("redirect_uri", "回调地址(登记到提供方)", "redirect address (register it there)"),
        ("client_id", "客户端", "client"), ("secret", "密钥", "secret"), ("keys", "公钥", "keys"),
    ):  # fmt: skip
        print_line(f"{say(zh, en)}: {told[name]}")
    head = [(say("声明值", "value"), ""), (say("工厂", "site"), ""), (say("角色", "role"), "")]
    print_table(say("角色", "Roles"), head, [(one.value, one.site, one.role) for one in held.roles] if held else [])


def _store(workspace: Path | None, site: str | None = None) -> AccessStore:
    """Open the access database of a workspace or of a folder of workspaces; raise `FaultyData` when it is neither."""
    from zerofactory.errors import NotFound, Text
    from zerofactory.runs.sites import Sites
    from zerofactory.store.access import ANY_SITE

    root = workspace or state.workspace or Path()
    store = store_of(root)
    if site is not None and site not in (ANY_SITE, *Sites(root).folders()):
        raise NotFound(Text("工厂", "site"), site, (ANY_SITE, *Sites(root).folders()))
    return store


def store_of(root: Path) -> AccessStore:
    """Open the access database of a folder that a server could serve; raise `FaultyData` when it could not."""
    from zerofactory.errors import FaultyData, Problem, Text
    from zerofactory.runs.sites import Sites
    from zerofactory.store.access import AccessStore

    folders = Sites(root).folders() if root.is_dir() else {}
    if not folders or not all((folder / "factory.toml").is_file() for folder in folders.values()):
        text = Text(
            f"{root} 不是工作区, 也不是放工作区的文件夹。", f"{root} is neither a workspace nor a folder of them."
        )
        hint = Text(
            "请用 -w 文件夹 指定, 或先运行 zf init 文件夹 新建。", "Name one with -w DIR, or make one with zf init DIR."
        )
        raise FaultyData([Problem("users.nowhere", text, hint)])
    return AccessStore.in_folder(root)


def _user(workspace: Path | None, login: str, site: str | None = None) -> tuple[AccessStore, User]:
    from zerofactory.runs.accounts import named

    store = _store(workspace, site)
    return store, named(store, login)


def _noted(store: AccessStore, action: str, target: str, site: str = "") -> None:
    """Write a line of the trail: who is at the machine itself needs no login, and is named as such."""
    from zerofactory.runs.context import clock, stamp
    from zerofactory.store.access import Trace
    from zerofactory.store.workspace import current_actor

    store.trace(Trace(stamp(clock()), f"zf:{current_actor()}", site, action, target, "done", ""))


def _link(as_json: bool, path: str, code: str) -> None:
    told = say("把它接在服务器地址后面, 只能用一次:", "Put it behind the address of the server; it works once:")
    _told(as_json, {"path": f"{path}?code={code}"}, f"{told}\n{path}?code={code}")


def _told(as_json: bool, value: object, sentence: str) -> None:
    if as_json:
        print_json(value)
    else:
        print_line(sentence)
