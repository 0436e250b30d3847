/*
 * plan.c - what an upload needs and what stands in its way, see report.h. Called by cli after
 * the walk, on its thread; two passes over the journal's rows at most.
 *
 * Times are floors: requests under the sliding window, bytes at a bandwidth, the largest file at
 * its own pace; the slowest of the three sets the end.
 */
#include "report/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "report/collide.h"
#include "report/json.h"
#include "report/mix.h"
#include "report/record.h"
#include "report/tally.h"
#include "report/text.h"

#define SHOWN_COLLISIONS 20
#define SHOWN_TYPES      12
#define NAME_COLUMNS     32

/* What a plan is made of; heap, for its tables. */
struct plan {
    const struct plan_options *options;
    struct tally tally;
    struct books_totals totals;
    struct collide collide;
    struct mix mix;
    struct plan_load load;
    struct plan_calls calls;
    struct buf scratch;
    struct buf form;
};

/* Shown where --bwlimit says nothing. */
static const struct {
    const char *name;
    const char *key;
    int64_t bytes_per_s;
} bandwidths[] = {
    {"100 Mbit/s", "bytes_s_100mbit", 12500000},
    {"1 Gbit/s", "bytes_s_1gbit", 125000000},
    {"10 Gbit/s", "bytes_s_10gbit", 1250000000},
};
#define BANDWIDTHS      (sizeof bandwidths / sizeof *bandwidths)
#define USUAL_BANDWIDTH 1 /* what the one-line answers assume */

/* ---- arithmetic
 * ---------------------------------------------------------------------------------- */

void plan_calls(const struct journal_books *books, const struct plan_options *options,
                struct plan_calls *out)
{
    int64_t needed = eta_requests_left(books);
    *out = (struct plan_calls){0};
    if (!needed)
        return;
    enum conflict_policy policy = options->on_conflict;
    int has_canary = policy == CONFLICT_OVERWRITE || policy == CONFLICT_VERSION;
    out->once = PLAN_TOKEN_REQUESTS + (has_canary ? PLAN_CANARY_REQUESTS : 0);
    out->once += options->has_regions != 0;
    out->links = books->to_link_files;
    if (options->map_folders != MAP_NONE && books->to_link_files) {
        out->categories = books->categories;
        out->collections = books->collections;
        out->once += options->has_parent != 0;
    }
    if (out->categories + out->collections)
        out->lists = (options->map_folders == MAP_TREE ? 2 : 1) * PLAN_LIST_REQUESTS;
    out->lists += options->manifest_lists * PLAN_LIST_REQUESTS;
    out->files = needed - out->links - out->categories - out->collections;
    out->all = needed + out->lists + out->once;
}

void plan_floor(const struct plan_load *load, int api_rate, int64_t bytes_per_s, struct eta *out)
{
    struct eta_input input = {
        .requests_left = load->requests,
        .api_rate = api_rate,
        .bytes_left = load->bytes,
        .goodput_bytes_per_s = bytes_per_s,
        .largest_left_bytes = load->largest_bytes,
        .largest_bytes_per_s =
            bytes_per_s < PLAN_FILE_BYTES_PER_S ? bytes_per_s : PLAN_FILE_BYTES_PER_S,
    };
    eta_compute(&input, out);
}

/* ---- reading
 * -------------------------------------------------------------------------------------- */

static int on_row(const struct journal_row *row, void *user)
{
    struct plan *plan = user;
    if (!tally_is_current(&plan->tally, row))
        return 0;
    if (row->state == ASSET_FAILED && row->error == ERR_NAME_COLLISION)
        return collide_add(&plan->collide, row);
    if (strcmp(record_result(row->state), "pending") != 0)
        return 0;
    const char *name = row->name ? row->name : row->path;
    mix_add(&plan->mix, row->mime_type ? row->mime_type : mime_by_extension(name),
            row->stamp.size_bytes);
    return 0;
}

