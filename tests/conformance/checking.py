"""How a row is checked: its requests are sent, and the answers compared with what it says."""

from typing import Any

from falcon import testing

from tests.conformance.bench import SECOND, Bench
from tests.conformance.language import ABSENT, WHOLE, Ask, Fact, Row, Settle
from tests.conformance.places import NAMES
from tests.conformance.scene import Scene

SHORTEST_SENTENCE = 10


class Conversation:
    """One row's requests, in a scene of its own."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.bench.rung.clear()
        self.scene = Scene(self.send, NAMES | bench.network.lent())

    def check(self, row: Row) -> None:
        for earlier in row.given:
            self.before(earlier)
        answer = self.send(row.ask, row.status)
        if row.says is not None:
            self.compare(answer, row.says, failed=row.status >= 400)
        for ask, expected in row.then:
            if isinstance(ask, Settle):
                self.bench.settle()
            else:
                self.compare(self.send(ask, 200), expected, failed=False)

    def before(self, earlier: Ask | Settle) -> None:
        if isinstance(earlier, Settle):
            self.bench.settle()
        else:
            self.send(earlier, None)

    def send(self, ask: Ask, status: int | None) -> Any:
        """The answer. Without a status any success will do."""
        path, query, body = (self.scene.fill(part) for part in (ask.path, ask.query, ask.body))
        headers = {name: self.scene.fill(value) for name, value in ask.headers.items()}
        more: dict[str, Any] = {"json": body} if body is not None else {"body": ask.raw} if ask.raw is not None else {}
        self.bench.now += SECOND
        result = self.bench.client(ask.app).simulate_request(
            ask.method, path, query_string=query, headers=headers, **more
        )
        told = f"{ask.method} {path}{query and '?'}{query} {body if body is not None else ''}"
        right = result.status_code < 400 if status is None else result.status_code == status
        assert right, f"{told}\nanswers {result.status} {result.text}\ninstead of {status or 'success'}"
        assert result.headers.get("x-openstack-request-id", "").startswith("req-"), told
        self.remember(ask.remember, result)
        return understood(result)

    def remember(self, name: str, result: testing.Result) -> None:
        if name:
            found = inner(result.json)
            found = found[0] if isinstance(found, list) else found
            self.scene[name] = found.get("id") or found["name"]

    def compare(self, answer: Any, expected: Any, *, failed: bool) -> None:
        if isinstance(expected, str):
            sentence = sentence_of(answer) if failed else str(answer)
            wanted = self.scene.fill(expected)
            assert wanted.lower() in sentence.lower(), f"{sentence!r}\nwithout {wanted!r}"
            assert len(sentence) >= SHORTEST_SENTENCE or not failed
        else:
            whole = failed or (isinstance(expected, dict) and WHOLE in expected)
            problems = differences(answer if whole else inner(answer), self.scene.fill(expected))
            assert not problems, "\n".join([*problems, f"in {answer}"])


def understood(result: testing.Result) -> Any:
    if "json" in (result.headers.get("content-type") or "") and result.content:
        return result.json
    return result.text


def inner(answer: Any) -> Any:
    """The object under its root key, or the list of them; any other answer is itself."""
    if isinstance(answer, dict):
        roots = [name for name in answer if not name.endswith("_links")]
        if len(roots) == 1 and isinstance(answer[roots[0]], (dict, list)):
            return answer[roots[0]]
    return answer


def sentence_of(answer: Any) -> str:
    if not isinstance(answer, dict):
        return str(answer)
    return str(answer.get("faultstring") or answer.get("description") or answer)


def differences(found: Any, expected: Any, where: str = "it") -> list[str]:
    """What is not as expected; a dictionary may have further keys."""
    if isinstance(expected, Fact):
        return [] if expected.holds(found) else [f"{where}: {found!r} is not {expected}"]
    if isinstance(expected, dict) and isinstance(found, dict):
        return [problem for name in expected for problem in of_key(found, expected, name, where)]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(found, expected, strict=True))
        return [problem for at, (one, other) in pairs for problem in differences(one, other, f"{where}[{at}]")]
    same = found == expected and isinstance(found, bool) == isinstance(expected, bool)
    return [] if same else [f"{where}: {found!r} instead of {expected!r}"]


def of_key(found: dict[str, Any], expected: dict[str, Any], name: str, where: str) -> list[str]:
    if name == WHOLE:
        return differences(found, expected[name], where)
    if expected[name] is ABSENT:
        return [f"{where} has {name}"] if name in found else []
    return differences(found[name], expected[name], f"{where}.{name}") if name in found else [f"{where} lacks {name}"]
