"""A llama-server of this machine's own build (scripts/llama_server.sh), and conversations played on it, for bench/local_grid.py.

It listens on the loopback interface alone, and is ended with the block that began it.
"""
import concurrent.futures
import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import socket
import subprocess
import threading
import time

root = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass
class Turn:
    tokens: int  # that are to be written
    after: str   # what stands between this reply and the next one: the end of the turn, and what others say


@dataclasses.dataclass
class Conversation:
    cell: str    # conversations of a cell open with the same words
    opening: str  # the prompt of the first turn, as the model reads it
    turns: list  # of Turn


@dataclasses.dataclass
class Played:
    seconds: float
    written: int
    prompt: int    # tokens of all prompts
    computed: int  # of those, computed: the server's own `timings`


class OverTime(Exception):
    pass


class Server:
    def __init__(self, process, port):
        self.process = process
        self.port = port

    def ask(self, path, body=None, timeout=600):
        """The JSON that the server answers; a connection for each request, since it closes idle ones."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("POST" if body else "GET", path, json.dumps(body) if body else None,
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        except TimeoutError as error:
            raise OverTime from error
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"llama-server answers {answer.status} to {path}: {text[:300].decode(errors='replace')}")
        return json.loads(text)

    def tokens(self, text):
        return self.ask("/tokenize", {"content": text, "add_special": False, "parse_special": True})["tokens"]

    def peak(self):
        """The largest resident memory so far, in MB."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return 0


@contextlib.contextmanager
def serving(binary, model, slots, context, unified, flash="auto", threads=None):
    """`context`: tokens that each slot holds. Raises RuntimeError where the server does not come up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [binary, "-m", model, "--host", "127.0.0.1", "--port", str(port), "-np", str(slots), "-c", str(slots * context),
               "-kvu" if unified else "-no-kvu", "-fa", flash, "-t", str(threads or os.cpu_count()), "--log-disable", "--no-ui"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        server = Server(process, port)
        end = time.monotonic() + 120
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"llama-server ended with {process.returncode}: {' '.join(map(str, command))}")
            with contextlib.suppress(OSError, RuntimeError, OverTime, http.client.HTTPException):
                server.ask("/health", timeout=5)
                break
            if time.monotonic() > end:
                raise RuntimeError("llama-server does not answer")
            time.sleep(0.2)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def request(prompt, tokens, temperature, seed, many=1):
    """As assay samples: from all tokens, at this temperature; and never an early end."""
    body = {"prompt": prompt, "n_predict": tokens, "ignore_eos": True, "cache_prompt": True, "seed": seed, "top_k": 0,
            "top_p": 1, "min_p": 0, "temperature": temperature, "samplers": ["temperature"]}
    return body | {"n_cmpl": many} if many > 1 else body


class Tally:
    def __init__(self, limit):
        self.begin = time.perf_counter()
        self.end = self.begin + limit
        self.written = self.prompt = self.computed = 0
        self.lock = threading.Lock()

    def left(self):
        left = self.end - time.perf_counter()
        if left <= 0:
            raise OverTime
        return left

    def add(self, answer, copied=False):
        """`copied`: its prompt was computed for another one, whose numbers it shows."""
        timings = answer["timings"]
        with self.lock:
            self.written += timings["predicted_n"]
            self.computed += 0 if copied else timings["prompt_n"]
            self.prompt += timings["prompt_n"] + timings["cache_n"]

    def played(self):
        return Played(time.perf_counter() - self.begin, self.written, self.prompt, self.computed)


def all_of(pool, work, items):
    """work(item) for all at once; the first failure is raised when all have ended."""
    for done in [pool.submit(work, item) for item in items]:
        done.result()


def play(server, conversations, at_once, temperature, limit):
    """Each conversation turn by turn, so many of them at a time. The server's own words stand in its next prompt, so that
    what it has cached serves it as well as it can. Raises OverTime after `limit` seconds."""
    tally = Tally(limit)

    def whole(numbered):
        number, conversation = numbered
        prompt = conversation.opening
        for turn in conversation.turns:
            answer = server.ask("/completion", request(prompt, turn.tokens, temperature, number), tally.left())
            tally.add(answer)
            prompt += answer["content"] + turn.after

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        all_of(pool, whole, enumerate(conversations))
    return tally.played()


def play_cells(server, conversations, at_once, temperature, limit):
    """Cell after cell: the first turn of all its conversations as one request with `n_cmpl`, the later ones as ordinary
    requests, `at_once` beside each other. The server forgets all but one of the completions when they are written, so
    that those who come beside each other read their prompts anew, and those who come one by one find the opening."""
    tally = Tally(limit)
    cells = {}
    for conversation in conversations:
        cells.setdefault(conversation.cell, []).append(conversation)
    for members in cells.values():
        first = request(members[0].opening, members[0].turns[0].tokens, temperature, 1, len(members))
        answers = server.ask("/completion", first, tally.left())
        prompts = []
        for member, answer in zip(members, answers if isinstance(answers, list) else [answers]):
            tally.add(answer, copied=bool(prompts))
            prompts.append(member.opening + answer["content"] + member.turns[0].after)
        if len(prompts) != len(members):
            raise RuntimeError(f"llama-server wrote {len(prompts)} of {len(members)} completions")

        def later(numbered):
            number, (member, prompt) = numbered
            for turn in member.turns[1:]:
                answer = server.ask("/completion", request(prompt, turn.tokens, temperature, number), tally.left())
                tally.add(answer)
                prompt += answer["content"] + turn.after

        with concurrent.futures.ThreadPoolExecutor(min(at_once, len(members))) as pool:
            all_of(pool, later, enumerate(zip(members, prompts)))
    return tally.played()


def warm(server, conversations, slots, temperature, limit):
    """Lets each slot read one opening. Its own requests are not counted."""
    begun = conversations[:slots]
    play(server, [Conversation(c.cell, c.opening, [Turn(1, "")]) for c in begun], len(begun), temperature, limit)
