/*
 * mime_sniff.h - formats told by their first bytes. Used by mime.c and mime_table.c.
 */
#ifndef SCAN_MIME_SNIFF_H
#define SCAN_MIME_SNIFF_H

#include <stddef.h>
#include <stdint.h>

/*
 * X(symbol, type, holds)
 *   type   what a file of that signature is where its extension does not tell more
 *   holds  SURE: the signature is a verdict; BOX: a container of many formats, whose type libmagic
 *          may know better; FAINT: could be chance, and so contradicts nothing
 */
#define MIME_SIGNS(X)                                 \
    X(NONE, "application/octet-stream", FAINT)        \
    X(JPEG, "image/jpeg", SURE)                       \
    X(PNG, "image/png", SURE)                         \
    X(GIF, "image/gif", SURE)                         \
    X(WEBP, "image/webp", SURE)                       \
    X(BMP, "image/bmp", SURE)                         \
    X(TIFF, "image/tiff", BOX)                        \
    X(CR2, "image/x-canon-cr2", SURE)                 \
    X(ORF, "image/x-olympus-orf", SURE)               \
    X(RW2, "image/x-panasonic-rw2", SURE)             \
    X(RAF, "image/x-fuji-raf", SURE)                  \
    X(X3F, "image/x-sigma-x3f", SURE)                 \
    X(MRW, "image/x-minolta-mrw", SURE)               \
    X(PSD, "image/vnd.adobe.photoshop", SURE)         \
    X(HEIF, "image/heic", SURE)                       \
    X(AVIF, "image/avif", SURE)                       \
    X(CR3, "image/x-canon-cr3", SURE)                 \
    X(JXL, "image/jxl", SURE)                         \
    X(JXL_STREAM, "image/jxl", FAINT)                 \
    X(JP2, "image/jp2", SURE)                         \
    X(EXR, "image/x-exr", SURE)                       \
    X(HDR, "image/vnd.radiance", SURE)                \
    X(DPX, "image/x-dpx", SURE)                       \
    X(DDS, "image/vnd-ms.dds", SURE)                  \
    X(ICO, "image/vnd.microsoft.icon", FAINT)         \
    X(SVG, "image/svg+xml", SURE)                     \
    X(XML, "text/xml", BOX)                           \
    X(HTML, "text/html", BOX)                         \
    X(PDF, "application/pdf", SURE)                   \
    X(PS, "application/postscript", SURE)             \
    X(INDD, "application/x-indesign", SURE)           \
    X(RTF, "application/rtf", SURE)                   \
    X(OLE, "application/x-ole-storage", BOX)          \
    X(ZIP, "application/zip", BOX)                    \
    X(GZIP, "application/gzip", SURE)                 \
    X(BZIP2, "application/x-bzip2", SURE)             \
    X(XZ, "application/x-xz", SURE)                   \
    X(ZSTD, "application/zstd", SURE)                 \
    X(SEVEN_ZIP, "application/x-7z-compressed", SURE) \
    X(RAR, "application/vnd.rar", SURE)               \
    X(TAR, "application/x-tar", SURE)                 \
    X(MP4, "video/mp4", SURE)                         \
    X(M4A, "audio/mp4", SURE)                         \
    X(THREEGP, "video/3gpp", SURE)                    \
    X(QUICKTIME, "video/quicktime", SURE)             \
    X(MATROSKA, "video/x-matroska", SURE)             \
    X(WEBM, "video/webm", SURE)                       \
    X(AVI, "video/x-msvideo", SURE)                   \
    X(MXF, "application/mxf", SURE)                   \
    X(ASF, "video/x-ms-asf", SURE)                    \
    X(FLV, "video/x-flv", SURE)                       \
    X(MPEG, "video/mpeg", SURE)                       \
    X(MPEG_TS, "video/mp2t", FAINT)                   \
    X(OGG, "application/ogg", BOX)                    \
    X(WAV, "audio/x-wav", SURE)                       \
    X(FLAC, "audio/flac", SURE)                       \
    X(AIFF, "audio/x-aiff", SURE)                     \
    X(MP3, "audio/mpeg", SURE)                        \
    X(MIDI, "audio/midi", SURE)                       \
    X(MP3_FRAME, "audio/mpeg", FAINT)                 \
    X(RIFF, "application/octet-stream", BOX)          \
    X(TTF, "font/ttf", FAINT)                         \
    X(OTF, "font/otf", SURE)                          \
    X(WOFF, "font/woff", SURE)                        \
    X(WOFF2, "font/woff2", SURE)                      \
    X(GLB, "model/gltf-binary", SURE)                 \
    X(FBX, "model/fbx", SURE)                         \
    X(USDC, "model/vnd.usd", SURE)                    \
    X(BLEND, "application/x-blender", SURE)           \
    X(SQLITE, "application/vnd.sqlite3", SURE)

enum mime_sign {
#define X(sym, type, holds) MIME_SIGN_##sym,
    MIME_SIGNS(X)
#undef X
        MIME_SIGN_COUNT
};

enum mime_holds { MIME_SURE, MIME_BOX, MIME_FAINT };

/* MIME_SIGN_NONE where nothing is recognised. */
enum mime_sign mime_sniff(const void *head, size_t head_len);
const char *mime_sniff_type(enum mime_sign sign);
enum mime_holds mime_sniff_holds(enum mime_sign sign);

#endif
