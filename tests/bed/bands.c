#include "bands.h"

#include <fftw3.h>
#include <math.h>

#include "heap.h"
#include "kind.h"

/* Bands evenly spaced in the logarithm, none empty, from bin 1 to the last; every bin is a band where there are few. */
static void place_edges(struct feature_layout *layout)
{
    unsigned int bins = layout->samples / 2;

    layout->bands = bins < FEATURE_BANDS ? bins : FEATURE_BANDS;
    layout->edge[0] = 1;
    for (unsigned int b = 1; b <= layout->bands; b++) {
        double ideal = rint(pow(bins + 1, (double)b / layout->bands));
        unsigned int least = layout->edge[b - 1] + 1, most = bins + 1 - (layout->bands - b);

        layout->edge[b] = (unsigned int)fmin(most, fmax(least, ideal));
    }
}

struct feature_layout features_layout(uint32_t samples, uint32_t axes)
{
    struct feature_layout layout = { .samples = samples, .axes = axes, .has_rms = samples > 1 };

    if (samples >= FEATURE_MIN_SPECTRUM)
        place_edges(&layout);
    layout.per_axis = layout.bands + layout.has_rms + 1;
    layout.count = axes * layout.per_axis;
    return layout;
}

/* The transform of one size; a bed goes from machine to machine, so the last one is kept. */
struct transform {
    uint32_t size;
    double *in, *window;
    fftw_complex *out;
    fftw_plan plan;
};

static const struct transform *transform_of(uint32_t size)
{
    static struct transform t;

    if (t.size == size)
        return &t;
    if (t.size > 0)
        fftw_destroy_plan(t.plan);
    if (!t.in) {
        t.in = fftw_alloc_real(BED_SAMPLES);
        t.out = fftw_alloc_complex(BED_SAMPLES);
        t.window = heap_get(BED_SAMPLES, sizeof(double));
    }
    t.size = size;
    t.plan = fftw_plan_dft_r2c_1d((int)size, t.in, t.out, FFTW_ESTIMATE); /* the same plan every time */
    for (uint32_t i = 0; i < size; i++)
        t.window[i] = 0.5 - 0.5 * cos(2 * M_PI * i / size);
    return &t;
}

static void band_energies(const struct feature_layout *layout, const struct transform *t, double *energy)
{
    double all = 0, scale = 1.0 / ((double)layout->samples * layout->samples);

    for (unsigned int b = 0; b < layout->bands; b++) {
        energy[b] = 0;
        for (unsigned int k = layout->edge[b]; k < layout->edge[b + 1]; k++)
            energy[b] += scale * (t->out[k][0] * t->out[k][0] + t->out[k][1] * t->out[k][1]);
        all += energy[b];
    }
    for (unsigned int b = 0; b < layout->bands; b++)
        energy[b] = log(energy[b] + 1e-9 * all + 1e-30);
}

static void axis_features(const struct feature_layout *layout, const float *samples, double *features)
{
    const struct transform *t = transform_of(layout->samples);
    uint32_t n = layout->samples;
    double mean = 0, square = 0;

    for (uint32_t i = 0; i < n; i++)
        mean += (double)samples[i * layout->axes];
    mean /= n;
    for (uint32_t i = 0; i < n; i++) {
        double y = (double)samples[i * layout->axes] - mean;

        square += y * y;
        t->in[i] = y * t->window[i];
    }
    if (layout->bands > 0) {
        fftw_execute(t->plan);
        band_energies(layout, t, features);
    }
    if (layout->has_rms)
        features[layout->bands] = 0.5 * log(square / n + 1e-14 * mean * mean + 1e-30);
    features[layout->per_axis - 1] = mean;
}

void features_of(const struct feature_layout *layout, const float *samples, double *features)
{
    for (uint32_t a = 0; a < layout->axes; a++)
        axis_features(layout, samples + a, features + a * layout->per_axis);
}
