"""A headless Chromium for tests, driven through the DevTools protocol as a person would use it.

Each test opens its own, and looks at the page through it:

    async with Browser() as browser:
        page = await browser.open(url)
        await page.click("button[type=submit]")
        await page.until("document.querySelector('.done')")
        assert page.console == []
"""

import asyncio
import base64
import json
import os
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Any, Self

import aiohttp

EXECUTABLE = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SCREENSHOTS = Path(folder) if (folder := os.environ.get("SCREENSHOTS")) else None
PATIENCE = 60.0  # seconds for any one thing: generous, since a loaded machine is slow, not wrong
# Chromium's sandbox refuses root and most containers; its background work looks up its maker's hosts at every start.
FLAGS = shlex.split("""
    --headless=new --no-sandbox --disable-dev-shm-usage --disable-background-networking --disable-component-update
    --disable-sync --no-first-run --remote-debugging-port=0 --window-size=1400,900
""")
KEY_CODES = {"Enter": 13, "Escape": 27, "Tab": 9}
STILL_AND_BARE = """async (selector, text) => {
    const element = [...document.querySelectorAll(selector)].find(each => each.innerText.includes(text));
    element.scrollIntoView({ block: "nearest" });
    const middle = ({ x, y, width, height }) => ({ x: x + width / 2, y: y + height / 2 });
    const before = middle(element.getClientRects()[0]);
    await new Promise(later => setTimeout(later, 50));
    const { x, y } = middle(element.getClientRects()[0]);
    return x === before.x && y === before.y && element.contains(document.elementFromPoint(x, y)) && { x, y };
}"""


class BrowserError(Exception):
    """The page threw, what was awaited never came, or Chromium refused."""


