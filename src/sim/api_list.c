/* Paging and list shapes, which differ by endpoint and tenant; regions, attributes. */
#include "sim/api.h"
#include "sim/attribute.h"
#include "sim/options.h"

#define LIMIT_USUAL 20
#define LIMIT_MAX   1000

static int64_t shifted; /* pages; API thread */

void page_begin(struct page *p, const struct exch *x, int shape, const char *usual)
{
    static const char *const keys[] = {NULL, NULL, "collections", "files", "items", "data", "hits"};
    const char *key = shape == SHAPE_USUAL ? usual : keys[shape];
    int64_t limit = api_query_number(x, "limit", LIMIT_USUAL);
    int64_t offset = api_query_number(x, "offset", 0);

    *p = (struct page){.close = key == NULL ? "]" : "]}"};
    p->left = limit < 0 ? 0 : limit > LIMIT_MAX ? LIMIT_MAX : (uint64_t)limit;
    p->skip = offset < 0 ? 0 : (uint64_t)offset;
    if (p->skip > 0 && options_current()->quirk.page_repeat)
        p->skip--;
    if (p->skip > 0 && shifted < options_current()->quirk.page_shifts) {
        shifted++;
        p->skip++;
    }
    if (options_current()->quirk.page_max > 0 &&
        p->left > (uint64_t)options_current()->quirk.page_max)
        p->left = (uint64_t)options_current()->quirk.page_max;
    if (key == NULL)
        text_puts(&p->text, "[");
    else
        text_addf(&p->text, "{\"%s\":[", key);
}

bool page_row(struct page *p)
{
    p->total++;
    if (p->skip > 0) {
        p->skip--;
        return false;
    }
    if (p->left == 0)
        return false;
    p->left--;
    if (p->any)
        text_puts(&p->text, ",");
    p->any = true;
    return true;
}

void page_end(struct page *p, struct exch *x)
{
    text_puts(&p->text, p->close);
    api_reply(x, 200, &p->text);
}

void api_regions(struct exch *x, const char *arg, json_object *body)
{
    struct page p;

    (void)arg;
    (void)body;
    page_begin(&p, x, options_current()->quirk.region_shape, NULL);
    for (int i = 0; i < TENANT_REGIONS; i++) {
        const struct region *r = &tenant_data()->regions[i];
        if (page_row(&p))
            text_addf(&p.text,
                      "{\"id\":\"%s\",\"name\":\"%s\",\"is_primary\":%s,\"language\":\"%s\","
                      "\"topics\":[]}",
                      r->id_text, r->name, r->is_primary ? "true" : "false", r->language);
    }
    page_end(&p, x);
}

void api_attributes(struct exch *x, const char *arg, json_object *body)
{
    struct page p;

    (void)arg;
    (void)body;
    page_begin(&p, x, options_current()->quirk.attribute_shape, NULL);
    for (size_t i = 0; i < attribute_count(); i++) {
        if (page_row(&p))
            attribute_json(&p.text, i);
    }
    page_end(&p, x);
}
