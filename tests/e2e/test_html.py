"""pxload report --format html: what a person sees of a job, in a browser and on paper."""
from browser import browser
from moments import SMALL_PARTS, Scene
from pxm import books, make_tree, sim, wait_for

HOSTILE = {
    "<img src=x onerror=alert(1)>.bin": b"1",
    "a\"'><script>document.title='owned'<script>.bin": b"2",
    "{{path}} &amp; <!-- x -->.bin": b"3",
    b"caf\xe9 \xff.bin": b"4",
    "rtl \u202egnp.exe": b"5",
    "ü – 日本.bin": b"6",
}
SHOWN = "[...document.querySelectorAll('%s tbody tr')].filter(row => row.offsetParent)"
# Contrast by WCAG 2 between an element's colour and the page's.
CONTRAST = """(selector => {
  const light = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number)
      .map(c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const page = light(getComputedStyle(document.body).backgroundColor);
  const ink = light(getComputedStyle(document.querySelector(selector)).color);
  return (Math.max(page, ink) + .05) / (Math.min(page, ink) + .05);
})('%s')"""


def page_of(scene, name="report.html", *args):
    path = scene.path.with_name(name)
    scene.load.run("report", "--format", "html", "-o", path, *args, scene.path)
    return path


def texts(view, selector):
    return view.value(f"[...document.querySelectorAll('{selector}')].map(e => e.textContent)")


def number(text):
    return int(text.replace(",", ""))


def test_page_shows_the_books_and_every_failure_safely(folder):
    with sim(folder, *SMALL_PARTS) as server, browser(folder) as view:
        scene = Scene(folder, server, files=130, more=HOSTILE)
        make_tree(scene.tree, {"twin/f0.bin": b"x", "Thumbs.db": b"junk", "sub/deep/er.bin": b"y"})
        server.faults([{"endpoint": "request", "every": 2, "status": 400, "body": "json",
                        "code": "<b>InvalidName</b>"}])
        done = scene.load.run(*scene.command(), expect=1)
        planned, confirmed, skipped, failed, excluded = books(done)
        page = page_of(scene)
        view.media(scheme="light")
        view.window(1280, 900)
        view.open(page)
        check_safe(view, page)
        tiles = dict(zip(texts(view, ".tiles .label"), texts(view, ".tiles .value")))
        assert number(tiles["Files in PXM"]) == confirmed and number(tiles["Failed"]) == failed
        assert texts(view, ".lead b") == [f"{n:,}" for n in
                                          (planned, confirmed, skipped, failed, excluded)]
        assert texts(view, ".word") == ["Finished, with failures"]
        rows = texts(view, "#failures tbody tr td:first-child")
        assert len(rows) == failed and len(set(rows)) == failed, rows
        assert all(texts(view, "#failures .advice")), "a class of failures without advice"
        by_folder = {row[0]: number(row[1]) for row in
                     view.value("[...document.querySelectorAll('#folders tbody tr')]"
                                ".map(row => [...row.cells].map(cell => cell.textContent))")}
        assert by_folder[str(scene.tree)] == planned - excluded, by_folder
        assert by_folder["sub"] == by_folder["sub/deep"] == by_folder["twin"] == 1, by_folder
        check_search(view, rows)
        check_looks(view)
        check_without_script(view, page, failed)


def check_safe(view, page):
    """Nothing was asked for but the page, nothing ran but its script, and nobody complains."""
    assert view.requests() == [f"file://{page}"], view.requests()
    assert not view.complaints(), view.complaints()
    assert view.value("document.title").startswith("Upload report: ")
    tags = set(view.value("[...document.querySelectorAll('*')].map(e => e.tagName)"))
    assert not tags & {"IMG", "IFRAME", "LINK", "OBJECT", "BASE", "FORM"}, tags
    assert view.value("document.scripts.length") == 1
    text = view.value("document.body.textContent")
    for name in HOSTILE:
        # What is no text, or turns it around, is shown byte by byte.
        shown = name if isinstance(name, str) else "caf\\xe9 \\xff.bin"
        assert shown.replace("\u202e", "\\xe2\\x80\\xae") in text, name


def check_search(view, rows):
    """Paging shows a page of rows; a search shows all that match, wherever they are."""
    first = "#failures article:first-of-type table"
    in_first = view.value(f"document.querySelector('{first}').tBodies[0].rows.length")
    assert 50 < in_first <= 100, "the first class is to have two pages"
    view.value(f"document.querySelector('{first}').closest('details').open = true; 0")
    pages = []
    for _ in range(2):
        pages.append(view.value(SHOWN % first + ".map(row => row.cells[0].textContent)"))
        view.value("document.querySelectorAll('#failures .pager button')[1].click(); 0")
    assert [len(page) for page in pages] == [50, in_first - 50], pages
    assert not set(pages[0]) & set(pages[1])
    search = "document.querySelector('#failures input')"
    found = SHOWN % "#failures" + ".map(row => row.cells[0].textContent).sort()"
    for words in ("1.bin F", "no such file"):
        want = sorted(row for row in rows if all(word in row for word in words.lower().split()))
        assert len(want) < 50
        view.value(f"{search}.value = '{words}'; {search}.dispatchEvent(new Event('input')); 0")
        wait_for(lambda: view.value(found) == want, f"the rows of {words!r}: {want}")
    # Sorted by size: numbers, not texts.
    head = "document.querySelectorAll('#largest thead button')[1]"
    for order in ("descending", "ascending"):
        view.value(f"{head}.click(); 0")
        assert view.value(f"{head}.parentNode.ariaSort") == order
        sizes = view.value("[...document.querySelectorAll('#largest tbody tr')]"
                           ".map(row => Number(row.cells[1].dataset.n))")
        assert sizes == sorted(sizes, reverse=order == "descending"), sizes


def check_looks(view):
    """Dark and light with contrast, on a telephone without sideways scrolling, on paper."""
    pictures = set()
    for scheme in ("light", "dark"):
        view.media(scheme=scheme)
        pictures.add(view.screenshot())
        for selector in ("body", ".soft", ".tiles .label", ".bad", "nav a", ".word"):
            ratio = view.value(CONTRAST % selector)
            assert ratio >= 4.5, (scheme, selector, ratio)
    assert len(pictures) == 2 and all(len(picture) > 20000 for picture in pictures)
    view.window(360, 800)
    assert view.value("document.documentElement.scrollWidth") <= 360
    assert view.value("(t => t.scrollWidth <= t.clientWidth)(document.querySelector('#books table'))")
    view.window(1280, 900)
    view.media("print")
    assert view.value("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert view.pdf().startswith(b"%PDF-")
    view.media()


def check_without_script(view, page, failed):
    view.call("Emulation.setScriptExecutionDisabled", value=True)
    view.open(page)
    view.call("Emulation.setScriptExecutionDisabled", value=False)
    hidden = view.value("document.querySelectorAll('tr[hidden], input, .pager').length")
    assert hidden == 0, "something is hidden that only the script shows, or does nothing"
    assert view.value("document.querySelectorAll('#failures tbody tr').length") == failed
