"""Events with partners: a request for footprints is answered, and new footprints are announced (WBCSD PACT API 3.0.4, Action Events).

What comes in is written down first and answered from what is on offer. Answers go to the doors that ``access.toml`` names and nowhere
else: no address from a request is ever asked. A partner who cannot be reached is tried again, ever more seldom, for 72 hours.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from threading import Lock, Thread
from typing import Any

from zerofactory.connectors.web_request import Unanswered, ask
from zerofactory.errors import FaultyData, NotFound, Text, ZeroFactoryError
from zerofactory.runs import published
from zerofactory.runs.access import Refused, fault, policy
from zerofactory.runs.access_config import Partner
from zerofactory.runs.context import clock, stamp
from zerofactory.runs.sites import Server
from zerofactory.store import outbox
from zerofactory.store.access import ANY_SITE, AccessStore
from zerofactory.store.outbox import Event, State

TYPE = "org.wbcsd.pact.ProductFootprint.{}.3"
REQUESTED, FULFILLED, REJECTED, PUBLISHED = (
    TYPE.format(name)
    for name in ("RequestCreatedEvent", "RequestFulfilledEvent", "RequestRejectedEvent", "PublishedEvent")
)
KINDS = {name: TYPE.format(name) for name in ("RequestCreatedEvent", "RequestFulfilledEvent", "RequestRejectedEvent", "PublishedEvent")}  # fmt: skip
ID_SPACE = uuid.UUID(
    "6d1c6a0e-3c0f-5a52-9a51-3d6a1f0f6b0e"
)  # of the ids of our own events: the same answer has the same id
LONGEST_WORD = 500
LEASE = timedelta(minutes=10)
_log = logging.getLogger("zerofactory.partners")


def faults_of(event: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with an event, in the words of the exchange; an empty list when it is sound."""
    missing = [name for name in ("type", "specversion", "id", "source", "data") if not event.get(name)]
    if missing:
        return [f"missing: {', '.join(missing)}"]
    faults = [f"{name} is no text of at most {LONGEST_WORD} letters" for name in ("type", "id", "source") if not _is_word(event[name])]  # fmt: skip
    if event["specversion"] != "1.0":
        faults.append("specversion must be 1.0")
    if faults or event["type"] not in KINDS.values():
        return faults or [f"not an event of PACT 3: {event['type'][:100]}"]
    data = event["data"]
    if not isinstance(data, dict):
        return ["data is no object"]
    return _faults_of_data(str(event["type"]), data)


def _faults_of_data(kind: str, data: Mapping[str, Any]) -> list[str]:
    if kind == REQUESTED:
        try:
            _wanted(data)
        except FaultyData as wrong:
            return [problem.message.en for problem in wrong.problems]
        return []
    if kind == PUBLISHED:
        return [] if _are_words(data.get("pfIds")) else ["data.pfIds is no list of ids"]
    faults = [] if _is_word(data.get("requestEventId")) else ["data.requestEventId is missing"]
    if kind == FULFILLED and not (isinstance(data.get("pfs"), list) and data["pfs"]):
        faults.append("data.pfs is no list of footprints")
    if kind == REJECTED and not isinstance(data.get("error"), dict):
        faults.append("data.error is missing")
    return faults


def _wanted(data: Mapping[str, Any]) -> published.Wanted:
    """Return the criteria of a request; raise `FaultyData` for those that are none."""
    asked = {
        name: value for name, value in data.items() if name not in ("comment", "limit") and value not in (None, [])
    }
    status = asked.pop("status", [])
    multiple = {name: asked.pop(name) for name in published.MULTIPLE if name in asked}
    wrong = [name for name, value in multiple.items() if not _are_words(value)]
    wrong += [name for name, value in asked.items() if not isinstance(value, str)]
    if isinstance(status, str):
        status = [status]
    if wrong or (status and not _are_words(status)):
        raise FaultyData([published.fault(name, f"“{name}”的写法不对。", f"'{name}' is not written as it should be.") for name in wrong or ["status"]])  # fmt: skip
    if len({one.casefold() for one in status}) == 1:
        asked["status"] = status[0]  # both states together ask for every footprint
    return published.wanted(multiple, asked)


