/*
 * mime_sniff.c - see mime_sniff.h. No state, any thread.
 *
 * Fixed bytes at a fixed place are rows of a table; what needs a closer look has a function. All
 * of it reads the head alone, and stays within head_len.
 */
#include "scan/mime_sniff.h"

#include <string.h>
#include <strings.h>

struct head {
    const unsigned char *bytes;
    size_t len;
};

static const struct {
    const char *type;
    enum mime_holds holds;
} signs[] = {
#define X(sym, type, holds) {type, MIME_##holds},
    MIME_SIGNS(X)
#undef X
};
_Static_assert(sizeof signs / sizeof *signs == MIME_SIGN_COUNT, "one row a sign");

const char *mime_sniff_type(enum mime_sign sign)
{
    return signs[sign].type;
}

enum mime_holds mime_sniff_holds(enum mime_sign sign)
{
    return signs[sign].holds;
}

/* ---- fixed bytes ---------------------------------------------------------------------------- */

#define AT(offset, text, sign)                             \
    {                                                      \
        text, MIME_SIGN_##sign, (offset), sizeof(text) - 1 \
    }
static const struct {
    const char *bytes;
    enum mime_sign sign;
    unsigned short offset;
    unsigned short len;
} fixed[] = {
    AT(0, "\xff\xd8\xff", JPEG),
    AT(0, "\x89PNG\r\n\x1a\n", PNG),
    AT(0, "GIF87a", GIF),
    AT(0, "GIF89a", GIF),
    AT(0, "8BPS\0\1", PSD),
    AT(0, "8BPS\0\2", PSD),
    AT(0, "\0\0\0\x0cJXL \r\n\x87\n", JXL),
    AT(0, "\xff\x0a", JXL_STREAM),
    AT(0, "\0\0\0\x0cjP  \r\n\x87\n", JP2),
    AT(0, "\xff\x4f\xff\x51", JP2),
    AT(8, "CR\2\0", CR2), /* before TIFF, which it also is */
    AT(0, "IIRO", ORF),
    AT(0, "IIRS", ORF),
    AT(0, "MMOR", ORF),
    AT(0, "IIU\0", RW2),
    AT(0, "II*\0", TIFF),
    AT(0, "MM\0*", TIFF),
    AT(0, "II+\0", TIFF),
    AT(0, "MM\0+", TIFF),
    AT(0, "II\xbc\1", TIFF), /* JPEG XR */
    AT(0, "FUJIFILMCCD-RAW", RAF),
    AT(0, "FOVb", X3F),
    AT(0, "\0MRM", MRW),
    AT(0, "\x76\x2f\x31\x01", EXR),
    AT(0, "#?RADIANCE\n", HDR),
    AT(0, "#?RGBE\n", HDR),
    AT(0, "SDPX", DPX),
    AT(0, "XPDS", DPX),
    AT(0, "DDS \x7c\0\0\0", DDS),
    AT(0, "%PDF-", PDF),
    AT(0, "%!PS", PS),
    AT(0, "\xc5\xd0\xd3\xc6", PS), /* EPS with a preview for DOS */
    AT(0, "\x06\x06\xed\xf5\xd8\x1d\x46\xe5\xbd\x31\xef\xe7\xfe\x74\xb7\x1d", INDD),
    AT(0, "{\\rtf", RTF),
    AT(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    AT(0, "PK\3\4", ZIP),
    AT(0, "PK\5\6", ZIP),
    AT(0, "PK\7\10PK\3\4", ZIP),
    AT(0, "\x1f\x8b\x08", GZIP),
    AT(4, "1AY&SY", BZIP2),
    AT(0,
       "\xfd"
       "7zXZ\0",
       XZ),
    AT(0, "\x28\xb5\x2f\xfd", ZSTD),
    AT(0, "7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
    AT(0, "Rar!\x1a\7", RAR),
    AT(257, "ustar", TAR),
    AT(4, "moov", QUICKTIME),
    AT(4, "mdat", QUICKTIME),
    AT(0, "\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", MXF),
    AT(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", ASF),
    AT(0, "FLV\1", FLV),
    AT(0, "\0\0\1\xba", MPEG),
    AT(0, "\0\0\1\xb3", MPEG),
    AT(0, "OggS\0", OGG),
    AT(0, "fLaC", FLAC),
    AT(0, "MThd\0\0\0\6", MIDI),
    AT(0, "ID3\2", MP3),
    AT(0, "ID3\3", MP3),
    AT(0, "ID3\4", MP3),
    AT(0, "\0\1\0\0\0", TTF),
    AT(0, "true\0", TTF),
    AT(0, "OTTO\0", OTF),
    AT(0, "ttcf\0", OTF),
    AT(0, "wOFF", WOFF),
    AT(0, "wOF2", WOFF2),
    AT(0, "glTF\2\0\0\0", GLB),
    AT(0, "Kaydara FBX Binary  \0", FBX),
    AT(0, "PXR-USDC", USDC),
    AT(0, "BLENDER", BLEND),
    AT(0, "SQLite format 3\0", SQLITE),
};
#define FIXED_COUNT (sizeof fixed / sizeof *fixed)

static int holds_at(const struct head *head, size_t offset, const char *bytes, size_t len)
{
    return head->len >= offset + len && memcmp(head->bytes + offset, bytes, len) == 0;
}

static enum mime_sign sniff_fixed(const struct head *head)
{
    for (size_t i = 0; i < FIXED_COUNT; i++) {
        if (holds_at(head, fixed[i].offset, fixed[i].bytes, fixed[i].len))
            return fixed[i].sign;
    }
    return MIME_SIGN_NONE;
}

/* ---- boxes with brands ---------------------------------------------------------------------- */

static const struct {
    char brand[5];
    enum mime_sign sign;
} brands[] = {
    {"heic", MIME_SIGN_HEIF},    {"heix", MIME_SIGN_HEIF},    {"heim", MIME_SIGN_HEIF},
    {"heis", MIME_SIGN_HEIF},    {"hevc", MIME_SIGN_HEIF},    {"hevx", MIME_SIGN_HEIF},
    {"mif1", MIME_SIGN_HEIF},    {"msf1", MIME_SIGN_HEIF},    {"avif", MIME_SIGN_AVIF},
    {"avis", MIME_SIGN_AVIF},    {"crx ", MIME_SIGN_CR3},     {"qt  ", MIME_SIGN_QUICKTIME},
    {"M4A ", MIME_SIGN_M4A},     {"M4B ", MIME_SIGN_M4A},     {"3gp4", MIME_SIGN_THREEGP},
    {"3gp5", MIME_SIGN_THREEGP}, {"3gp6", MIME_SIGN_THREEGP}, {"3gp7", MIME_SIGN_THREEGP},
    {"3g2a", MIME_SIGN_THREEGP}, {"3g2b", MIME_SIGN_THREEGP}, {"3g2c", MIME_SIGN_THREEGP},
};
#define BRAND_COUNT (sizeof brands / sizeof *brands)

#define COMPATIBLE_MAX 32 /* compatible brands that are looked at */

/* ISO base media: the major brand says what it is, but "mif1" leaves AVIF to the others. */
static enum mime_sign sniff_ftyp(const struct head *head)
{
    if (!holds_at(head, 4, "ftyp", 4) || head->len < 12)
        return MIME_SIGN_NONE;
    enum mime_sign sign = MIME_SIGN_MP4;
    for (size_t i = 0; i < BRAND_COUNT; i++) {
        if (memcmp(head->bytes + 8, brands[i].brand, 4) == 0)
            sign = brands[i].sign;
    }
    if (sign != MIME_SIGN_HEIF)
        return sign;
    size_t box = (size_t)head->bytes[2] << 8 | head->bytes[3];
    for (size_t i = 0; i < COMPATIBLE_MAX && 20 + i * 4 <= box; i++) {
        if (holds_at(head, 16 + i * 4, "avif", 4))
            return MIME_SIGN_AVIF;
    }
    return sign;
}

static enum mime_sign sniff_riff(const struct head *head)
{
    if (holds_at(head, 0, "RIFF", 4) || holds_at(head, 0, "RF64", 4)) {
        if (holds_at(head, 8, "WEBP", 4))
            return MIME_SIGN_WEBP;
        if (holds_at(head, 8, "WAVE", 4))
            return MIME_SIGN_WAV;
        return holds_at(head, 8, "AVI ", 4) ? MIME_SIGN_AVI : MIME_SIGN_RIFF;
    }
    if (holds_at(head, 0, "RIFX", 4))
        return MIME_SIGN_RIFF;
    if (holds_at(head, 0, "FORM", 4) &&
        (holds_at(head, 8, "AIFF", 4) || holds_at(head, 8, "AIFC", 4)))
        return MIME_SIGN_AIFF;
    return MIME_SIGN_NONE;
}

/* EBML: the document type stands in the header, which is short. */
static enum mime_sign sniff_ebml(const struct head *head)
{
    if (!holds_at(head, 0, "\x1a\x45\xdf\xa3", 4))
        return MIME_SIGN_NONE;
    size_t len = head->len < 128 ? head->len : 128;
    return memmem(head->bytes, len, "webm", 4) ? MIME_SIGN_WEBM : MIME_SIGN_MATROSKA;
}

/* ---- signatures so short that more must fit -------------------------------------------------- */

static enum mime_sign sniff_bmp(const struct head *head)
{
    static const unsigned char header_sizes[] = {12, 40, 52, 56, 64, 108, 124};
    if (!holds_at(head, 0, "BM", 2) || !holds_at(head, 15, "\0\0\0", 3) ||
        !holds_at(head, 6, "\0\0\0\0", 4))
        return MIME_SIGN_NONE;
    int known = memchr(header_sizes, head->bytes[14], sizeof header_sizes) != NULL;
    return known ? MIME_SIGN_BMP : MIME_SIGN_NONE;
}

static enum mime_sign sniff_ico(const struct head *head)
{
    if (head->len < 6 || (!holds_at(head, 0, "\0\0\1\0", 4) && !holds_at(head, 0, "\0\0\2\0", 4)))
        return MIME_SIGN_NONE;
    return head->bytes[4] && !head->bytes[5] ? MIME_SIGN_ICO : MIME_SIGN_NONE;
}

static enum mime_sign sniff_frames(const struct head *head)
{
    const unsigned char *b = head->bytes;
    if (head->len >= 4 && b[0] == 0xff && (b[1] & 0xe0) == 0xe0 && (b[2] & 0xf0) != 0xf0)
        return MIME_SIGN_MP3_FRAME;
    if (head->len > 376 && b[0] == 0x47 && b[188] == 0x47 && b[376] == 0x47)
        return MIME_SIGN_MPEG_TS;
    if (head->len > 388 && b[4] == 0x47 && b[196] == 0x47 && b[388] == 0x47)
        return MIME_SIGN_MPEG_TS; /* with the time code of cameras before each packet */
    return MIME_SIGN_NONE;
}

/* ---- markup --------------------------------------------------------------------------------- */

static int is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_blanks(const struct head *head, size_t at)
{
    while (at < head->len && is_blank(head->bytes[at]))
        at++;
    return at;
}

/* Behind the first end at or after `at`; head->len where there is none. */
static size_t skip_past(const struct head *head, size_t at, const char *end)
{
    const unsigned char *found = memmem(head->bytes + at, head->len - at, end, strlen(end));
    return found ? (size_t)(found - head->bytes) + strlen(end) : head->len;
}

static int starts_tag(const struct head *head, size_t at, const char *tag)
{
    size_t len = strlen(tag);
    return head->len >= at + len && strncasecmp((const char *)head->bytes + at, tag, len) == 0;
}

/* Behind declarations, comments and a document type with its internal subset. */
static size_t skip_prolog(const struct head *head, size_t at)
{
    for (;;) {
        at = skip_blanks(head, at);
        if (holds_at(head, at, "<?", 2)) {
            at = skip_past(head, at, "?>");
        } else if (holds_at(head, at, "<!--", 4)) {
            at = skip_past(head, at, "-->");
        } else if (holds_at(head, at, "<!", 2)) {
            size_t end = skip_past(head, at, ">");
            int has_subset = memchr(head->bytes + at, '[', end - at) != NULL;
            at = has_subset ? skip_past(head, at, "]>") : end;
        } else {
            return at;
        }
    }
}

static enum mime_sign sniff_markup(const struct head *head)
{
    size_t at = holds_at(head, 0, "\xef\xbb\xbf", 3) ? 3 : 0;
    at = skip_blanks(head, at);
    if (at == head->len || head->bytes[at] != '<')
        return MIME_SIGN_NONE;
    int is_xml = holds_at(head, at, "<?xml", 5);
    if (starts_tag(head, at, "<!doctype html"))
        return MIME_SIGN_HTML;
    size_t root = skip_prolog(head, at);
    if (holds_at(head, root, "<svg", 4))
        return MIME_SIGN_SVG;
    if (starts_tag(head, root, "<html"))
        return MIME_SIGN_HTML;
    return is_xml ? MIME_SIGN_XML : MIME_SIGN_NONE;
}

enum mime_sign mime_sniff(const void *bytes, size_t head_len)
{
    static enum mime_sign (*const looks[])(const struct head *) = {
        sniff_fixed, sniff_ftyp, sniff_riff,   sniff_ebml,
        sniff_bmp,   sniff_ico,  sniff_markup, sniff_frames,
    };
    struct head head = {bytes, head_len};
    enum mime_sign sign = MIME_SIGN_NONE;
    for (size_t i = 0; sign == MIME_SIGN_NONE && head_len && i < sizeof looks / sizeof *looks; i++)
        sign = looks[i](&head);
    return sign;
}
