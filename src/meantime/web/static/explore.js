// /explore in place: asks for the page again and puts its form and its answer where they were. What the page says is
// made by the server alone; without this module it is read and asked just the same.

const status = document.getElementById("status");
const parts = ["ask", "answer"];
let asking = null; // the AbortController of what is asked for now

document.documentElement.classList.add("scripted");
prepare();
window.addEventListener("popstate", () => show(location.href, { keep: true }));
if (answer().dataset.job) follow(location.href, start());

document.addEventListener("submit", (event) => {
  if (event.target.id !== "ask") return;
  event.preventDefault();
  show(addressOf(event.target), { focus: "show" });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-in-place]");
  if (link && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    show(link.href, {});
  }
  if (event.target.closest("[data-cancel]")) cancel();
});

document.addEventListener("change", (event) => {
  const field = event.target;
  if (!field.closest("#ask")) return;
  if (field.matches("[data-redraws]")) redraw(field.id);
  if (field.closest("[data-categories]")) showStrata();
  if (field.closest("[data-strata]")) tickTwins(field);
  if (field.type === "checkbox") countChosen(field);
});

function answer() {
  return document.getElementById("answer");
}

// The address of what a form asks for: fields that are empty are left out, and so is what is hidden.
function addressOf(form, more = {}) {
  const pairs = new URLSearchParams();
  const seen = new Set();
  for (const [name, value] of new FormData(form)) {
    const pair = `${name}=${value}`;
    if (value.trim() !== "" && !seen.has(pair)) pairs.append(name, value.trim());
    seen.add(pair);
  }
  for (const [name, value] of Object.entries(more)) pairs.set(name, value);
  const query = pairs.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return `${form.action.split("?")[0]}?${query}`;
}

function start() {
  asking?.abort();
  asking = new AbortController();
  return asking.signal;
}

// Shows an address: `keep` leaves the history as it is, `focus` is the id of what has the focus then.
async function show(address, { keep = false, focus = null }) {
  const signal = start();
  if (!keep) history.pushState(null, "", address);
  await follow(address, signal, focus);
}

// Asks until the answer is there, one wait after another.
async function follow(address, signal, focus = null) {
  answer().setAttribute("aria-busy", "true");
  say(answer().dataset.job ? "Computing." : "Asking.");
  try {
    for (let names = parts; ; names = ["answer"]) { // whoever waits may fill in the form meanwhile
      const found = await get(address, signal);
      if (!found) return;
      put(found.page, names, focus);
      if (found.status !== 202) {
        settle();
        return;
      }
      say(answer().querySelector(".lead")?.textContent ?? "Computing.");
      answer().setAttribute("aria-busy", "true");
      await pause(found.retryAfter, signal);
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    answer().removeAttribute("aria-busy");
    say("The server can't be reached. Show the answer again in a moment.");
  }
}

// Draws the form for what is chosen now, and asks nothing.
async function redraw(focus) {
  const signal = start();
  try {
    const found = await get(addressOf(document.getElementById("ask"), { draft: "yes" }), signal);
    if (!found) return;
    put(found.page, ["ask"], focus);
    answer().classList.add("stale");
    say(document.querySelector(".refusal") ? "This can't be asked as it stands; see beside the field." : "");
  } catch (error) {
    if (error.name !== "AbortError") say("The server can't be reached.");
  }
}

// Gets a page; the parts of it are HTML that this server made for this very address.
async function get(address, signal) {
  const response = await fetch(address, { signal, headers: { Accept: "text/html", Prefer: "wait=1" } });
  const retryAfter = Number(response.headers.get("Retry-After")) || 1;
  if (!response.headers.get("Content-Type")?.startsWith("text/html")) {
    const problem = await response.json().catch(() => ({}));
    answer().removeAttribute("aria-busy");
    say(problem.detail ?? `The server answers ${response.status}.`);
    return null;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!page.getElementById("ask")) {
    location.assign(address); // another page, such as the one to sign in
    return null;
  }
  return { status: response.status, retryAfter, page };
}

function put(page, names, focus) {
  const open = document.getElementById("advanced")?.open;
  const had = focus ?? document.activeElement?.id;
  for (const name of names) document.getElementById(name).replaceWith(document.adoptNode(page.getElementById(name)));
  document.title = page.title;
  const advanced = document.getElementById("advanced");
  if (advanced && open) advanced.open = true;
  prepare();
  if (had) document.getElementById(had)?.focus({ preventScroll: true });
}

// What is done once the answer, or the reason why there is none, is there.
function settle() {
  const found = answer();
  found.removeAttribute("aria-busy");
  if (found.dataset.address) history.replaceState(null, "", withChart(found.dataset.address));
  const refused = document.querySelector(".refusal");
  if (refused) {
    refused.closest(".field")?.querySelector("select, input, textarea, summary")?.focus();
    refused.scrollIntoView({ block: "nearest" });
    say("This can't be asked as it stands; see beside the field.");
  } else {
    say(found.querySelector("caption") ? `The answer is there: ${found.querySelector("caption").textContent}.` : "");
    const narrow = matchMedia("(max-width: 60rem)").matches;
    if (narrow && found.querySelector("table")) found.scrollIntoView({ block: "start" });
  }
}

// The canonical address on this very origin: only path and query are taken.
function withChart(address) {
  const url = new URL(address, location.href);
  return url.pathname + url.search;
}

async function cancel() {
  const job = answer().dataset.job;
  if (!job) return;
  start();
  const response = await fetch(job, { method: "DELETE" }).catch(() => null);
  const body = await response?.json().catch(() => ({}));
  if (!response?.ok) {
    say(body?.detail ?? "The server can't be reached.");
    follow(location.href, start());
    return;
  }
  delete answer().dataset.job;
  answer().removeAttribute("aria-busy");
  const told = document.createElement("p");
  told.className = "missing";
  told.textContent = "Cancelled. Show the answer to ask again.";
  answer().querySelector("section").replaceChildren(told);
  say("Cancelled.");
  document.getElementById("show").focus();
}

// What a form has beyond HTML: the cancel button, strata of the chosen categories alone, counts.
function prepare() {
  for (const button of document.querySelectorAll("[data-cancel]")) button.hidden = false;
  showStrata();
}

// Strata go by the categories that are chosen; of a category that isn't, none can be.
function showStrata() {
  const strata = document.querySelector("[data-strata]");
  if (!strata) return;
  const chosen = [...document.querySelectorAll("[data-categories] input:checked")].map((box) => box.value);
  for (const group of strata.querySelectorAll("[data-group]")) {
    const isOpen = chosen.length === 0 || chosen.includes(group.dataset.group);
    group.hidden = !isOpen;
    for (const box of group.querySelectorAll("input")) {
      if (!isOpen) box.checked = false;
    }
  }
}

// A stratum of one name in two categories is one value.
function tickTwins(box) {
  for (const twin of document.querySelectorAll("[data-strata] input")) {
    if (twin.value === box.value && !twin.closest("[hidden]")) twin.checked = box.checked;
  }
}

function countChosen(box) {
  const list = box.closest("details:not(.advanced)");
  if (!list) return;
  const boxes = [...list.querySelectorAll("input")];
  const count = boxes.filter((each) => each.checked).length;
  const text = count ? `${count} chosen of ${boxes.length}` : `Choose among ${boxes.length}`;
  list.querySelector("summary").textContent = text;
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("another was asked for", "AbortError"));
    });
  });
}

function say(text) {
  if (status.textContent !== text) status.textContent = text;
}
