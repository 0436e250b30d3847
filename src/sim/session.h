/*
 * Upload sessions: what request-upload opened and confirm-upload closes.
 *
 *     open --(every part stored)--> confirmed (the slot then names the file)
 *
 * Records are guarded by tenant_lock(); functions marked (locked) are called under it.
 * A PUT holds its session, so a confirm beside it can't pull it away.
 */
#ifndef SIM_SESSION_H
#define SIM_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/store.h"
#include "sim/tenant.h"
#include "sim/text.h"

struct part {
    uint64_t start;
    uint64_t end; /* exclusive */
    uint64_t stored_bytes;
    struct blob blob;
    uint8_t etag[DIGEST_MD5_BYTES];
    bool begun;
    bool stored;
    bool answered; /* with success */
};

struct session {
    uint64_t seq;
    int64_t created_ms;
    int64_t url_until_ms;
    int64_t until_ms;
    uint64_t size;
    const char *mime;
    struct part *parts; /* one for a single PUT */
    uint32_t n_parts;
    bool multipart;
    bool resliced;
    int refs;
    char *remote_id;      /* upload id at a real S3 server */
    struct digest *whole; /* MD5 of parts 0..whole_next-1, for the null store */
    uint32_t whole_next;
    char name[];
};

/* One PUT between its first header and its answer. */
struct put {
    struct put *prev;
    struct put *next;
    struct session *session;
    uint32_t part_idx;
    int fd;
    struct sink sink;
    struct digest *md5;
    struct digest *whole;
    uint64_t expected;
    uint64_t got;
    uint8_t etag[DIGEST_MD5_BYTES];
    bool stored;
};

struct session_new {
    const char *name;
    const char *mime;
    uint64_t size;
};

/* (locked) Opens a session and plans its parts. */
struct session *session_open(const struct session_new *n);

/* (locked) The newest open multipart session of that name and size, its URLs renewed; or NULL. */
struct session *session_reopen(const struct session_new *n);

/* Adds the file_path of session seq for a file of that name, e.g. /incoming/0000000112345678. */
void session_path(uint64_t seq, const char *name, struct text *out);
void session_upload_id(const struct session *s, char out[40]);

enum session_look { SESSION_OPEN, SESSION_CONFIRMED, SESSION_UNKNOWN };

/*
 * (locked) Finds the session that a file_path, or an S3 key that ends in one, belongs
 * to. CONFIRMED gives *out_file instead of *out.
 */
enum session_look session_find(const char *path, struct session **out, struct file **out_file);

/* (locked) Marks s confirmed as f and gives up the table's hold on it. */
void session_confirm(struct session *s, struct file *f);

/* (locked) Keeps s alive beyond a confirm, for a job that works without the lock. */
void session_hold(struct session *s);
void session_drop(struct session *s);

/* (locked) Whether another session of this name has a live PUT; its seq to *out_seq. */
bool session_name_in_flight(const char *name, uint64_t but_seq, uint64_t *out_seq);

/* (locked) Registers p (session, part_idx, fd, expected set) and audits the order. */
void session_put_begin(struct put *p, const char *where);
/* (locked) The body is whole and good: the part is stored. */
void session_put_stored(struct put *p);
/* (locked) The success goes out now. */
void session_put_answered(struct put *p);
/* (locked) Ends p in any case; its digests and sink are released. */
void session_put_end(struct put *p);

/* (locked) Sessions that are open and not expired. */
uint64_t session_count_open(int64_t now_ms);

void session_teardown(void);

#endif
