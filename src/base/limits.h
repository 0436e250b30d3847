/*
 * limits.h - every named maximum: what a buffer, queue, reply or retry may grow to.
 * Sizes in bytes, times in milliseconds, unless the name says otherwise.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* Replies (protocol page, section 2). */
#define LIMIT_REPLY_BYTES    (8 * 1024 * 1024)
#define LIMIT_REPLY_SMALL    (256 * 1024)       /* replies larger than this come one at a time */
#define LIMIT_REPLY_TREE     (20 * 1024 * 1024) /* memory that the JSON of one may need */
#define LIMIT_S3_ERROR_BYTES (64 * 1024)
#define LIMIT_JSON_DEPTH     32
#define LIMIT_HEADER_BYTES   512 /* of one kept header value */
#define LIMIT_REPLY_HEADERS  128 /* headers of one reply that are read at all */
#define LIMIT_URL_BYTES      8192
#define LIMIT_ID_BYTES       256  /* file ids, upload ids */
#define LIMIT_VERSION_BYTES  32   /* what a reply calls a file's version */
#define LIMIT_CDN_URL_BYTES  2048 /* a public URL, percent-encoded */
#define LIMIT_SERVER_TEXT    300  /* of a server's message inside an error text */
#define LIMIT_PARTS          10000
#define LIMIT_FILE_LINKS     1000 /* collections, and attributes, of one file */
#define LIMIT_LIST_PAGE      1000 /* rows of a list that are asked for at once */
#define LIMIT_LIST_PAGES     20000

/* Local names. */
#define LIMIT_NAME_BYTES  255
#define LIMIT_PATH_BYTES  65536
#define LIMIT_WALK_DEPTH  4096
#define LIMIT_ROOTS       64 /* PATHs of one job */
#define LIMIT_FOLDER_PATH 64 /* folders of a path that a message shows */

/* Manifests. */
#define LIMIT_MANIFEST_ROW_BYTES (1024 * 1024) /* of one row */
#define LIMIT_MANIFEST_COLUMNS   1024
#define LIMIT_MANIFEST_ITEMS     8192 /* values of one row, those of lists counted one by one */
#define LIMIT_MANIFEST_LABEL     256  /* bytes of a column's name */

/* Queues between threads. */
#define LIMIT_WALK_BATCH       512  /* entries in one batch of the walker */
#define LIMIT_CLAIM            64   /* assets claimed from the journal at once */
#define LIMIT_COMMITS          4    /* batches under way to the journal */
#define LIMIT_UNSAVED_REQUESTS 32   /* API requests begun and not yet in the journal */
#define LIMIT_TRANSFERS        1024 /* most --transfers */
#define LIMIT_TRANSFERS_AUTO   64   /* most that --transfers auto comes to */
#define LIMIT_SPARE_EXCHANGES  64   /* idle API handles kept for reuse */

/* The journal's history of a job. */
#define LIMIT_HISTORY_ROWS 2048 /* moments */
#define HISTORY_FIRST_MS   1000 /* how long one is at first; it doubles as often as it must */
#define HISTORY_SPREAD     64   /* moments that one addition is spread over at most */

/* Reading and sending files. Mapped pages count as memory of the process. */
#define LIMIT_WINDOW_BYTES    (1024 * 1024)      /* one mapped window */
#define LIMIT_SNIFF_BYTES     (64 * 1024)        /* the head that libmagic sees */
#define LIMIT_SNAPSHOT_BYTES  (64 * 1024)        /* files up to this are read once, whole */
#define LIMIT_SNAPSHOTS_BYTES (16 * 1024 * 1024) /* of all such files together */
#define LIMIT_SENDING_BYTES   (16 * 1024 * 1024) /* buffers and windows of all PUTs together */
#define SEND_BUFFER_SMALL     (64 * 1024)
#define SEND_BUFFER_LARGE     (512 * 1024)

/* Time. */
#define RETRY_BASE_MS        500
#define RETRY_CAP_MS         20000
#define RETRY_AFTER_MAX_MS   (15 * 60 * 1000)
#define RATE_WINDOW_MS       60000
#define RATE_AGES            (RATE_WINDOW_MS / 1000 + 1) /* full seconds that a start in it is old */
#define RATE_LIMITED_HOLD_MS 15000                       /* after a 429 that names no time */
#define THROTTLE_RECOVER_MS  10000 /* after SlowDown, until one more PUT is tried */
#define COMMIT_EVERY_MS      2     /* between two batches to the journal */
#define BOOKS_EVERY_MS       1000  /* how old the counts of a snapshot may be */
#define LANE_POLL_MS         25    /* a claim lane that is dry while the walk goes on */
/* Requests in RATE_WINDOW_MS of --wait-processed: a tenth of what PXM allows. */
#define VERIFY_API_RATE   95
#define LOOKUP_APART_MS   2500  /* two writes of one file: more than slack and Date may be off */
#define LOOKUP_SLACK_MS   1500  /* PXM's times may be cut to the second, like its Date header */
#define DRAIN_DEADLINE_MS 20000 /* of a SIGTERM */

#endif
