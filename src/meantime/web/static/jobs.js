// /jobs kept as it now is: job events tell of an end at once, and every two seconds the list is asked for, while the
// page is looked at. The list is made by the server alone.

const PAUSE_MS = 2000;
const MOST_STREAMS = 2; // a browser has six connections to a server, and other pages may want some

const status = document.getElementById("status");
const form = document.getElementById("filter");
const streams = new Map(); // EventSource by the address of a job
let timer = 0;
let asking = null;

document.getElementById("filter-now").hidden = true;
form.addEventListener("change", () => go(addressOf()));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  go(addressOf());
});
window.addEventListener("popstate", () => {
  const asked = new URL(location.href).searchParams;
  for (const name of ["state", "statistic"]) form.elements[name].value = asked.get(name) ?? "";
  refresh();
});
document.addEventListener("visibilitychange", () => (document.hidden ? rest() : refresh()));
document.addEventListener("click", (event) => {
  const cancel = event.target.closest("[data-cancel]");
  const rerun = event.target.closest("[data-rerun]");
  if (cancel) send(cancel, cancel.dataset.cancel, { method: "DELETE" }, "is cancelled");
  if (rerun) {
    const headers = { "Content-Type": "application/json" };
    send(rerun, rerun.dataset.to, { method: "POST", headers, body: rerun.dataset.rerun }, "is accepted");
  }
});
prepare();
later();

function addressOf() {
  const pairs = [...new FormData(form)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(pairs).toString();
  return form.action.split("?")[0] + (query ? `?${query}` : "");
}

function go(address) {
  history.pushState(null, "", address);
  refresh();
}

async function send(button, address, request, done) {
  button.disabled = true;
  const response = await fetch(address, request).catch(() => null);
  const body = await response?.json().catch(() => ({}));
  if (response?.ok) status.textContent = `Job ${body.id} ${body.state === "running" ? "is asked to stop" : done}.`;
  else status.textContent = body?.detail ?? "The server can't be reached.";
  button.disabled = false;
  refresh();
}

// Asks for the list, and puts it in place where it has changed; the focus stays where it was.
async function refresh() {
  asking?.abort();
  asking = new AbortController();
  clearTimeout(timer);
  let pauseMs = PAUSE_MS;
  try {
    const response = await fetch(location.href, { signal: asking.signal, headers: { Accept: "text/html" } });
    if (response.ok || response.status === 422) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const list = page.getElementById("list");
      if (!list) {
        location.reload(); // another page, such as the one to sign in
        return;
      }
      put(document.adoptNode(list));
    } else {
      pauseMs = 1000 * (Number(response.headers.get("Retry-After")) || 10);
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    status.textContent = "The server can't be reached; asking again.";
    pauseMs = 5 * PAUSE_MS;
  }
  later(pauseMs);
}

function put(list) {
  const old = document.getElementById("list");
  const isSame = old.dataset.made === list.innerHTML;
  if (isSame) return;
  const made = list.innerHTML;
  const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(list);
  list.dataset.made = made;
  prepare();
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  if (status.textContent.startsWith("The server can't")) status.textContent = "";
}

function prepare() {
  for (const button of document.querySelectorAll("#list button[hidden]")) button.hidden = false;
  const going = [...document.querySelectorAll("[data-cancel]")].map((button) => button.dataset.cancel);
  const wanted = going.slice(-MOST_STREAMS); // the oldest end first
  for (const [address, stream] of streams) if (!wanted.includes(address)) close(address, stream);
  for (const address of wanted) if (!streams.has(address)) open(address);
}

function open(address) {
  const stream = new EventSource(`${address}/events`);
  streams.set(address, stream);
  stream.addEventListener("end", () => {
    close(address, stream);
    refresh();
  });
  stream.addEventListener("error", () => stream.close()); // asking every two seconds goes on
}

function close(address, stream) {
  stream.close();
  streams.delete(address);
}

function later(pauseMs = PAUSE_MS) {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(refresh, pauseMs);
}

function rest() {
  clearTimeout(timer);
  for (const [address, stream] of streams) close(address, stream);
}