static int plan_read(struct plan *plan, struct journal *journal, struct err *err)
{
    const struct plan_options *options = plan->options;
    int rc = tally_read(&plan->tally, journal, on_row, plan, err);
    if (rc)
        return rc;
    struct collide_limits limits = {
        .copy_links = options->copy_links,
        .read_bytes = options->compare_bytes ? options->compare_bytes : PLAN_COMPARE_BYTES,
    };
    rc = collide_resolve(&plan->collide, journal, &limits, err);
    if (rc)
        return rc;
    mix_sort(&plan->mix);
    books_totals(&plan->tally.books, &plan->totals);
    plan_calls(&plan->tally.books, options, &plan->calls);
    plan->load = (struct plan_load){
        .files = plan->mix.all.files,
        .bytes = plan->mix.all.bytes,
        .largest_bytes = plan->mix.largest_bytes,
        .requests = plan->calls.all,
    };
    return 0;
}

/* What files ask for each, beside what is asked once for all of them. */
static struct eta_each each_of(const struct plan *plan)
{
    const struct plan_calls *calls = &plan->calls;
    return (struct eta_each){.requests = calls->files + calls->links, .files = plan->load.files};
}

/* The bandwidth that one-line answers use. */
static int64_t assumed_bandwidth(const struct plan_options *options)
{
    return options->bwlimit_bytes_per_s > 0 ? options->bwlimit_bytes_per_s
                                            : bandwidths[USUAL_BANDWIDTH].bytes_per_s;
}

/* ---- text
 * ------------------------------------------------------------------------------------------- */

static void print_count(FILE *out, const char *name, const struct mix_count *count)
{
    char size[UNITS_TEXT_MAX];
    if (!count->files)
        return;
    /* A long name has a line of its own, so that the numbers stay below each other. */
    if (strlen(name) > NAME_COLUMNS) {
        fprintf(out, "  %s\n", name);
        name = "";
    }
    fprintf(out, "  %-*s %12lld %12s\n", NAME_COLUMNS, name, (long long)count->files,
            units_format_size(count->bytes, size));
}

static void print_mix(const struct plan *plan, FILE *out)
{
    const struct mix *mix = &plan->mix;
    struct mix_count rest = mix->other_types;
    fprintf(out, "To upload:\n");
    print_count(out, "files", &mix->all);
    if (!mix->all.files) {
        fprintf(out, "  nothing\n");
        return;
    }
    fprintf(out, "\nSizes:\n");
    for (size_t i = 0; i < MIX_SIZES; i++)
        print_count(out, mix_size_name(i), &mix->sizes[i]);
    fprintf(out, "\nTypes, by extension:\n");
    for (size_t i = 0; i < mix->type_count; i++) {
        if (i < SHOWN_TYPES) {
            print_count(out, mix->types[i].name, &mix->types[i].count);
        } else {
            rest.files += mix->types[i].count.files;
            rest.bytes += mix->types[i].count.bytes;
        }
    }
    print_count(out, "(others)", &rest);
}

