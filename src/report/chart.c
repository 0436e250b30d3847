/*
 * chart.c - see chart.h. Called by html.c.
 *
 * All charts share one axis of time: stretches side by side, each as wide as it was long, pauses
 * as narrow gaps. Coordinates are of the viewBox; a browser scales it.
 */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"

#define WIDTH       960.0
#define LEFT        70.0
#define RIGHT       10.0
#define TOP         8.0
#define PLOT_HEIGHT 130.0
#define BAND_HEIGHT 44.0
#define AXIS_HEIGHT 24.0
#define PAUSE       16.0 /* how wide one is drawn */
#define LABEL       92.0 /* room for a label of the time axis */

/* ---- time ----------------------------------------------------------------------------------- */

static double px_per_ms(const struct timeline *timeline)
{
    double room = WIDTH - LEFT - RIGHT - PAUSE * (timeline->stretch_count - 1);
    return room / (double)timeline->span_ms;
}

static double stretch_x(const struct timeline *timeline, int n)
{
    double x = LEFT;
    for (int i = 0; i < n; i++)
        x += PAUSE + (double)(timeline->stretches[i].to_ms - timeline->stretches[i].from_ms) *
                         px_per_ms(timeline);
    return x;
}

static double time_x(const struct timeline *timeline, int n, int64_t wall_ms)
{
    const struct stretch *stretch = &timeline->stretches[n];
    int64_t ms = wall_ms < stretch->to_ms ? wall_ms : stretch->to_ms;
    return stretch_x(timeline, n) + (double)(ms - stretch->from_ms) * px_per_ms(timeline);
}

static double bin_x(const struct timeline *timeline, int n, int bin)
{
    return time_x(timeline, n, timeline->bins[bin].from_ms);
}

static double bin_end_x(const struct timeline *timeline, int n, int bin)
{
    return time_x(timeline, n, timeline->bins[bin].from_ms + timeline->bin_ms);
}

/* A step at which labels do not touch. */
static int64_t label_step_ms(const struct timeline *timeline)
{
    static const int64_t steps_s[] = {1,     2,     5,     10,    15,     30,    60,
                                      120,   300,   600,   900,   1800,   3600,  7200,
                                      10800, 21600, 43200, 86400, 172800, 604800};
    double least_ms = LABEL / px_per_ms(timeline);
    size_t last = sizeof steps_s / sizeof *steps_s - 1;
    for (size_t i = 0; i < last; i++)
        if ((double)steps_s[i] * 1000 >= least_ms)
            return steps_s[i] * 1000;
    int64_t step_ms = steps_s[last] * 1000;
    while ((double)step_ms < least_ms)
        step_ms *= 2;
    return step_ms;
}

/* Of "2026-01-31". */
static const char *month_of(const char *day)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int month = (day[5] - '0') * 10 + day[6] - '0';
    return month >= 1 && month <= 12 ? months[month - 1] : "";
}

/* "12:00", "12:00:30" at fine steps, with the day where it is another than before. */
static void label_text(int64_t wall_ms, int64_t step_ms, char day[11], char out[32])
{
    char when[CLOCK_TEXT_MAX];
    clock_format(wall_ms, when);
    int is_new = strncmp(when, day, 10) != 0;
    memcpy(day, when, 10);
    day[10] = '\0';
    const char *time = when + 11;
    int len = step_ms % 60000 ? 8 : 5;
    if (!is_new)
        snprintf(out, 32, "%.*s", len, time);
    else if (step_ms % 86400000 == 0)
        snprintf(out, 32, "%.2s %s", day + 8, month_of(day));
    else
        snprintf(out, 32, "%.2s %s %.*s", day + 8, month_of(day), len, time);
}

static int put_time_axis(const struct timeline *timeline, double y, struct buf *out)
{
    int64_t step_ms = label_step_ms(timeline);
    double free_x = LEFT;
    char day[11] = "";
    int rc = 0;
    for (int n = 0; n < timeline->stretch_count; n++) {
        const struct stretch *stretch = &timeline->stretches[n];
        int64_t at = (stretch->from_ms + step_ms - 1) / step_ms * step_ms;
        for (; at <= stretch->to_ms && !rc; at += step_ms) {
            double x = time_x(timeline, n, at);
            char text[32];
            if (x < free_x || x + LABEL / 2 > WIDTH)
                continue;
            label_text(at, step_ms, day, text);
            rc = buf_printf(out,
                            "<path class=\"tick\" d=\"M%.1f %.1fv4\"/>"
                            "<text x=\"%.1f\" y=\"%.1f\">%s</text>",
                            x, y, x, y + 17, text);
            free_x = x + LABEL;
        }
    }
    return rc;
}

