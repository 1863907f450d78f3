#include "report/forecast.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"
#include "report/format.h"
#include "report/recording.h"

enum { N_COLUMNS = 9, COLUMN_GAP = 2 };

static const char *const TITLES[N_COLUMNS] = {"workers",   "in flight", "makespan", "utilisation",
                                              "peak live", "at most",   "overdrafts", "speed-up", "state"};

/* Of what the workers could have done; 0 when that is nothing. */
static double utilisation(const Forecast *f)
{
    double could = (double)f->makespan_ns * f->n_workers;
    return could > 0 ? (double)f->busy_ns / could : 0;
}

static double speed_up(const Forecast *first, const Forecast *f)
{
    return f->makespan_ns ? (double)first->makespan_ns / (double)f->makespan_ns : 1;
}

static void number_put(Buf *out, uint64_t n, bool is_unbounded)
{
    if (is_unbounded)
        buf_puts(out, "unbounded");
    else
        count_put(out, n);
}

/* One number for each generator: 16/16. */
static void scopes_put(const Forecast *f, uint32_t column, Buf *out)
{
    for (uint32_t i = 0; i < f->n_scopes; i++) {
        const ForecastScope *s = &f->scopes[i];
        buf_puts(out, i ? "/" : "");
        if (column == 1)
            number_put(out, s->in_flight, s->in_flight == FORECAST_UNBOUNDED);
        else if (column == 4)
            number_put(out, s->count.peak_live, false);
        else if (column == 6)
            number_put(out, s->count.n_overdrafts, false);
        else
            number_put(out, s->bound, s->bound == UINT64_MAX);
    }
    if (f->n_scopes == 0)
        buf_putc(out, '-');
}

static void cell_put(const Forecast *first, const Forecast *f, uint32_t column, Buf *out)
{
    switch (column) {
    case 0:
        count_put(out, f->n_workers);
        break;
    case 2:
        time_put(out, f->makespan_ns);
        break;
    case 3:
        buf_printf(out, "%.0f %%", utilisation(f) * 100);
        break;
    case 7:
        buf_printf(out, "%.2f x", speed_up(first, f));
        break;
    case 8:
        buf_puts(out, run_state_name(f->state));
        break;
    default:
        scopes_put(f, column, out);
    }
}

static bool has_overdrafts(const Forecast *f)
{
    for (uint32_t i = 0; i < f->n_scopes; i++)
        if (f->scopes[i].count.n_overdrafts)
            return true;
    return false;
}

void forecast_put_table(const Forecast *f, uint32_t n, Buf *out)
{
    uint32_t width[N_COLUMNS];
    bool is_shown[N_COLUMNS];
    Buf cell = {0};
    for (uint32_t c = 0; c < N_COLUMNS; c++) {
        is_shown[c] = c < 6 || (c == 7 && n > 1);
        width[c] = utf8_width(str_of(TITLES[c]));
        for (uint32_t i = 0; i < n; i++) {
            buf_clear(&cell);
            cell_put(f, &f[i], c, &cell);
            uint32_t w = utf8_width(buf_str(&cell));
            width[c] = w > width[c] ? w : width[c];
            is_shown[c] |= c == 8 && f[i].state != RUN_DONE; /* worth a word */
            is_shown[c] |= c == 6 && has_overdrafts(&f[i]);
        }
    }
    for (uint32_t line = 0; line <= n; line++) {
        bool is_first = true;
        for (uint32_t c = 0; c < N_COLUMNS; c++) {
            if (!is_shown[c])
                continue;
            buf_clear(&cell);
            if (line == 0)
                buf_puts(&cell, TITLES[c]);
            else
                cell_put(f, &f[line - 1], c, &cell);
            uint32_t w = utf8_width(buf_str(&cell));
            uint32_t pad = width[c] - w + (is_first ? 0 : COLUMN_GAP);
            buf_printf(out, "%*s", (int)pad, "");
            buf_put_str(out, buf_str(&cell));
            is_first = false;
        }
        buf_putc(out, '\n');
    }
    buf_deinit(&cell);
}

static void setting_put(JsonWriter *w, const Forecast *first, const Forecast *f)
{
    json_begin_object(w);
    json_field_uint(w, "workers", f->n_workers);
    json_field_cstr(w, "state", run_state_name(f->state));
    json_field_float(w, "makespan_us", (double)f->makespan_ns / 1000);
    json_field_float(w, "busy_us", (double)f->busy_ns / 1000);
    json_field_float(w, "utilisation", utilisation(f));
    json_field_float(w, "speed_up", speed_up(first, f));
    json_key(w, "scopes");
    json_begin_array(w);
    for (uint32_t i = 0; i < f->n_scopes; i++) {
        const ForecastScope *s = &f->scopes[i];
        json_begin_object(w);
        json_field_str(w, "generator", s->generator);
        json_field_count(w, "in_flight", s->in_flight, FORECAST_UNBOUNDED);
        json_field_uint(w, "batches", s->count.n_batches);
        json_field_uint(w, "peak_live", s->count.peak_live);
        json_field_count(w, "bound", s->bound, UINT64_MAX);
        json_field_uint(w, "overdrafts", s->count.n_overdrafts);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}

void forecast_put_json(const Forecast *f, uint32_t n, Str file, Str job, Buf *out)
{
    JsonWriter w;
    json_init(&w, out, JSON_STYLE_PRETTY);
    json_begin_object(&w);
    json_field_str(&w, "file", file);
    json_field_str(&w, "job", job);
    json_key(&w, "settings");
    json_begin_array(&w);
    for (uint32_t i = 0; i < n; i++)
        setting_put(&w, f, &f[i]);
    json_end_array(&w);
    json_end_object(&w);
    buf_putc(out, '\n');
}
