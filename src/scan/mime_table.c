/*
 * mime_table.c - see mime_table.h. Read-only, any thread.
 *
 * To add a type: a row at its place by byte order of the extension, with every signature its
 * files may begin with. STRONG where all of them do begin with one of these.
 */
#include "scan/mime_table.h"

#include <string.h>

#define STRONG  1
#define WEAK    0
#define S(sign) MIME_SIGN_##sign
#define ROW(ext, type, strong, ...) \
    {                               \
        ext, type, strong,          \
        {                           \
            __VA_ARGS__             \
        }                           \
    }

static const struct mime_row rows[] = {
    ROW("3ds", "model/x-3ds", WEAK),
    ROW("3fr", "image/x-hasselblad-3fr", STRONG, S(TIFF)),
    ROW("3g2", "video/3gpp2", STRONG, S(THREEGP), S(MP4), S(QUICKTIME), S(M4A)),
    ROW("3gp", "video/3gpp", STRONG, S(THREEGP), S(MP4), S(QUICKTIME), S(M4A)),
    ROW("3mf", "model/3mf", STRONG, S(ZIP)),
    ROW("7z", "application/x-7z-compressed", STRONG, S(SEVEN_ZIP)),
    ROW("aac", "audio/aac", WEAK, S(MP3), S(MP3_FRAME), S(M4A), S(MP4)),
    ROW("abc", "model/x-alembic", WEAK),
    ROW("abr", "application/x-adobe-brush", WEAK),
    ROW("ac3", "audio/ac3", WEAK),
    ROW("aco", "application/x-adobe-color", WEAK),
    ROW("aep", "application/vnd.adobe.aftereffects.project", WEAK, S(RIFF)),
    ROW("afdesign", "application/x-affinity-designer", WEAK),
    ROW("afphoto", "application/x-affinity-photo", WEAK),
    ROW("afpub", "application/x-affinity-publisher", WEAK),
    ROW("ai", "application/illustrator", STRONG, S(PDF), S(PS)),
    ROW("aif", "audio/x-aiff", STRONG, S(AIFF), S(MP3)),
    ROW("aifc", "audio/x-aiff", STRONG, S(AIFF), S(MP3)),
    ROW("aiff", "audio/x-aiff", STRONG, S(AIFF), S(MP3)),
    ROW("ait", "application/illustrator", STRONG, S(PDF), S(PS)),
    ROW("amr", "audio/amr", WEAK),
    ROW("ape", "audio/x-ape", WEAK),
    ROW("apk", "application/vnd.android.package-archive", STRONG, S(ZIP)),
    ROW("apng", "image/apng", STRONG, S(PNG)),
    ROW("arw", "image/x-sony-arw", STRONG, S(TIFF)),
    ROW("ase", "application/x-adobe-swatch-exchange", WEAK),
    ROW("asf", "video/x-ms-asf", STRONG, S(ASF)),
    ROW("ass", "text/x-ssa", WEAK),
    ROW("atom", "application/atom+xml", WEAK, S(XML)),
    ROW("avi", "video/x-msvideo", STRONG, S(AVI)),
    ROW("avif", "image/avif", STRONG, S(AVIF)),
    ROW("avifs", "image/avif", STRONG, S(AVIF)),
    ROW("blend", "application/x-blender", WEAK, S(BLEND), S(GZIP), S(ZSTD)),
    ROW("bmp", "image/bmp", STRONG, S(BMP)),
    ROW("braw", "video/x-blackmagic-raw", WEAK, S(QUICKTIME), S(MP4)),
    ROW("bwf", "audio/x-wav", STRONG, S(WAV)),
    ROW("bz2", "application/x-bzip2", STRONG, S(BZIP2)),
    ROW("c4d", "application/x-cinema4d", WEAK),
    ROW("caf", "audio/x-caf", WEAK),
    ROW("cdr", "application/vnd.corel-draw", WEAK, S(RIFF), S(ZIP)),
    ROW("clip", "application/x-clip-studio", WEAK),
    ROW("conf", "text/plain", WEAK),
    ROW("cr2", "image/x-canon-cr2", STRONG, S(CR2), S(TIFF)),
    ROW("cr3", "image/x-canon-cr3", STRONG, S(CR3)),
    ROW("crw", "image/x-canon-crw", WEAK),
    ROW("css", "text/css", WEAK),
    ROW("csv", "text/csv", WEAK),
    ROW("cube", "text/plain", WEAK),
    ROW("cur", "image/vnd.microsoft.icon", WEAK, S(ICO), S(PNG), S(BMP)),
    ROW("dae", "model/vnd.collada+xml", WEAK, S(XML)),
    ROW("dcm", "application/dicom", WEAK),
    ROW("dcr", "image/x-kodak-dcr", WEAK, S(TIFF)),
    ROW("dds", "image/vnd-ms.dds", STRONG, S(DDS)),
    ROW("dib", "image/bmp", STRONG, S(BMP)),
    ROW("divx", "video/x-msvideo", WEAK, S(AVI)),
    ROW("djv", "image/vnd.djvu", WEAK),
    ROW("djvu", "image/vnd.djvu", WEAK),
    ROW("dmg", "application/x-apple-diskimage", WEAK),
    ROW("dng", "image/x-adobe-dng", STRONG, S(TIFF)),
    ROW("doc", "application/msword", WEAK, S(OLE), S(RTF), S(XML), S(HTML), S(ZIP)),
    ROW("docm", "application/vnd.ms-word.document.macroenabled.12", STRONG, S(ZIP), S(OLE)),
    ROW("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", STRONG,
        S(ZIP), S(OLE)),
    ROW("dot", "application/msword", WEAK, S(OLE), S(RTF)),
    ROW("dotx", "application/vnd.openxmlformats-officedocument.wordprocessingml.template", STRONG,
        S(ZIP), S(OLE)),
    ROW("dpx", "image/x-dpx", STRONG, S(DPX)),
    ROW("dsf", "audio/x-dsf", WEAK),
    ROW("dwg", "image/vnd.dwg", WEAK),
    ROW("dxf", "image/vnd.dxf", WEAK),
    ROW("emf", "image/emf", WEAK),
    ROW("eml", "message/rfc822", WEAK),
    ROW("emz", "image/emf", WEAK, S(GZIP)),
    ROW("eot", "application/vnd.ms-fontobject", WEAK),
    ROW("eps", "application/postscript", STRONG, S(PS)),
    ROW("epsf", "application/postscript", STRONG, S(PS)),
    ROW("epub", "application/epub+zip", STRONG, S(ZIP)),
    ROW("erf", "image/x-epson-erf", STRONG, S(TIFF)),
    ROW("exe", "application/vnd.microsoft.portable-executable", WEAK),
    ROW("exr", "image/x-exr", STRONG, S(EXR)),
    ROW("f4v", "video/x-f4v", STRONG, S(MP4), S(FLV), S(QUICKTIME)),
    ROW("fbx", "model/fbx", WEAK, S(FBX)),
    ROW("fff", "image/x-hasselblad-fff", STRONG, S(TIFF)),
    ROW("fig", "application/x-figma", WEAK, S(ZIP)),
    ROW("fits", "image/fits", WEAK),
    ROW("flac", "audio/flac", STRONG, S(FLAC), S(MP3)),
    ROW("flv", "video/x-flv", STRONG, S(FLV)),
    ROW("geojson", "application/geo+json", WEAK),
    ROW("gif", "image/gif", STRONG, S(GIF)),
    ROW("glb", "model/gltf-binary", STRONG, S(GLB)),
    ROW("gltf", "model/gltf+json", WEAK),
    ROW("gpr", "image/x-gopro-gpr", STRONG, S(TIFF)),
    ROW("gpx", "application/gpx+xml", WEAK, S(XML)),
    ROW("gz", "application/gzip", STRONG, S(GZIP)),
    ROW("hdr", "image/vnd.radiance", STRONG, S(HDR)),
    ROW("heic", "image/heic", STRONG, S(HEIF)),
    ROW("heics", "image/heic-sequence", STRONG, S(HEIF)),
    ROW("heif", "image/heif", STRONG, S(HEIF)),
    ROW("hif", "image/heif", STRONG, S(HEIF)),
    ROW("htm", "text/html", WEAK, S(HTML), S(XML)),
    ROW("html", "text/html", WEAK, S(HTML), S(XML)),
    ROW("icc", "application/vnd.iccprofile", WEAK),
    ROW("icm", "application/vnd.iccprofile", WEAK),
    ROW("icml", "application/vnd.adobe.incopy-icml", WEAK, S(XML)),
    ROW("icns", "image/icns", WEAK),
    ROW("ico", "image/vnd.microsoft.icon", WEAK, S(ICO), S(PNG), S(BMP)),
    ROW("ics", "text/calendar", WEAK),
    ROW("idml", "application/vnd.adobe.indesign-idml-package", STRONG, S(ZIP)),
    ROW("idms", "application/vnd.adobe.indesign-idms", WEAK, S(XML)),
    ROW("iges", "model/iges", WEAK),
    ROW("igs", "model/iges", WEAK),
    ROW("iiq", "image/x-phaseone-iiq", STRONG, S(TIFF)),
    ROW("indb", "application/x-indesign", WEAK, S(INDD)),
    ROW("indd", "application/x-indesign", STRONG, S(INDD)),
    ROW("indt", "application/x-indesign", STRONG, S(INDD)),
    ROW("ini", "text/plain", WEAK),
    ROW("insv", "video/mp4", WEAK, S(MP4), S(QUICKTIME)),
    ROW("inx", "application/x-adobe-indesign-interchange", WEAK, S(XML)),
    ROW("iso", "application/x-iso9660-image", WEAK),
    ROW("j2k", "image/jp2", WEAK, S(JP2)),
    ROW("jar", "application/java-archive", STRONG, S(ZIP)),
    ROW("jfif", "image/jpeg", STRONG, S(JPEG)),
    ROW("jp2", "image/jp2", STRONG, S(JP2)),
    ROW("jpe", "image/jpeg", STRONG, S(JPEG)),
    ROW("jpeg", "image/jpeg", STRONG, S(JPEG)),
    ROW("jpf", "image/jpx", STRONG, S(JP2)),
    ROW("jpg", "image/jpeg", STRONG, S(JPEG)),
    ROW("jpm", "image/jpm", STRONG, S(JP2)),
    ROW("jpx", "image/jpx", STRONG, S(JP2)),
    ROW("js", "text/javascript", WEAK),
    ROW("json", "application/json", WEAK),
    ROW("jsonl", "application/jsonl", WEAK),
    ROW("jsx", "text/javascript", WEAK),
    ROW("jxl", "image/jxl", STRONG, S(JXL), S(JXL_STREAM)),
    ROW("jxr", "image/jxr", WEAK, S(TIFF)),
    ROW("kdc", "image/x-kodak-kdc", WEAK, S(TIFF)),
    ROW("key", "application/vnd.apple.keynote", WEAK, S(ZIP)),
    ROW("kml", "application/vnd.google-earth.kml+xml", WEAK, S(XML)),
    ROW("kmz", "application/vnd.google-earth.kmz", WEAK, S(ZIP)),
    ROW("kra", "application/x-krita", WEAK, S(ZIP)),
    ROW("less", "text/x-less", WEAK),
    ROW("log", "text/plain", WEAK),
    ROW("lottie", "application/zip", WEAK, S(ZIP)),
    ROW("lrv", "video/mp4", WEAK, S(MP4), S(QUICKTIME)),
    ROW("m2ts", "video/mp2t", WEAK, S(MPEG_TS)),
    ROW("m2v", "video/mpeg", WEAK, S(MPEG)),
    ROW("m4a", "audio/mp4", STRONG, S(M4A), S(MP4), S(QUICKTIME), S(THREEGP)),
    ROW("m4b", "audio/mp4", STRONG, S(M4A), S(MP4), S(QUICKTIME), S(THREEGP)),
    ROW("m4v", "video/x-m4v", STRONG, S(MP4), S(QUICKTIME), S(M4A), S(THREEGP)),
    ROW("ma", "application/x-maya-ascii", WEAK),
    ROW("markdown", "text/markdown", WEAK),
    ROW("max", "application/x-3dsmax", WEAK, S(OLE)),
    ROW("mb", "application/x-maya-binary", WEAK),
    ROW("md", "text/markdown", WEAK),
    ROW("mef", "image/x-mamiya-mef", WEAK, S(TIFF)),
    ROW("mid", "audio/midi", STRONG, S(MIDI)),
    ROW("midi", "audio/midi", STRONG, S(MIDI)),
    ROW("mjs", "text/javascript", WEAK),
    ROW("mka", "audio/x-matroska", STRONG, S(MATROSKA), S(WEBM)),
    ROW("mkv", "video/x-matroska", STRONG, S(MATROSKA), S(WEBM)),
    ROW("mobi", "application/x-mobipocket-ebook", WEAK),
    ROW("mogrt", "application/vnd.adobe.motion-graphics-template", WEAK, S(ZIP)),
    ROW("mos", "image/x-leaf-mos", WEAK, S(TIFF)),
    ROW("mov", "video/quicktime", STRONG, S(QUICKTIME), S(MP4), S(M4A), S(THREEGP)),
    ROW("mp3", "audio/mpeg", WEAK, S(MP3), S(MP3_FRAME)),
    ROW("mp4", "video/mp4", STRONG, S(MP4), S(QUICKTIME), S(M4A), S(THREEGP)),
    ROW("mpeg", "video/mpeg", WEAK, S(MPEG), S(MPEG_TS)),
    ROW("mpg", "video/mpeg", WEAK, S(MPEG), S(MPEG_TS)),
    ROW("mpo", "image/jpeg", STRONG, S(JPEG)),
    ROW("mpp", "application/vnd.ms-project", WEAK, S(OLE)),
    ROW("mrw", "image/x-minolta-mrw", STRONG, S(MRW)),
    ROW("msg", "application/vnd.ms-outlook", WEAK, S(OLE)),
    ROW("msi", "application/x-msi", WEAK, S(OLE)),
    ROW("mtl", "model/mtl", WEAK),
    ROW("mts", "video/mp2t", WEAK, S(MPEG_TS)),
    ROW("mxf", "application/mxf", STRONG, S(MXF)),
    ROW("ndjson", "application/x-ndjson", WEAK),
    ROW("nef", "image/x-nikon-nef", STRONG, S(TIFF)),
    ROW("nrw", "image/x-nikon-nrw", STRONG, S(TIFF)),
    ROW("numbers", "application/vnd.apple.numbers", WEAK, S(ZIP)),
    ROW("obj", "model/obj", WEAK),
    ROW("odg", "application/vnd.oasis.opendocument.graphics", STRONG, S(ZIP)),
    ROW("odp", "application/vnd.oasis.opendocument.presentation", STRONG, S(ZIP)),
    ROW("ods", "application/vnd.oasis.opendocument.spreadsheet", STRONG, S(ZIP)),
    ROW("odt", "application/vnd.oasis.opendocument.text", STRONG, S(ZIP)),
    ROW("oga", "audio/ogg", STRONG, S(OGG)),
    ROW("ogg", "audio/ogg", STRONG, S(OGG)),
    ROW("ogv", "video/ogg", STRONG, S(OGG)),
    ROW("opus", "audio/ogg", STRONG, S(OGG)),
    ROW("ora", "image/openraster", WEAK, S(ZIP)),
    ROW("orf", "image/x-olympus-orf", STRONG, S(ORF), S(TIFF)),
    ROW("otf", "font/otf", WEAK, S(OTF), S(TTF)),
    ROW("pages", "application/vnd.apple.pages", WEAK, S(ZIP)),
    ROW("pbm", "image/x-portable-bitmap", WEAK),
    ROW("pct", "image/x-pict", WEAK),
    ROW("pcx", "image/vnd.zbrush.pcx", WEAK),
    ROW("pdf", "application/pdf", STRONG, S(PDF)),
    ROW("pef", "image/x-pentax-pef", STRONG, S(TIFF)),
    ROW("pfb", "application/x-font-type1", WEAK),
    ROW("pfm", "application/x-font-type1", WEAK),
    ROW("pgm", "image/x-portable-graymap", WEAK),
    ROW("php", "application/x-httpd-php", WEAK),
    ROW("pict", "image/x-pict", WEAK),
    ROW("plist", "application/x-plist", WEAK, S(XML)),
    ROW("ply", "model/ply", WEAK),
    ROW("png", "image/png", STRONG, S(PNG)),
    ROW("pnm", "image/x-portable-anymap", WEAK),
    ROW("po", "text/x-gettext-translation", WEAK),
    ROW("pot", "application/vnd.ms-powerpoint", WEAK, S(OLE)),
    ROW("potx", "application/vnd.openxmlformats-officedocument.presentationml.template", STRONG,
        S(ZIP), S(OLE)),
    ROW("ppm", "image/x-portable-pixmap", WEAK),
    ROW("pps", "application/vnd.ms-powerpoint", WEAK, S(OLE), S(ZIP)),
    ROW("ppsx", "application/vnd.openxmlformats-officedocument.presentationml.slideshow", STRONG,
        S(ZIP), S(OLE)),
    ROW("ppt", "application/vnd.ms-powerpoint", WEAK, S(OLE), S(ZIP)),
    ROW("pptm", "application/vnd.ms-powerpoint.presentation.macroenabled.12", STRONG, S(ZIP),
        S(OLE)),
    ROW("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", STRONG,
        S(ZIP), S(OLE)),
    ROW("prores", "video/quicktime", WEAK, S(QUICKTIME), S(MP4)),
    ROW("prproj", "application/vnd.adobe.premiere.project", WEAK, S(GZIP), S(XML)),
    ROW("ps", "application/postscript", STRONG, S(PS)),
    ROW("psb", "image/vnd.adobe.photoshop", STRONG, S(PSD)),
    ROW("psd", "image/vnd.adobe.photoshop", STRONG, S(PSD)),
    ROW("pub", "application/vnd.ms-publisher", WEAK, S(OLE)),
    ROW("py", "text/x-python", WEAK),
    ROW("qt", "video/quicktime", STRONG, S(QUICKTIME), S(MP4), S(M4A), S(THREEGP)),
    ROW("qxd", "application/vnd.quark.quarkxpress", WEAK),
    ROW("qxp", "application/vnd.quark.quarkxpress", WEAK),
    ROW("r3d", "video/x-red-r3d", WEAK),
    ROW("raf", "image/x-fuji-raf", STRONG, S(RAF)),
    ROW("rar", "application/vnd.rar", STRONG, S(RAR)),
    ROW("raw", "image/x-panasonic-raw", WEAK, S(RW2), S(TIFF)),
    ROW("rdf", "application/rdf+xml", WEAK, S(XML)),
    ROW("rf64", "audio/x-wav", WEAK, S(WAV)),
    ROW("rss", "application/rss+xml", WEAK, S(XML)),
    ROW("rtf", "application/rtf", STRONG, S(RTF)),
    ROW("rw2", "image/x-panasonic-rw2", STRONG, S(RW2), S(TIFF)),
    ROW("rwl", "image/x-panasonic-rw2", STRONG, S(RW2), S(TIFF)),
    ROW("sbsar", "application/x-substance-archive", WEAK, S(SEVEN_ZIP)),
    ROW("scss", "text/x-scss", WEAK),
    ROW("sh", "application/x-sh", WEAK),
    ROW("sketch", "application/x-sketch", WEAK, S(ZIP)),
    ROW("skp", "application/vnd.sketchup.skp", WEAK, S(ZIP)),
    ROW("spx", "audio/ogg", STRONG, S(OGG)),
    ROW("sql", "application/sql", WEAK),
    ROW("sqlite", "application/vnd.sqlite3", STRONG, S(SQLITE)),
    ROW("sr2", "image/x-sony-sr2", WEAK, S(TIFF)),
    ROW("srf", "image/x-sony-srf", WEAK, S(TIFF)),
    ROW("srt", "application/x-subrip", WEAK),
    ROW("srw", "image/x-samsung-srw", STRONG, S(TIFF)),
    ROW("step", "model/step", WEAK),
    ROW("stl", "model/stl", WEAK),
    ROW("stp", "model/step", WEAK),
    ROW("svg", "image/svg+xml", WEAK, S(SVG), S(XML), S(GZIP)),
    ROW("svgz", "image/svg+xml", WEAK, S(SVG), S(XML), S(GZIP)),
    ROW("swf", "application/x-shockwave-flash", WEAK),
    ROW("tar", "application/x-tar", WEAK, S(TAR)),
    ROW("tex", "application/x-tex", WEAK),
    ROW("tga", "image/x-tga", WEAK),
    ROW("tgz", "application/gzip", STRONG, S(GZIP)),
    ROW("tif", "image/tiff", STRONG, S(TIFF), S(CR2)),
    ROW("tiff", "image/tiff", STRONG, S(TIFF), S(CR2)),
    ROW("toml", "application/toml", WEAK),
    ROW("ts", "video/mp2t", WEAK, S(MPEG_TS)),
    ROW("tsv", "text/tab-separated-values", WEAK),
    ROW("tsx", "text/plain", WEAK),
    ROW("ttc", "font/collection", WEAK, S(OTF)),
    ROW("ttf", "font/ttf", WEAK, S(TTF), S(OTF)),
    ROW("txt", "text/plain", WEAK),
    ROW("usd", "model/vnd.usd", WEAK, S(USDC)),
    ROW("usda", "model/vnd.usda", WEAK),
    ROW("usdc", "model/vnd.usd", STRONG, S(USDC)),
    ROW("usdz", "model/vnd.usdz+zip", STRONG, S(ZIP)),
    ROW("vcf", "text/vcard", WEAK),
    ROW("vob", "video/mpeg", WEAK, S(MPEG)),
    ROW("vsd", "application/vnd.visio", WEAK, S(OLE)),
    ROW("vsdx", "application/vnd.ms-visio.drawing", STRONG, S(ZIP)),
    ROW("vtt", "text/vtt", WEAK),
    ROW("wasm", "application/wasm", WEAK),
    ROW("wav", "audio/x-wav", STRONG, S(WAV)),
    ROW("wave", "audio/x-wav", STRONG, S(WAV)),
    ROW("wdp", "image/vnd.ms-photo", WEAK, S(TIFF)),
    ROW("weba", "audio/webm", STRONG, S(WEBM), S(MATROSKA)),
    ROW("webm", "video/webm", STRONG, S(WEBM), S(MATROSKA)),
    ROW("webp", "image/webp", STRONG, S(WEBP)),
    ROW("wma", "audio/x-ms-wma", STRONG, S(ASF)),
    ROW("wmf", "image/wmf", WEAK),
    ROW("wmv", "video/x-ms-wmv", STRONG, S(ASF)),
    ROW("wmz", "image/wmf", WEAK, S(GZIP), S(ZIP)),
    ROW("woff", "font/woff", STRONG, S(WOFF)),
    ROW("woff2", "font/woff2", STRONG, S(WOFF2)),
    ROW("wv", "audio/x-wavpack", WEAK),
    ROW("x3f", "image/x-sigma-x3f", STRONG, S(X3F)),
    ROW("xcf", "image/x-xcf", WEAK),
    ROW("xd", "application/vnd.adobe.xd", WEAK, S(ZIP)),
    ROW("xhtml", "application/xhtml+xml", WEAK, S(HTML), S(XML)),
    ROW("xls", "application/vnd.ms-excel", WEAK, S(OLE), S(XML), S(HTML), S(ZIP)),
    ROW("xlsb", "application/vnd.ms-excel.sheet.binary.macroenabled.12", STRONG, S(ZIP), S(OLE)),
    ROW("xlsm", "application/vnd.ms-excel.sheet.macroenabled.12", STRONG, S(ZIP), S(OLE)),
    ROW("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", STRONG, S(ZIP),
        S(OLE)),
    ROW("xlt", "application/vnd.ms-excel", WEAK, S(OLE)),
    ROW("xltx", "application/vnd.openxmlformats-officedocument.spreadsheetml.template", STRONG,
        S(ZIP), S(OLE)),
    ROW("xml", "text/xml", WEAK, S(XML), S(SVG), S(HTML)),
    ROW("xmp", "application/rdf+xml", WEAK, S(XML)),
    ROW("xps", "application/vnd.ms-xpsdocument", WEAK, S(ZIP)),
    ROW("xsd", "text/xml", WEAK, S(XML)),
    ROW("xsl", "application/xslt+xml", WEAK, S(XML)),
    ROW("xslt", "application/xslt+xml", WEAK, S(XML)),
    ROW("xz", "application/x-xz", STRONG, S(XZ)),
    ROW("yaml", "application/yaml", WEAK),
    ROW("yml", "application/yaml", WEAK),
    ROW("zip", "application/zip", STRONG, S(ZIP)),
    ROW("zst", "application/zstd", STRONG, S(ZSTD)),
    ROW("ztl", "application/x-zbrush", WEAK),
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

size_t mime_table_count(void)
{
    return ROW_COUNT;
}

const struct mime_row *mime_table_row(size_t idx)
{
    return &rows[idx];
}

/* The extension in lower case; 0 where there is none, or none of the table's length. */
static size_t extension_of(const char *name, char out[MIME_EXT_MAX + 1])
{
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    const char *dot = strrchr(base, '.');
    if (!dot || dot == base)
        return 0; /* ".jpg" is a hidden file without an extension */
    size_t len = strlen(dot + 1);
    if (len == 0 || len > MIME_EXT_MAX)
        return 0;
    for (size_t i = 0; i <= len; i++) {
        out[i] = dot[1 + i];
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] | 0x20);
    }
    return len;
}

const struct mime_row *mime_table_find(const char *name)
{
    char ext[MIME_EXT_MAX + 1];
    if (!extension_of(name, ext))
        return NULL;
    size_t low = 0;
    size_t high = ROW_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(ext, rows[middle].ext);
        if (order == 0)
            return &rows[middle];
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

int mime_table_takes(const struct mime_row *row, enum mime_sign sign)
{
    if (sign == MIME_SIGN_NONE)
        return 0;
    for (size_t i = 0; i < MIME_ROW_SIGNS; i++) {
        if (row->signs[i] == sign)
            return 1;
    }
    return 0;
}