def take(store: AccessStore, login: str, site: str, event: Mapping[str, Any], now: datetime) -> bool:
    """Write an event that came down; return False when it had come before. A request waits for its answer.

    Raises
    ------
    Refused
        So many events of this partner wait that he has to wait himself.
    """
    rules = policy()["pact"]
    if outbox.waiting(store, site, login) >= rules["waiting"]:
        told = fault("partner_flood", "等待处理的事件太多。", "Too many events of yours wait to be answered.")
        raise Refused(told, retry_seconds=rules["first_seconds"] * 10)
    kind = str(event["type"])
    state: State = "waiting" if kind == REQUESTED else "received"
    noted = Event(0, site, login, "in", str(event["id"]), kind, dict(event), stamp(now), state, 0, stamp(now), "")
    return outbox.note(store, noted, rules["kept"])


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    answered: int
    announced: int
    sent: int
    failed: int

    def as_json(self) -> dict[str, int]:
        """Return the counts."""
        return {"answered": self.answered, "announced": self.announced, "sent": self.sent, "failed": self.failed}


class Courier:
    """Answers, announces and sends; holds the partners' tokens in memory alone."""

    def __init__(self, server: Server) -> None:
        self._server, self._store = server, server.access
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._marks: dict[str, list[str]] = {}
        self._lock = Lock()

    def round(self, now: datetime) -> Round:
        """Do what is due: answer requests, announce what is new, send what waits."""
        with self._lock:
            announced = sum(self._announce(partner, now) for partner in self._server.config.partners)
            answered = sent = failed = 0
            rules = policy()["pact"]
            for _ in range(2):  # the second time takes the answers of the first
                due = outbox.take_due(self._store, at=stamp(now), until=stamp(now + LEASE), most=rules["at_once"])
                for event in due:
                    if event.direction == "in":
                        answered += self._answer(event, now)
                    elif self._send(event, now):
                        sent += 1
                    else:
                        failed += 1
        return Round(answered, announced, sent, failed)

    def _partner(self, event: Event) -> Partner | None:
        return self._server.config.partner_of(event.login, event.site)

    def _answer(self, event: Event, now: datetime) -> bool:
        """Write the answer to a request down; a request of a program that is no partner waits for its partner to be named."""
        partner = self._partner(event)
        if partner is None:
            self._later(event, "no partner in access.toml comes in by this login", now)
            return False
        try:
            context = self._server.sites.context(event.site, f"partner:{partner.id}", now)
            wanted = _wanted(event.body["data"])
            found = [one for one in published.offered(context) if published.matches(one, wanted)]
        except (ZeroFactoryError, OSError) as error:
            _log.warning("request %s of %s: %s", event.number, partner.id, type(error).__name__)
            self._later(event, f"the offer cannot be made: {type(error).__name__}", now)
            return False
        asked = {"requestEventId": event.event_id}
        if found:
            reply = _made(event, FULFILLED, {**asked, "pfs": found}, now)
        else:
            told = {"code": "NotFound", "message": "No footprint on offer meets the request."}
            reply = _made(event, REJECTED, {**asked, "error": told}, now)
        outbox.answer(self._store, event.number, reply, policy()["pact"]["kept"])
        return True

    def _announce(self, partner: Partner, now: datetime) -> int:
        """Tell a partner of footprints he has not been told of; return of how many."""
        count = 0
        for site in self._server.sites.folders() if partner.told_of_new else ():
            if partner.site not in (site, ANY_SITE):
                continue
            try:
                context = self._server.sites.context(site, f"partner:{partner.id}", now)
                offer = [str(one["id"]) for one in published.offered(context)]
            except (ZeroFactoryError, OSError) as error:
                _log.warning("offer of %s: %s", site, type(error).__name__)
                continue
            if self._marks.get(f"{site}|{partner.id}") == offer:
                continue
            new = sorted(set(offer) - outbox.told_of(self._store, site, partner.login.casefold()))
            if new:
                about = Event(0, site, partner.login.casefold(), "out", ",".join(new), PUBLISHED, {}, "", "waiting", 0, "", "")  # fmt: skip
                outbox.tell(self._store, _made(about, PUBLISHED, {"pfIds": new}, now), new, policy()["pact"]["kept"])
                count += len(new)
            self._marks[f"{site}|{partner.id}"] = offer
        return count

    def _send(self, event: Event, now: datetime) -> bool:
        partner = self._partner(event)
        if partner is None:
            self._later(event, "no partner in access.toml comes in by this login", now)
            return False
        try:
            status = self._post(partner, event, now)
            if status == 401:  # the token may have ended early
                self._tokens.pop(partner.id, None)
                status = self._post(partner, event, now)
        except Unanswered as error:
            self._later(event, error.told.en, now)
            return False
        except FaultyData as error:  # the secret is not where it should be
            self._later(event, error.problems[0].message.en, now)
            return False
        if 200 <= status < 300:
            outbox.settle(self._store, event.number, "sent", due_at=stamp(now), told="")
            return True
        self._later(event, f"the partner answered {status}", now, is_final=status in (400, 422))
        return False

    def _post(self, partner: Partner, event: Event, now: datetime) -> int:
        headers = {
            "Content-Type": "application/cloudevents+json; charset=UTF-8",
            "Authorization": f"Bearer {self._token(partner, now)}",
        }
        body = json.dumps(event.body, ensure_ascii=False).encode()
        return ask("POST", f"{partner.address.rstrip('/')}/3/events", content=body, headers=headers).status

    def _token(self, partner: Partner, now: datetime) -> str:
        """Return a bearer token of a partner's door (RFC 6749, 4.4), kept until shortly before it ends."""
        held = self._tokens.get(partner.id)
        if held is not None and held[1] > now:
            return held[0]
        address = partner.token_address or f"{partner.address.rstrip('/')}/auth/token"
        account = (partner.client_id, partner.secret())
        answer = ask("POST", address, form={"grant_type": "client_credentials"}, headers={"Accept": "application/json"}, account=account)  # fmt: skip
        try:
            told = json.loads(answer.body) if answer.status == 200 else {}
            token, seconds = told["access_token"], float(told.get("expires_in", 60))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Unanswered(Text("对方不给令牌。", f"No token was given ({answer.status}).")) from None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Unanswered(Text("对方的令牌不能用。", "The token cannot be used."))
        self._tokens[partner.id] = (token, now + timedelta(seconds=min(max(seconds - 30, 0), 86_400)))
        return token

    def _later(self, event: Event, told: str, now: datetime, is_final: bool = False) -> None:
        """Put an event off, ever longer; give it up in the end."""
        rules = policy()["pact"]
        began = datetime.fromisoformat(event.at)
        if is_final or now - began >= timedelta(hours=rules["give_up_hours"]):
            outbox.settle(self._store, event.number, "given_up", due_at=stamp(now), told=told)
            return
        wait = min(rules["first_seconds"] * 2 ** min(event.attempts, 30), rules["longest_minutes"] * 60)
        outbox.settle(self._store, event.number, "waiting", due_at=stamp(now + timedelta(seconds=wait)), told=told)


