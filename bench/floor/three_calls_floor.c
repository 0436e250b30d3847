/*
 * three_calls_floor.c - PXM's three calls a file over a bare libcurl multi handle: no journal, no
 * checks, no retries, JSON written by printf and read by string search. What is lost against it
 * is the price of being able to resume and to verify. Parts of a file go one after the other. The
 * token comes from PXM_TOKEN.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floor/floor.h"

enum call { CALL_REQUEST, CALL_PUT, CALL_CONFIRM };

struct slot {
    CURL *easy;
    enum call call;
    const struct floor_file *file;
    struct floor_slice slice;
    char *reply;
    size_t reply_len;
    size_t reply_room;
    const char *next_part; /* in reply */
    int64_t at;
    char *etags;
    size_t etags_len;
    size_t etags_room;
    char body[4096];
    char *confirm;
};

static struct floor_options options;
static struct floor_file *files;
static size_t file_count;
static size_t next_file;
static int64_t sent_bytes;
static CURLM *multi;
static struct curl_slist *api_headers;

static void append(char **text, size_t *len, size_t *room, const char *data, size_t n)
{
    if (*len + n + 1 > *room) {
        *room = 2 * (*len + n + 1) + 1024;
        *text = realloc(*text, *room);
    }
    memcpy(*text + *len, data, n);
    *len += n;
    (*text)[*len] = '\0';
}

static size_t on_reply(char *data, size_t size, size_t count, void *user)
{
    struct slot *slot = user;
    if (slot->call == CALL_REQUEST)
        append(&slot->reply, &slot->reply_len, &slot->reply_room, data, size * count);
    return size * count;
}

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    struct slot *slot = user;
    size_t len = size * count;
    if (slot->call == CALL_PUT && len >= 40 && memcmp(line, "ETag: \"", 7) == 0) {
        char one[96];
        long long part_no = (slot->at + options.part_bytes - 1) / options.part_bytes;
        int n = snprintf(one, sizeof one, "%s{\"part_number\":%lld,\"etag\":\"\\\"%.32s\\\"\"}",
                         slot->etags_len ? "," : "", part_no, line + 7);
        append(&slot->etags, &slot->etags_len, &slot->etags_room, one, (size_t)n);
    }
    return len;
}

/* Copies the string that follows key in text; where it ends, or NULL. */
static const char *find_string(const char *text, const char *key, char *out, size_t size)
{
    const char *at = strstr(text, key);
    if (!at)
        return NULL;
    at += strlen(key);
    size_t len = strcspn(at, "\"");
    if (len >= size)
        return NULL;
    memcpy(out, at, len);
    out[len] = '\0';
    return at + len;
}

static void post(struct slot *slot, const char *path, const char *body, size_t len)
{
    char url[512];
    snprintf(url, sizeof url, "%s%s", options.url, path);
    curl_easy_setopt(slot->easy, CURLOPT_URL, url);
    curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, api_headers);
    curl_easy_setopt(slot->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    curl_multi_add_handle(multi, slot->easy);
}

/* False at the end. */
static int begin_file(struct slot *slot)
{
    if (next_file == file_count)
        return 0;
    slot->file = &files[next_file++];
    slot->call = CALL_REQUEST;
    slot->reply_len = slot->etags_len = 0;
    slot->at = 0;
    int n = snprintf(slot->body, sizeof slot->body,
                     "{\"filename\":\"%s\",\"file_name\":\"%s\",\"mime_type\":"
                     "\"application/octet-stream\",\"size\":%lld}",
                     slot->file->name, slot->file->name, (long long)slot->file->size);
    post(slot, "/v3/file/request-upload", slot->body, (size_t)n);
    return 1;
}

static void put_next(struct slot *slot)
{
    char url[4096];
    int in_parts = slot->file->size > options.threshold;
    int64_t len = slot->file->size - slot->at;
    if (in_parts && len > options.part_bytes)
        len = options.part_bytes;
    slot->call = CALL_PUT;
    slot->next_part = find_string(slot->next_part, "\"upload_url\":\"", url, sizeof url);
    if (!slot->next_part) {
        fprintf(stderr, "no upload_url for %s\n", slot->file->path);
        exit(1);
    }
    floor_open(&slot->slice, &options, slot->file, slot->at, len);
    floor_put(slot->easy, url, &slot->slice);
    curl_multi_add_handle(multi, slot->easy);
    slot->at += len;
    sent_bytes += len;
}

static void confirm(struct slot *slot)
{
    char file_path[512] = "";
    char upload_id[512] = "";
    find_string(slot->reply, "\"file_path\":\"", file_path, sizeof file_path);
    find_string(slot->reply, "\"upload_id\":\"", upload_id, sizeof upload_id);
    size_t room = slot->etags_len + sizeof file_path + sizeof upload_id + 1024;
    char *body = slot->confirm = realloc(slot->confirm, room);
    int n = snprintf(body, room, "{\"file_path\":\"%s\",\"file_name\":\"%s\",\"file_size\":%lld",
                     file_path, slot->file->name, (long long)slot->file->size);
    if (upload_id[0])
        n += snprintf(body + n, room - (size_t)n, ",\"upload_id\":\"%s\",\"multipart\":[%s]",
                      upload_id, slot->etags);
    n += snprintf(body + n, room - (size_t)n, ",\"metadata\":{\"published\":false}}");
    slot->call = CALL_CONFIRM;
    post(slot, "/v3/file/confirm-upload", body, (size_t)n);
}

/* What follows when a call is answered; false when the slot has nothing more to do. */
static int go_on(struct slot *slot)
{
    switch (slot->call) {
    case CALL_REQUEST:
        slot->next_part = slot->reply;
        put_next(slot);
        return 1;
    case CALL_PUT:
        floor_close(&slot->slice);
        if (slot->at < slot->file->size)
            put_next(slot);
        else
            confirm(slot);
        return 1;
    case CALL_CONFIRM:
        return begin_file(slot);
    }
    return 0;
}

static void drive(int active)
{
    while (active) {
        int running;
        int left;
        CURLMsg *message;
        curl_multi_perform(multi, &running);
        while ((message = curl_multi_info_read(multi, &left))) {
            struct slot *slot = NULL;
            floor_check(message->easy_handle, message->data.result);
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
            curl_multi_remove_handle(multi, slot->easy);
            active -= !go_on(slot);
        }
        if (active)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
}

int main(int argc, char **argv)
{
    char authorization[1024];
    const char *token = getenv("PXM_TOKEN");
    snprintf(authorization, sizeof authorization, "Authorization: Bearer %s",
             token ? token : "none");
    floor_parse(argc, argv, &options);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    files = floor_list(options.folder, &file_count);
    multi = curl_multi_init();
    api_headers = curl_slist_append(NULL, "Content-Type: application/json");
    api_headers = curl_slist_append(api_headers, authorization);
    struct slot *slots = calloc((size_t)options.conns, sizeof *slots);
    int active = 0;
    for (int i = 0; i < options.conns; i++) {
        CURL *easy = slots[i].easy = floor_easy(&options);
        curl_easy_setopt(easy, CURLOPT_PRIVATE, &slots[i]);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &slots[i]);
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(easy, CURLOPT_HEADERDATA, &slots[i]);
        active += begin_file(&slots[i]);
    }
    drive(active);
    floor_summary(file_count, sent_bytes);
    return 0;
}