static int print_path(struct plan *plan, const char *root, const char *path, FILE *out)
{
    int rc = text_source(root, path, &plan->scratch);
    buf_reset(&plan->form);
    if (!rc)
        rc = name_printable(buf_str(&plan->scratch), &plan->form);
    if (!rc)
        fputs(buf_str(&plan->form), out);
    return rc;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* 1 where two names look the same and are not: accents as one character and as two. */
static int is_other_form(const char *path, const char *owner_path)
{
    char name[LIMIT_NAME_BYTES + 1];
    char owner[LIMIT_NAME_BYTES + 1];
    struct err ignored;
    path = last_part(path);
    owner_path = last_part(owner_path);
    return strcmp(path, owner_path) != 0 && !name_of_folder(path, strlen(path), name, &ignored) &&
           !name_of_folder(owner_path, strlen(owner_path), owner, &ignored) && !strcmp(name, owner);
}

static int print_collision(struct plan *plan, const struct collision *item, FILE *out)
{
    static const char *const words[] = {
        [COLLIDE_UNKNOWN] = "not compared",
        [COLLIDE_DIFFERENT] = "different bytes",
        [COLLIDE_DUPLICATE] = "identical bytes",
    };
    fprintf(out, "    ");
    int rc = print_path(plan, item->root, item->path, out);
    if (!rc && item->owner_root) {
        fprintf(out, "\n      its name belongs to ");
        rc = print_path(plan, item->owner_root, item->owner_path, out);
    }
    fprintf(out, " (%s%s)\n", words[item->kind],
            item->owner_root && is_other_form(item->path, item->owner_path)
                ? "; the same name in another Unicode form"
                : "");
    return rc;
}

static int print_collisions(struct plan *plan, FILE *out)
{
    const struct collide *collide = &plan->collide;
    if (!collide->total)
        return 0;
    fprintf(out,
            "\nNames that another file has already: %lld (%lld of them true duplicates, identical "
            "bytes)\n  %s.\n",
            (long long)collide->total, (long long)collide->duplicates,
            err_advice(ERR_NAME_COLLISION));
    int rc = 0;
    for (size_t i = 0; i < collide->count && i < SHOWN_COLLISIONS && !rc; i++)
        rc = print_collision(plan, &collide->items[i], out);
    if (collide->total > SHOWN_COLLISIONS)
        fprintf(out, "    and %lld more; --json lists them\n",
                (long long)(collide->total - SHOWN_COLLISIONS));
    return rc;
}

static void print_floor(const struct plan *plan, const char *name, int64_t bytes_per_s, FILE *out)
{
    static const char *const words[] = {
        [ETA_BY_REQUESTS] = "requests",
        [ETA_BY_BYTES] = "bytes",
        [ETA_BY_LARGEST] = "the largest file",
    };
    struct eta floor;
    char total[UNITS_TEXT_MAX];
    char bytes[UNITS_TEXT_MAX];
    char largest[UNITS_TEXT_MAX];
    char crossover[UNITS_TEXT_MAX];
    struct eta_each each = each_of(plan);
    plan_floor(&plan->load, plan->options->api_rate, bytes_per_s, &floor);
    fprintf(out, "  at %-12s %s: bytes %s, largest file %s; set by %s", name,
            units_format_duration(floor.ms, total), units_format_duration(floor.bytes_ms, bytes),
            units_format_duration(floor.largest_ms, largest), words[floor.limit]);
    if (plan->options->api_rate > 0)
        fprintf(out, "; files under %s on average wait for requests",
                units_format_size(eta_crossover_bytes(plan->options->api_rate, bytes_per_s, &each),
                                  crossover));
    fprintf(out, "\n");
}

static void print_lanes(const struct plan *plan, FILE *out)
{
    const struct plan_options *options = plan->options;
    struct eta_each each = each_of(plan);
    if (options->api_rate <= 0 || options->transfers <= 0)
        return;
    /* Little's law: what runs at once = how many a second x how long each takes. */
    int64_t put_ms = text_scale(options->transfers, RATE_WINDOW_MS, options->api_rate);
    char pause[UNITS_TEXT_MAX];
    put_ms = text_scale(put_ms, each.requests, each.files);
    fprintf(out, "  %d transfers keep that pace while an upload takes %s or less\n",
            options->transfers, units_format_duration(put_ms, pause));
}

static void print_calls(const struct plan *plan, FILE *out)
{
    const struct plan_calls *calls = &plan->calls;
    const struct {
        const char *name;
        int64_t count;
    } lines[] = {
        {"two a file", calls->files},
        {"a link a file (two where PXM has it already)", calls->links},
        {"categories to make, where PXM has none of the name", calls->categories},
        {"collections to make, likewise", calls->collections},
        {"lists of what PXM has, a page each", calls->lists},
        {"what a run asks for once", calls->once},
    };
    if (!calls->links) {
        fprintf(out, "\nRequests: %lld, two a file and what a run asks for once\n",
                (long long)calls->all);
        return;
    }
    fprintf(out, "\nRequests: %lld\n", (long long)calls->all);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].count)
            fprintf(out, "  %12lld  %s\n", (long long)lines[i].count, lines[i].name);
}

