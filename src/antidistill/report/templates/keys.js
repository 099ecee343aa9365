"use strict";
// Buttons and keys that do the same: `moves` holds, by the id of a button, its keys and what it does.
function bindMoves(moves) {
  const on = document.getElementById("keys-on");
  for (const [id, [, move]] of Object.entries(moves)) document.getElementById(id).addEventListener("click", move);
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("select, input, textarea");
    if (typing || event.ctrlKey || event.altKey || event.metaKey || !on.checked) return;
    const found = Object.values(moves).find(([keys]) => keys.includes(event.key));
    if (!found) return;
    event.preventDefault();
    found[1]();
  });
}
