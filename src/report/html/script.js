// Search, sorting and paging of the tables. All rows are in the page already; without this script
// they are simply all shown. Nothing is ever written as HTML: names are strangers' words.
'use strict';
(() => {
  const PAGE = 50;

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  }

  function button(text, onClick) {
    const element = make('button', '', text);
    element.type = 'button';
    element.addEventListener('click', onClick);
    return element;
  }

  const grouped = (number) => number.toLocaleString('en-US');

  // One table: its rows in order, which of them match, and the page that is shown.
  class Rows {
    constructor(table) {
      this.table = table;
      this.body = table.tBodies[0];
      this.rows = Array.from(this.body.rows);
      this.details = table.closest('details');
      this.wasOpen = this.details && this.details.open;
      this.matching = this.rows;
      this.page = 0;
      this.addPager();
      this.addSorting();
      for (const row of this.rows) row.hidden = true;
      this.shown = [];
      this.show(0);
    }

    addPager() {
      this.pager = make('div', 'pager');
      this.where = make('span');
      this.where.setAttribute('aria-live', 'polite');
      this.before = button('Previous', () => this.show(this.page - 1));
      this.after = button('Next', () => this.show(this.page + 1));
      this.pager.append(this.before, this.after, this.where);
      this.table.after(this.pager);
    }

    addSorting() {
      Array.from(this.table.tHead.rows[0].cells).forEach((head, column) => {
        const control = button(head.textContent, () => this.sort(head, column));
        head.replaceChildren(control);
      });
    }

    sort(head, column) {
      const down = head.getAttribute('aria-sort') !== 'descending';
      for (const other of head.parentNode.cells) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const key = (row) => {
        const cell = row.cells[column];
        return cell.dataset.n === undefined ? cell.textContent : Number(cell.dataset.n);
      };
      const keys = new Map(this.rows.map((row) => [row, key(row)]));
      const compare = (a, b) => (keys.get(a) < keys.get(b) ? -1 : keys.get(a) > keys.get(b) ? 1 : 0);
      this.rows.sort(down ? (a, b) => compare(b, a) : compare);
      this.body.append(...this.rows);
      this.filter(this.words || []);
    }

    // Rows that have all the words. 0 words: every row.
    filter(words) {
      this.words = words;
      if (words.length && !this.texts)
        this.texts = new Map(this.rows.map((row) => [row, row.textContent.toLowerCase()]));
      this.matching = words.length
        ? this.rows.filter((row) => words.every((word) => this.texts.get(row).includes(word)))
        : this.rows;
      if (this.details) this.details.open = words.length ? this.matching.length > 0 : this.wasOpen;
      this.show(0);
      return this.matching.length;
    }

    show(page) {
      for (const row of this.shown) row.hidden = true;
      this.page = page;
      this.shown = this.matching.slice(page * PAGE, (page + 1) * PAGE);
      for (const row of this.shown) row.hidden = false;
      const first = page * PAGE + 1;
      this.pager.hidden = this.matching.length <= PAGE;
      this.before.disabled = page === 0;
      this.after.disabled = first + PAGE > this.matching.length;
      this.where.textContent =
        `${grouped(first)} to ${grouped(first + this.shown.length - 1)} of ${grouped(this.matching.length)}`;
    }
  }

  function addTools(section) {
    const tables = Array.from(section.querySelectorAll('table.rows'), (table) => new Rows(table));
    const total = tables.reduce((sum, table) => sum + table.rows.length, 0);
    if (total < 10) return;
    const tools = make('div', 'tools');
    const field = make('input');
    field.type = 'search';
    field.placeholder = section.dataset.tools;
    field.setAttribute('aria-label', section.dataset.tools);
    const found = make('span', 'soft');
    found.setAttribute('aria-live', 'polite');
    let timer = 0;
    const search = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      const matches = tables.reduce((sum, table) => sum + table.filter(words), 0);
      found.textContent = words.length ? `${grouped(matches)} of ${grouped(total)}` : '';
      for (const article of section.querySelectorAll('article'))
        article.hidden = words.length > 0 && !tables.some((table) =>
          article.contains(table.table) && table.matching.length);
    };
    field.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(search, 150);
    });
    tools.append(field, found);
    section.querySelector('h2').after(tools);
  }

  document.querySelectorAll('section[data-tools]').forEach(addTools);
})();