static int put_pauses(const struct timeline *timeline, double height, struct buf *out)
{
    int rc = 0;
    for (int n = 1; n < timeline->stretch_count && !rc; n++) {
        const struct stretch *before = &timeline->stretches[n - 1];
        char text[UNITS_TEXT_MAX];
        rc = buf_printf(
            out,
            "<g class=\"pause\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
            "<title>no run for %s</title></g>",
            stretch_x(timeline, n) - PAUSE, TOP, PAUSE, height,
            units_format_duration(timeline->stretches[n].from_ms - before->to_ms, text));
    }
    return rc;
}

static int put_head(const char *label, double height, struct buf *out)
{
    return buf_printf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">", WIDTH,
                      TOP + height + AXIS_HEIGHT, label);
}

static const char *bin_when(const struct timeline *timeline, int bin, char when[CLOCK_TEXT_MAX])
{
    clock_format(timeline->bins[bin].from_ms, when);
    when[10] = ' ';
    when[19] = '\0';
    return when;
}

/* ---- values --------------------------------------------------------------------------------- */

struct scale {
    double top;  /* the value at the upper edge */
    double step; /* between two lines */
};

static double value_y(const struct scale *scale, double value)
{
    return TOP + PLOT_HEIGHT * (1 - value / scale->top);
}

/* A round step: 1, 2 or 5 times a power of ten, of bytes in the unit that fits. */
static struct scale scale_for(double most, enum chart_unit kind)
{
    double unit = 1;
    if (most < 1)
        most = 1;
    while (kind == CHART_BYTES && most / unit >= 1024)
        unit *= 1024;
    double least = most / unit / 4;
    double step = pow(10, floor(log10(least)));
    if (step < 1 && unit < 2)
        step = 1; /* of files and bytes there are whole ones alone */
    static const double rounds[] = {1, 2, 5, 10};
    size_t i = 0;
    while (i < 3 && step * rounds[i] < least)
        i++;
    step *= rounds[i] * unit;
    double lines = ceil(most / step);
    return (struct scale){.top = step * lines, .step = step};
}

static void value_text(double value, enum chart_unit kind, char out[UNITS_TEXT_MAX])
{
    if (kind == CHART_BYTES)
        units_format_size((int64_t)(value + 0.5), out);
    else
        snprintf(out, UNITS_TEXT_MAX, "%.0f", value);
}

/* The same in one unit for all lines, without decimals that all lines would share. */
static void axis_text(double value, const struct scale *scale, enum chart_unit kind,
                      char out[UNITS_TEXT_MAX])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double step = scale->step;
    double top = scale->top;
    size_t unit = 0;
    if (kind == CHART_COUNT) {
        value_text(value, kind, out);
        return;
    }
    for (; top >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++) {
        top /= 1024;
        step /= 1024;
        value /= 1024;
    }
    snprintf(out, UNITS_TEXT_MAX, "%.*f %s", step < 1 ? 1 : 0, value, units[unit]);
}

static double most_of(const struct timeline *timeline, const struct chart *chart)
{
    double most = 0;
    for (int i = 0; i < timeline->bin_count; i++) {
        most = fmax(most, chart->value(timeline, i));
        if (chart->limit)
            most = fmax(most, chart->limit(timeline, i));
    }
    return most;
}

static int put_grid(const struct scale *scale, const struct chart *chart, struct buf *out)
{
    int rc = 0;
    for (double value = 0; value <= scale->top * 1.001 && !rc; value += scale->step) {
        char text[UNITS_TEXT_MAX];
        axis_text(value, scale, chart->kind, text);
        rc = buf_printf(out,
                        "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>"
                        "<text class=\"y\" x=\"%.1f\" y=\"%.1f\">%s</text>",
                        LEFT, value_y(scale, value), WIDTH - RIGHT, LEFT - 6,
                        value_y(scale, value) + 4, text);
    }
    return rc;
}

/* Steps over the bins of a stretch; closed: down to the axis at both ends, for an area. */
static int put_steps(const struct timeline *timeline, int n, const struct scale *scale,
                     double (*value)(const struct timeline *timeline, int bin), int closed,
                     struct buf *out)
{
    const struct stretch *stretch = &timeline->stretches[n];
    double floor_y = value_y(scale, 0);
    int rc = 0;
    for (int k = 0; k < stretch->bin_count && !rc; k++) {
        int bin = stretch->first_bin + k;
        double y = value_y(scale, value(timeline, bin));
        if (!k && closed)
            rc = buf_printf(out, "M%.1f %.1fV%.1f", bin_x(timeline, n, bin), floor_y, y);
        else
            rc = buf_printf(out, "%s%.1f%s%.1f", k ? "V" : "M", k ? y : bin_x(timeline, n, bin),
                            k ? "H" : " ", k ? bin_x(timeline, n, bin) : y);
        if (!rc)
            rc = buf_printf(out, "H%.1f", bin_end_x(timeline, n, bin));
    }
    return rc || !closed ? rc : buf_printf(out, "V%.1fZ", floor_y);
}

