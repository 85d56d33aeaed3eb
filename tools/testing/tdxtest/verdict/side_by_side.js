// SPDX-License-Identifier: GPL-2.0-only
// Shows the rows that the form asks for. The address keeps the choice, so that it can be sent.
'use strict';

const text = document.getElementById('text');
const word = document.getElementById('word');
const apart = document.getElementById('apart');
const rows = Array.from(document.querySelectorAll('tbody tr'));

function shown(row) {
	return row.dataset.text.includes(text.value.trim().toLowerCase()) &&
	       (!word.value || row.dataset.words.split(' ').includes(word.value)) &&
	       (!apart.checked || 'apart' in row.dataset);
}

function filter() {
	let count = 0;

	for (const row of rows) {
		row.hidden = !shown(row);
		count += !row.hidden;
	}
	document.getElementById('count').textContent = `${count} of ${rows.length} cases`;
	const chosen = new URLSearchParams({
		text: text.value, word: word.value, apart: apart.checked ? '1' : '',
	});
	history.replaceState(null, '', `#${chosen}`);
}

const chosen = new URLSearchParams(location.hash.slice(1));
text.value = chosen.get('text') || '';
word.value = chosen.get('word') || '';
apart.checked = chosen.get('apart') === '1';
for (const field of [text, word, apart])
	field.addEventListener('input', filter);
document.getElementById('filter').addEventListener('submit', event => event.preventDefault());
filter();
