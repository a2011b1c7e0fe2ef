// Charts with values on hover: draws the spec of a picture in its place, with the vendored Vega, which is loaded when it
// is first asked for. Without this module, and wherever it fails, the picture stays.

const LIBRARIES = ["vega", "vega-lite", "vega-embed"]; // each needs those before it
const PATIENCE_MS = 30_000;
const OPTIONS = {
  ast: true, // the policy of our pages allows no eval; vega-embed brings the interpreter
  renderer: "svg", // scales with the page, its text is found and read aloud
  actions: false,
  defaultStyle: false, // nor style elements; meantime.css has the style
  tooltip: { disableDefaultStyle: true },
};
const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map(); // the views by their figures
let loading = null; // the promise of the libraries

document.documentElement.classList.add("can-draw");
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-live]");
  const figure = button?.closest("figure");
  if (!figure || figure.getAttribute("aria-busy")) return;
  leaveOrphans();
  if (drawn.has(figure)) showStill(figure);
  else showDrawn(figure);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTooltip();
});
dark.addEventListener("change", () => {
  leaveOrphans();
  for (const figure of drawn.keys()) showDrawn(figure);
});

async function showDrawn(figure) {
  figure.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => say(figure, "Drawing."), 300);
  const place = document.createElement("div");
  try {
    const [spec] = await Promise.all([get(dark.matches ? figure.dataset.dark : figure.dataset.light), libraries()]);
    const { view } = await window.vegaEmbed(place, spec, OPTIONS);
    letThrough(place);
    drawn.get(figure)?.finalize();
    drawn.set(figure, view);
    put(figure, place);
    say(figure, "");
  } catch (error) {
    showStill(figure);
    say(figure, `The values can't be shown: ${error.message.replace(/\.$/, "")}. The table has them.`);
  } finally {
    clearTimeout(slow);
    figure.removeAttribute("aria-busy");
  }
}

function showStill(figure) {
  drawn.get(figure)?.finalize();
  drawn.delete(figure);
  hideTooltip();
  put(figure, null);
  say(figure, "");
}

// Shows what was drawn; null is the picture.
function put(figure, place) {
  const frame = figure.querySelector(".drawn");
  frame.replaceChildren(...(place ? [place] : []));
  frame.hidden = !place;
  figure.querySelector(".still").hidden = Boolean(place);
  figure.querySelector("[data-live]").setAttribute("aria-pressed", String(Boolean(place)));
}

// Ends the views of charts that Explore has put others in the place of.
function leaveOrphans() {
  for (const [figure, view] of drawn) {
    if (figure.isConnected) continue;
    view.finalize();
    drawn.delete(figure);
    hideTooltip();
  }
}

// Marks that have nothing to say, such as the letters beside a dot, don't hide one below them from the pointer.
function letThrough(place) {
  for (const mark of place.querySelectorAll(".role-mark :not(g)")) {
    if (mark.__data__ && !mark.__data__.tooltip) mark.style.pointerEvents = "none"; // Vega's item of the element
  }
}

async function get(address) {
  const response = await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS) }).catch((error) => {
    throw new Error(error.name === "TimeoutError" ? "the server takes too long" : "the server can't be reached");
  });
  if (response.status === 200) return response.json();
  const problem = await response.json().catch(() => ({}));
  if (response.status === 202) throw new Error("they are being computed; try again in a moment");
  throw new Error(problem.detail ?? `the server answers ${response.status}`);
}

function libraries() {
  loading ??= Promise.all(LIBRARIES.map(load)).catch((error) => {
    loading = null; // the next click tries again
    throw error;
  });
  return loading;
}

function load(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(`vendor/${name}.min.js`, import.meta.url);
    script.async = false; // fetched at once, run in their order
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error(`${name}.min.js can't be loaded`));
    });
    document.head.append(script);
  });
}

function hideTooltip() {
  document.querySelector(".vg-tooltip")?.classList.remove("visible");
}

function say(figure, text) {
  figure.querySelector(".live [role=status]").textContent = text;
}