static int put_series(const struct timeline *timeline, const struct scale *scale,
                      const char *css_class,
                      double (*value)(const struct timeline *timeline, int bin), int closed,
                      struct buf *out)
{
    int rc = buf_printf(out, "<path class=\"%s\" d=\"", css_class);
    for (int n = 0; n < timeline->stretch_count && !rc; n++)
        rc = put_steps(timeline, n, scale, value, closed, out);
    return rc ? rc : buf_puts(out, "\"/>");
}

/* What a pointer over a bin is told. */
static int put_hints(const struct timeline *timeline, const struct chart *chart, struct buf *out)
{
    int rc = buf_puts(out, "<g class=\"hint\">");
    for (int n = 0; n < timeline->stretch_count; n++) {
        const struct stretch *stretch = &timeline->stretches[n];
        for (int k = 0; k < stretch->bin_count && !rc; k++) {
            int bin = stretch->first_bin + k;
            double x = bin_x(timeline, n, bin);
            char text[UNITS_TEXT_MAX];
            char when[CLOCK_TEXT_MAX];
            value_text(chart->value(timeline, bin), chart->kind, text);
            rc = buf_printf(out,
                            "<rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%.0f\">"
                            "<title>%s: %s%s</title></rect>",
                            x, TOP, bin_end_x(timeline, n, bin) - x, PLOT_HEIGHT,
                            bin_when(timeline, bin, when), text, chart->unit);
        }
    }
    return rc ? rc : buf_puts(out, "</g>");
}

int chart_values(const struct timeline *timeline, const struct chart *chart, struct buf *out)
{
    struct scale scale = scale_for(most_of(timeline, chart), chart->kind);
    int rc = put_head(chart->label, PLOT_HEIGHT, out);
    if (!rc)
        rc = put_grid(&scale, chart, out);
    if (!rc)
        rc = put_pauses(timeline, PLOT_HEIGHT, out);
    if (!rc)
        rc = put_series(timeline, &scale, "area", chart->value, 1, out);
    if (!rc)
        rc = put_series(timeline, &scale, "line", chart->value, 0, out);
    if (!rc && chart->limit)
        rc = put_series(timeline, &scale, "limit", chart->limit, 0, out);
    if (!rc)
        rc = put_time_axis(timeline, TOP + PLOT_HEIGHT, out);
    if (!rc)
        rc = put_hints(timeline, chart, out);
    return rc ? rc : buf_puts(out, "</svg>");
}

/* ---- limits --------------------------------------------------------------------------------- */

static const struct {
    enum history_measure measure;
    const char *name;
} limits[] = {
    {HISTORY_BY_API_MS, "the request budget"}, {HISTORY_BY_NETWORK_MS, "the network"},
    {HISTORY_BY_LOCAL_MS, "this machine"},     {HISTORY_BY_TAIL_MS, "the last files"},
    {HISTORY_BY_SERVER_MS, "the server"},
};
_Static_assert(sizeof limits / sizeof *limits == CHART_LIMITS, "one row a limit");

enum history_measure chart_limit_measure(int n)
{
    return limits[n].measure;
}

const char *chart_limit_name(int n)
{
    return limits[n].name;
}

static int put_band(const struct timeline *timeline, int limit, struct buf *out)
{
    int rc = buf_printf(out, "<path class=\"by%d\" d=\"", limit);
    for (int n = 0; n < timeline->stretch_count; n++) {
        const struct stretch *stretch = &timeline->stretches[n];
        for (int k = 0; k < stretch->bin_count && !rc; k++) {
            int bin = stretch->first_bin + k;
            const int64_t *sums = timeline->bins[bin].sums;
            int64_t before = 0;
            for (int i = 0; i < limit; i++)
                before += sums[limits[i].measure];
            if (sums[HISTORY_RUN_MS] <= 0 || sums[limits[limit].measure] <= 0)
                continue;
            double scale = BAND_HEIGHT / (double)sums[HISTORY_RUN_MS];
            double x = bin_x(timeline, n, bin);
            double width = bin_end_x(timeline, n, bin) - x;
            rc = buf_printf(out, "M%.1f %.1fh%.1fv%.1fh%.1fz", x, TOP + (double)before * scale,
                            width, (double)sums[limits[limit].measure] * scale, -width);
        }
    }
    return rc ? rc : buf_puts(out, "\"/>");
}

int chart_limits(const struct timeline *timeline, struct buf *out)
{
    int rc = put_head("What limited the run over time", BAND_HEIGHT, out);
    for (int limit = 0; limit < CHART_LIMITS && !rc; limit++)
        rc = put_band(timeline, limit, out);
    if (!rc)
        rc = put_pauses(timeline, BAND_HEIGHT, out);
    if (!rc)
        rc = put_time_axis(timeline, TOP + BAND_HEIGHT, out);
    return rc ? rc : buf_puts(out, "</svg>");
}