@contextmanager
def delivering(server: Server) -> Iterator[None]:
    """Do a round every few seconds in a thread of its own while entered; nothing when there are no partners."""
    if not server.config.partners:
        yield
        return
    ends, courier = Signal(), Courier(server)

    def run() -> None:
        while not ends.wait(policy()["pact"]["look_seconds"]):
            try:
                courier.round(clock())
            except Exception:  # the next round may do better; the event is kept
                _log.exception("a round of events failed")

    thread = Thread(target=run, name="partners", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join(5)


def listed(store: AccessStore, site: str, limit: int) -> list[dict[str, Any]]:
    """Return the newest events of a site, in short."""
    names = ("number", "at", "login", "direction", "event_id", "kind", "state", "attempts", "due_at", "told")
    return [
        {name: getattr(one, name) for name in names} | {"kind": one.kind.split(".")[-2]}
        for one in outbox.events(store, site, limit)
    ]


def again(store: AccessStore, number: int, site: str, now: datetime) -> None:
    """Put an event in line for now; raise `NotFound` when there is none that could be sent."""
    if not outbox.again(store, number, site, at=stamp(now)):
        raise NotFound(Text("待发事件", "event to send"), str(number))


def directory(partners: Sequence[Partner], site: str) -> list[dict[str, Any]]:
    """Return the partners of a site without anything secret."""
    names = ("id", "title", "login", "address", "told_of_new")
    return [{name: getattr(one, name) for name in names} for one in partners if one.site in (site, ANY_SITE)]


def _made(about: Event, kind: str, data: Mapping[str, Any], now: datetime) -> Event:
    """Return an event of ours; the same cause gives the same id, so that a partner knows one that comes twice."""
    event_id = str(uuid.uuid5(ID_SPACE, f"{about.site}|{about.login}|{kind}|{about.event_id}"))
    moment = now.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    body = {
        "type": kind,
        "specversion": "1.0",
        "id": event_id,
        "source": f"urn:zerofactory:site:{about.site}",
        "time": moment,
        "data": data,
    }
    return Event(0, about.site, about.login, "out", event_id, kind, body, stamp(now), "waiting", 0, stamp(now), "")


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_WORD


def _are_words(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_word(one) for one in value)
