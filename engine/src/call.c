#include "call.h"

#include "coupling.h"

void habit_call_open(struct habit_call *call, struct habit_engine *engine)
{
    float *words, *cache, *scratch;
    const struct habit_layout *layout = &call->layout;

    (void)habit_layout_make(&call->layout, &engine->config); /* which was found valid before */
    words = engine->memory.knowledge;
    cache = engine->memory.cache;
    scratch = engine->memory.scratch;
    call->engine = engine;
    call->header = habit_header(engine);
    call->ledger = habit_ledger(engine);
    call->rms = words + layout->rms;
    call->kept = words + layout->kept;
    call->modes = habit_modes_open(words + layout->model[HABIT_SPECTRUM], &layout->view[HABIT_SPECTRUM]);
    call->prototypes = habit_prototypes_open(words + layout->model[HABIT_LEVEL], &layout->view[HABIT_LEVEL]);
    call->waveform = habit_waveform_open(words + layout->model[HABIT_WAVEFORM], &layout->view[HABIT_WAVEFORM]);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        habit_view_open(&call->view[v], &layout->view[v], cache + layout->prepared[v]);
    call->view[HABIT_SPECTRUM].positions = call->modes.mean;
    call->view[HABIT_LEVEL].positions = call->prototypes.position;
    call->view[HABIT_WAVEFORM].positions = call->waveform.mean;
    call->vector = scratch + layout->features;
    call->total = scratch + layout->total;
    call->whitened = scratch + layout->whitened;
    call->work = scratch + layout->work;
    habit_features_open(&call->features, layout, call->vector);
}

int habit_call_take(struct habit_call *call, const struct habit_source *source, size_t count)
{
    if (!source->floats && !source->integers)
        return HABIT_ENULL;
    if (count != (size_t)call->layout.samples * call->layout.axes)
        return HABIT_ECOUNT;
    if (!habit_features_make(&call->features, &call->layout, source, call->work))
        return HABIT_EVALUE;
    return HABIT_OK;
}

void habit_call_prepare(struct habit_call *call)
{
    if (call->engine->cached)
        return;
    if (habit_has_view(call, HABIT_SPECTRUM)) {
        struct habit_view *spectrum = &call->view[HABIT_SPECTRUM];

        habit_modes_prepare(&call->modes, spectrum, call->ledger->count);
        if (habit_is_coupled(spectrum->shape))
            habit_coupling_prepare(call->modes.coupling, spectrum->shape, spectrum->coupling, call->work);
    }
    habit_prototypes_prepare(&call->prototypes, &call->view[HABIT_LEVEL], call->ledger->count, call->rms);
    if (habit_has_view(call, HABIT_WAVEFORM))
        habit_waveform_prepare(&call->waveform, &call->view[HABIT_WAVEFORM], call->rms);
    call->engine->cached = 1;
}
