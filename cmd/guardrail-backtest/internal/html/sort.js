"use strict";
// Sorts tables by the column whose heading is pressed. Without this script they are as they are.
for (const table of document.querySelectorAll("table.sortable")) {
	const headings = [...table.tHead.rows[0].cells];
	headings.forEach((heading, column) => {
		const button = document.createElement("button");
		button.type = "button";
		button.append(...heading.childNodes);
		heading.append(button);
		button.addEventListener("click", () => {
			// Numbers begin with the largest, names with the first.
			const sorted = heading.getAttribute("aria-sort");
			const down = sorted ? sorted === "ascending" : heading.classList.contains("n");
			headings.forEach((other) => other.removeAttribute("aria-sort"));
			heading.setAttribute("aria-sort", down ? "descending" : "ascending");
			const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
			const rows = [...table.tBodies[0].rows].sort((a, b) => {
				const x = value(a), y = value(b);
				const order = heading.classList.contains("n") ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
				return down ? -order : order;
			});
			table.tBodies[0].append(...rows);
		});
	});
}