static void print_times(const struct plan *plan, FILE *out)
{
    const struct plan_options *options = plan->options;
    char paced[UNITS_TEXT_MAX];
    if (!plan->load.files)
        return;
    print_calls(plan, out);
    if (options->api_rate > 0) {
        fprintf(out, "  at %d a minute they take %s, whatever the bandwidth\n", options->api_rate,
                units_format_duration(eta_requests_ms(plan->load.requests, options->api_rate, NULL),
                                      paced));
        print_lanes(plan, out);
    }
    fprintf(out, "\nEarliest end, one file sending at most %lld MB/s:\n",
            PLAN_FILE_BYTES_PER_S / 1000000);
    if (options->bwlimit_bytes_per_s > 0) {
        print_floor(plan, "--bwlimit", options->bwlimit_bytes_per_s, out);
        return;
    }
    for (size_t i = 0; i < BANDWIDTHS; i++)
        print_floor(plan, bandwidths[i].name, bandwidths[i].bytes_per_s, out);
}

static void print_settled(const struct plan *plan, FILE *out)
{
    const struct books_sum *files = &plan->totals.files;
    if (files->confirmed || files->skipped)
        fprintf(out, "\nDone before: %lld confirmed, %lld skipped\n", (long long)files->confirmed,
                (long long)files->skipped);
}

static int print_text(struct plan *plan, FILE *out)
{
    print_mix(plan, out);
    print_settled(plan, out);
    tally_print_excluded(&plan->tally, out);
    int rc = print_collisions(plan, out);
    tally_print_failures(&plan->tally, out);
    if (plan->tally.books.manifest_rows)
        fprintf(out, "\n");
    tally_print_manifest(&plan->tally, out);
    tally_print_issues(&plan->tally, out);
    if (!plan->tally.books.walk_complete)
        fprintf(out, "\nThe walk is not complete: there may be more files than these.\n");
    print_times(plan, out);
    return rc;
}

/* ---- JSON
 * ------------------------------------------------------------------------------------------- */

static int json_collision(struct plan *plan, const struct collision *item, struct json *json,
                          FILE *out, struct err *err)
{
    json_begin(json, "error", clock_wall_ms());
    json_str(json, "level", "warning");
    int rc = record_json_source(item->root, item->path, json, &plan->scratch);
    json_int(json, "size", item->size_bytes);
    json_str(json, "error_class", err_name(ERR_NAME_COLLISION));
    json_str(json, "advice", err_advice(ERR_NAME_COLLISION));
    if (!rc && item->owner_root) {
        rc = text_source(item->owner_root, item->owner_path, &plan->scratch);
        buf_reset(&plan->form);
        if (!rc)
            rc = name_printable(buf_str(&plan->scratch), &plan->form);
        json_str(json, "owner", buf_str(&plan->form));
        json_int(json, "owner_size", item->owner_bytes);
    }
    json_str(json, "content", collide_kind_name(item->kind));
    return rc ? rc : json_write(json, out, err);
}

static void json_floors(const struct plan *plan, struct json *json)
{
    const struct plan_options *options = plan->options;
    struct eta floor;
    int64_t bandwidth = assumed_bandwidth(options);
    struct eta_each each = each_of(plan);
    plan_floor(&plan->load, options->api_rate, bandwidth, &floor);
    json_int(json, "requests", plan->load.requests);
    json_int(json, "requests_links", plan->calls.links);
    json_int(json, "categories", plan->calls.categories);
    json_int(json, "collections", plan->calls.collections);
    json_int(json, "requests_lists", plan->calls.lists);
    json_int(json, "apiBudget", options->api_rate);
    json_milli(json, "requests_s", floor.requests_ms);
    json_int(json, "bandwidth", bandwidth);
    json_flag(json, "bandwidth_assumed", options->bwlimit_bytes_per_s <= 0);
    json_milli(json, "bytes_s", floor.bytes_ms);
    for (size_t i = 0; i < BANDWIDTHS; i++)
        json_milli(json, bandwidths[i].key,
                   eta_bytes_ms(plan->load.bytes, bandwidths[i].bytes_per_s));
    json_int(json, "largest", plan->load.largest_bytes);
    json_milli(json, "largest_s", floor.largest_ms);
    json_milli(json, "floor_s", floor.ms);
    json_str(json, "limiter", eta_limit_name(floor.limit));
    json_int(json, "crossover_bytes", eta_crossover_bytes(options->api_rate, bandwidth, &each));
}