class Page:
    """One tab. `console` is all that a developer would see there, refusals by the content security policy included;
    `requests` is every address it asked for, `data:` ones left out."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.console: list[str] = []
        self.requests: list[str] = []
        self._call = call
        self._loaded = asyncio.Event()

    async def open(self, url: str) -> None:
        """Go to `url` and wait until it has loaded."""
        self._loaded.clear()
        if error := (await self._call("Page.navigate", url=url)).get("errorText"):
            raise BrowserError(f"{url}: {error}")
        await asyncio.wait_for(self._loaded.wait(), PATIENCE)

    async def evaluate(self, javascript: str) -> Any:
        """The value of an expression, promises awaited, as JSON would carry it."""
        answer = await self._call("Runtime.evaluate", expression=javascript, awaitPromise=True, returnByValue=True)
        if failure := answer.get("exceptionDetails"):
            raise BrowserError(failure["exception"].get("description", failure["text"]))
        return answer["result"].get("value")

    async def until(self, javascript: str) -> Any:
        """The expression's value once it is truthy (an element is `True`; what throws is not there yet)."""
        settled = f"Promise.resolve({javascript}).then(it => it instanceof Node || it)"
        last: object = None
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if last := await self.evaluate(settled):
                    return last
            except BrowserError as error:
                last = error
            await asyncio.sleep(0.05)
        raise BrowserError(f"never came: {javascript} (last: {last}; console: {self.console})")

    async def click(self, selector: str, text: str = "") -> None:
        """Press the left button in the middle of the first such element that shows the text (of its first line, where
        it is a link over several), once it is there, still and not covered."""
        spot = await self.until(f"({STILL_AND_BARE})({json.dumps(selector)}, {json.dumps(text)})")
        for event in ("mousePressed", "mouseReleased"):
            await self._call("Input.dispatchMouseEvent", type=event, button="left", clickCount=1, **spot)

    async def fill(self, selector: str, text: str) -> None:
        """Replace what a field holds."""
        await self.click(selector)
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        await self.type(text)

    async def reads(self, text: str) -> None:
        """Wait until the page shows the text, reloading itself meanwhile if it likes."""
        await self.until(f"document.body.innerText.includes({json.dumps(text)})")

    async def type(self, text: str) -> None:
        """Put text where the cursor is, as a paste would."""
        await self._call("Input.insertText", text=text)

    async def press(self, key: str, *, ctrl: bool = False) -> None:
        """Press one of `KEY_CODES`, or a letter as part of a shortcut."""
        code = KEY_CODES.get(key) or ord(key.upper())
        stroke = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 2 if ctrl else 0}
        text = {"text": "\r"} if key == "Enter" and not ctrl else {}  # what submits a form
        await self._call("Input.dispatchKeyEvent", type="keyDown", **stroke, **text)
        await self._call("Input.dispatchKeyEvent", type="keyUp", **stroke)

    async def resize(self, width: int, height: int) -> None:
        """Show the page in a window of this size, in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self._call("Emulation.setDeviceMetricsOverride", **size)

    async def screenshot(self, name: str) -> None:
        """Keep the whole page, beyond the window too, as `name`.png in the folder SCREENSHOTS, if that is set."""
        if SCREENSHOTS is None:
            return
        size = (await self._call("Page.getLayoutMetrics"))["cssContentSize"]
        shot = await self._call("Page.captureScreenshot", captureBeyondViewport=True, clip={**size, "scale": 1})
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def _on(self, event: str, told: dict[str, Any]) -> None:
        match event:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Network.requestWillBeSent" if not told["request"]["url"].startswith("data:"):
                self.requests.append(told["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(told["url"])
            case "Log.entryAdded":
                self.console.append(f"{told['entry']['level']}: {told['entry']['text']}")
            case "Runtime.consoleAPICalled":
                said = " ".join(str(one.get("value", one.get("description", ""))) for one in told["args"])
                self.console.append(f"{told['type']}: {said}")
            case "Runtime.exceptionThrown":
                thrown = told["exceptionDetails"]["exception"]
                self.console.append(f"exception: {thrown.get('description', thrown.get('value'))}")


class Browser:
    """Chromium with an empty profile of its own, gone with the block. `EXECUTABLE` is None where there is none."""

    async def __aenter__(self) -> Self:
        self._pages: dict[str, Page] = {}
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._ids = count(1)
        async with AsyncExitStack() as stack:
            profile = stack.enter_context(tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True))
            process = await asyncio.create_subprocess_exec(
                *(EXECUTABLE or "chromium", f"--user-data-dir={profile}", *FLAGS),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
            stack.push_async_callback(_end, process)
            client = await stack.enter_async_context(aiohttp.ClientSession())
            address = await _devtools_address(Path(profile))
            self._socket = await stack.enter_async_context(client.ws_connect(address, max_msg_size=0))
            listener = asyncio.create_task(self._listen())
            stack.callback(listener.cancel)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._stack.aclose()

    async def open(self, url: str) -> Page:
        """A new tab on `url`, loaded."""
        target = await self._call("Target.createTarget", url="about:blank")
        session = (await self._call("Target.attachToTarget", flatten=True, **target))["sessionId"]
        page = self._pages[session] = Page(lambda method, **params: self._call(method, session=session, **params))
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self._call(f"{domain}.enable", session=session)
        await page.open(url)
        return page

    async def _call(self, method: str, *, session: str | None = None, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        addressed = {"sessionId": session} if session else {}
        await self._socket.send_json({"id": number, "method": method, "params": params, **addressed})
        try:
            return await asyncio.wait_for(reply, PATIENCE)
        finally:
            del self._replies[number]

    async def _listen(self) -> None:
        async for frame in self._socket:
            message = frame.json()
            reply = self._replies.get(message.get("id"))
            if reply and not reply.done():
                if error := message.get("error"):
                    reply.set_exception(BrowserError(error["message"]))
                else:
                    reply.set_result(message["result"])
            elif "method" in message and (page := self._pages.get(message.get("sessionId"))):
                page._on(message["method"], message["params"])


async def _devtools_address(profile: Path) -> str:
    """Chromium writes the port it was given, then a path, to a file of its profile."""
    written = profile / "DevToolsActivePort"
    async with asyncio.timeout(PATIENCE):
        while len(lines := written.read_text().split() if written.exists() else []) < 2:
            await asyncio.sleep(0.05)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
