// A field that leaves of a list only what has its words; without a script the whole list is there.

const field = document.querySelector("input[data-filters]");
const items = [...document.querySelectorAll(field.dataset.filters)];
const said = field.parentElement.querySelector("[role=status]");

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function filter() {
  const wanted = plain(field.value.trim());
  const shown = items.filter((item) => {
    item.hidden = !plain(item.dataset.place).includes(wanted);
    return !item.hidden;
  });
  for (const list of document.querySelectorAll("ul.all-places")) {
    const isEmpty = [...list.children].every((item) => item.hidden);
    list.hidden = isEmpty;
    list.previousElementSibling.hidden = isEmpty;
  }
  said.textContent = wanted ? `${shown.length} of ${items.length}` : "";
}

field.addEventListener("input", filter);
field.parentElement.hidden = false;
filter();