static void json_mix(const struct plan *plan, struct json *json)
{
    const struct mix *mix = &plan->mix;
    json_open(json, "mime_types");
    for (size_t i = 0; i < mix->type_count; i++)
        json_int(json, mix->types[i].name, mix->types[i].count.files);
    if (mix->other_types.files)
        json_int(json, "(others)", mix->other_types.files);
    json_close(json);
    json_open(json, "sizes");
    for (size_t i = 0; i < MIX_SIZES; i++)
        if (mix->sizes[i].files)
            json_int(json, mix_size_name(i), mix->sizes[i].files);
    json_close(json);
    json_open(json, "excluded_by_reason");
    for (size_t i = 0; i < plan->tally.reason_count; i++)
        json_int(json, plan->tally.reasons[i].name, plan->tally.reasons[i].files);
    json_close(json);
}

static void json_summary(const struct plan *plan, struct json *json)
{
    const struct tally *tally = &plan->tally;
    const struct books_sum *files = &plan->totals.files;
    json_begin(json, "summary", clock_wall_ms());
    json_int(json, "version", 1);
    json_str(json, "operation", "plan");
    json_int(json, "planned", files->planned);
    json_int(json, "confirmed", files->confirmed);
    json_int(json, "skipped", files->skipped);
    json_int(json, "failed", files->failed);
    json_int(json, "excluded", files->excluded);
    json_int(json, "queued", files->queued);
    json_int(json, "totalTransfers", plan->load.files);
    json_int(json, "totalBytes", plan->load.bytes);
    json_int(json, "issues", tally->books.issues);
    tally_json_manifest(tally, json);
    json_int(json, "collisions", plan->collide.total);
    json_int(json, "duplicates", plan->collide.duplicates);
    json_int(json, "unusable_names", tally->count.failed_by_code[ERR_NAME_INVALID]);
    json_int(json, "wave", tally->books.wave);
    json_flag(json, "walk_complete", tally->books.walk_complete);
    json_floors(plan, json);
    json_mix(plan, json);
    tally_json_failures(tally, json);
}

static int print_json(struct plan *plan, FILE *out, struct err *err)
{
    struct json json;
    json_init(&json);
    int rc = 0;
    for (size_t i = 0; i < plan->collide.count && !rc; i++)
        rc = json_collision(plan, &plan->collide.items[i], &json, out, err);
    if (!rc) {
        json_summary(plan, &json);
        rc = json_write(&json, out, err);
    }
    json_release(&json);
    return rc;
}

int plan_print(struct journal *journal, const struct plan_options *options, FILE *out,
               struct err *err)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return err_set(err, ERR_NOMEM, "no memory for the plan");
    plan->options = options;
    collide_init(&plan->collide);
    mix_init(&plan->mix);
    buf_init(&plan->scratch, TEXT_MAX_BYTES);
    buf_init(&plan->form, TEXT_MAX_BYTES);
    int rc = plan_read(plan, journal, err);
    if (!rc)
        rc = options->json ? print_json(plan, out, err) : print_text(plan, out);
    if (rc == -ERR_NOMEM)
        err_set(err, ERR_NOMEM, "no memory for the plan");
    collide_release(&plan->collide);
    tally_release(&plan->tally);
    buf_release(&plan->scratch);
    buf_release(&plan->form);
    free(plan);
    return rc ? rc : text_flush(out, err);
}
