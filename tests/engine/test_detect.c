/* What a caller sees: similarity, readiness, flags, reasons; for all sizes, gains and offsets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* ---------------------------------------------------------------------------------------------------- similarity */

static uint8_t similarity_by_definition(double d)
{
    const double s = 100.0 * pow(0.9, d * d);

    return (uint8_t)(d <= 1.0 ? fmax(90.0, floor(s + 0.5)) : fmin(89.0, floor(s)));
}

static void test_similarity_follows_its_definition(void **state)
{
    (void)state;
    for (int i = 0; i <= 8000; i++) {
        const float d = (float)i / 1024.0f;

        assert_int_equal(habit_similarity(d, 1.0f), similarity_by_definition((double)d));
    }
    assert_int_equal(habit_similarity(0.5f, 2.0f), 90);
    assert_int_equal(habit_similarity(nextafterf(1.0f, 2.0f), 1.0f), 89);
    assert_int_equal(habit_similarity(3e38f, 100.0f), 0);
    assert_int_equal(habit_similarity(NAN, 1.0f), 0); /* what is no number never looks nominal */
    assert_int_equal(habit_similarity(INFINITY, 0.0f), 0);
    assert_int_equal(habit_similarity(-INFINITY, 1.0f), 90);
}

/* ----------------------------------------------------------------------------------------------------- readiness */

static void test_not_ready_before_eight_buffers(void **state)
{
    struct machine m;
    struct habit_progress progress;
    struct habit_result result;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 1);
    for (uint32_t learned = 0; learned < 8; learned++) {
        assert_int_equal(habit_status(&m.engine, &progress), HABIT_OK);
        assert_int_equal(progress.learned, learned);
        assert_int_equal(progress.needed, 8 - learned);
        assert_int_equal(progress.missing, HABIT_MISSING_BUFFERS);
        machine_noise(&m);
        assert_int_equal(habit_detect(&m.engine, m.buffer, m.count, &result), HABIT_ENOTREADY);
        machine_learn(&m);
    }
    assert_int_equal(habit_status(&m.engine, &progress), HABIT_OK);
    assert_true(progress.needed <= 2); /* as many as were dropped from the first eight */
    machine_learn_noise(&m, progress.needed);
    machine_noise(&m);
    assert_int_equal(habit_detect(&m.engine, m.buffer, m.count, &result), HABIT_OK);
    machine_learn_noise(&m, 60);
    assert_int_equal(habit_status(&m.engine, &progress), HABIT_OK);
    assert_int_equal(progress.missing, HABIT_MISSING_NOTHING);
    assert_true(progress.settled == 1.0f && progress.weight > 0.0f && progress.false_alarms < 0.05f);
    machine_deinit(&m);
}

static void test_detect_never_changes_the_knowledge(void **state)
{
    struct machine m;
    void *before;

    (void)state;
    machine_init(&m, 50, 3, HABIT_PROFILE_DEFAULT, 3);
    machine_learn_noise(&m, 30);
    before = machine_copy_knowledge(&m);
    for (int i = 0; i < 20; i++) {
        machine_noise(&m);
        (void)machine_detect(&m);
    }
    assert_memory_equal(before, m.memory.knowledge, m.memory.knowledge_size);
    free(before);
    machine_deinit(&m);
}

/* ------------------------------------------------------------------------------------------------- int16, flags */

static void test_int16_gives_the_same_bytes(void **state)
{
    struct machine a, b;
    struct habit_result from_floats, from_integers;
    int16_t samples[100 * 2];

    (void)state;
    machine_init(&a, 100, 2, HABIT_PROFILE_DEFAULT, 5);
    machine_init(&b, 100, 2, HABIT_PROFILE_DEFAULT, 5);
    a.config.scale = b.config.scale = 0.00123f;
    assert_int_equal(habit_init(&a.engine, &a.config, &a.memory), HABIT_OK);
    assert_int_equal(habit_init(&b.engine, &b.config, &b.memory), HABIT_OK);
    for (int i = 0; i < 40; i++) {
        for (size_t k = 0; k < a.count; k++) {
            samples[k] = (int16_t)(1000.0f * noise_normal(&a.seed));
            a.buffer[k] = (float)samples[k] * a.config.scale;
        }
        if (i == 39)
            break;
        machine_learn(&a);
        assert_int_equal(habit_learn_i16(&b.engine, samples, b.count, NULL), HABIT_OK);
    }
    assert_memory_equal(a.memory.knowledge, b.memory.knowledge, a.memory.knowledge_size);
    from_floats = machine_detect(&a);
    assert_int_equal(habit_detect_i16(&b.engine, samples, b.count, &from_integers), HABIT_OK);
    assert_memory_equal(&from_floats, &from_integers, sizeof(from_floats));
    machine_deinit(&a);
    machine_deinit(&b);
}

static void test_dead_and_clipped_axes_are_flagged(void **state)
{
    struct machine m;
    struct habit_result result;
    struct habit_progress progress;

    (void)state;
    machine_init(&m, 128, 3, HABIT_PROFILE_DEFAULT, 9);
    machine_learn_noise(&m, 40);
    machine_noise(&m);
    result = machine_detect(&m);
    assert_int_equal(result.constant, 0);
    assert_int_equal(result.clipped, 0);
    for (size_t i = 0; i < 128; i++) {
        m.buffer[3 * i + 1] = 0.25f;
        m.buffer[3 * i + 2] = fmaxf(-0.7f, fminf(0.7f, 2.0f * sinf(0.3f * (float)i)));
    }
    result = machine_detect(&m);
    assert_int_equal(result.constant, 2);
    assert_int_equal(result.clipped, 4);
    assert_true(result.similarity < 10);
    assert_true(fabsf(result.level[1] - 0.25f) < 1e-6f && result.amplitude[1] < 1e-6f);
    assert_int_equal(habit_learn(&m.engine, m.buffer, m.count, &progress), HABIT_OK);
    assert_int_equal(progress.clipped, 4);
    assert_int_equal(habit_status(&m.engine, &progress), HABIT_OK);
    assert_int_equal(progress.clipped, 0); /* of no buffer */
    machine_noise(&m);
    assert_int_equal(habit_learn(&m.engine, m.buffer, m.count, &progress), HABIT_OK);
    assert_int_equal(progress.clipped, 0);
    machine_deinit(&m);
}

/* Any signal touches its extremes, some for a few samples. */
static void test_a_few_samples_at_an_extreme_are_not_clipping(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 128, 1, HABIT_PROFILE_DEFAULT, 9);
    machine_learn_noise(&m, 20);
    for (size_t flat = 1; flat < 20; flat++) {
        machine_noise(&m);
        for (size_t i = 0; i < flat; i++)
            m.buffer[40 + i] = 9.0f;
        assert_int_equal(machine_detect(&m).clipped, flat > 8 ? 1 : 0); /* 128 / 16 after the first of them */
    }
    machine_deinit(&m);
}

static void test_an_axis_that_was_always_dead_may_wake_up_with_an_alarm(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 11);
    for (int i = 0; i < 40; i++) {
        machine_noise(&m);
        for (size_t k = 0; k < 64; k++)
            m.buffer[2 * k] = 0.0f;
        machine_learn(&m);
    }
    machine_noise(&m);
    assert_true(machine_detect(&m).similarity < 90);
    machine_deinit(&m);
}

/* ---------------------------------------------------------------------------------- gains, offsets, geometries */

/* Distances of a fixed sequence at a gain and offset; the last is of a fault. */
static void run_at(float gain, float offset, float distance[6])
{
    struct machine m;

    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 13);
    for (int i = 0; i < 46; i++) {
        machine_noise(&m);
        for (size_t k = 0; k < m.count; k++)
            m.buffer[k] = gain * (m.buffer[k] * (i == 45 ? 2.0f : 1.0f) + offset);
        if (i < 40)
            machine_learn(&m);
        else
            distance[i - 40] = machine_detect(&m).distance;
    }
    machine_deinit(&m);
}

static void test_neither_gain_nor_offset_matters(void **state)
{
    static const float gains[] = { 1e-6f, 1e-3f, 1.0f, 1e3f, 1e6f }, offsets[] = { 0.0f, -3.0f, 100.0f };
    float reference[6], distance[6];

    (void)state;
    run_at(1.0f, 0.0f, reference);
    assert_true(reference[5] > 1.5f);
    for (size_t g = 0; g < 5; g++)
        for (size_t o = 0; o < 3; o++) {
            run_at(gains[g], offsets[o], distance);
            for (int i = 0; i < 6; i++)
                if (!(fabsf(distance[i] - reference[i]) < 0.05f * reference[i]))
                    fail_msg("gain %g, offset %g: %g, not %g", (double)gains[g], (double)offsets[o],
                             (double)distance[i], (double)reference[i]);
        }
}

static void check_geometry(unsigned int samples, unsigned int axes, enum habit_profile profile)
{
    struct machine m;
    struct habit_result result;

    machine_init(&m, samples, axes, profile, samples * 31 + axes);
    machine_learn_noise(&m, samples < 9 ? 60 : 12);
    machine_noise(&m);
    result = machine_detect(&m);
    assert_true(isfinite(result.distance) && result.distance > 0.0f && result.similarity <= 100);
    for (size_t i = 0; i < m.count; i++)
        m.buffer[i] = 1e15f;
    m.buffer[0] = -1e15f;
    result = machine_detect(&m);
    if (!(isfinite(result.distance) && result.similarity < 90))
        fail_msg("%u x %u: distance %g", axes, samples, (double)result.distance);
    machine_learn(&m);
    for (size_t i = 0; i < m.count; i++)
        m.buffer[i] = (float)(i % 3) * 1e-15f;
    assert_int_equal(habit_detect(&m.engine, m.buffer, m.count, &result), HABIT_OK);
    assert_true(isfinite(result.distance) && isfinite(result.score) && isfinite(result.p_value));
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    assert_int_equal(habit_check(m.memory.knowledge, m.memory.knowledge_size, NULL), HABIT_OK);
    machine_deinit(&m);
}

static void test_every_geometry_learns_and_detects(void **state)
{
    static const unsigned int samples[] = { 1, 2, 3, 7, 8, 9, 16, 100, 128, 255, 256, 1000, 1024, 4096 };
    static const unsigned int axes[] = { 1, 2, 3, 6, 16 };

    (void)state;
    for (size_t s = 0; s < sizeof(samples) / sizeof(samples[0]); s++)
        for (size_t a = 0; a < sizeof(axes) / sizeof(axes[0]); a++)
            for (int profile = 0; profile < HABIT_PROFILES; profile++)
                if (samples[s] * axes[a] <= 16384 || profile == HABIT_PROFILE_DEFAULT)
                    check_geometry(samples[s], axes[a], (enum habit_profile)profile);
}

static void test_default_memory_is_within_its_budget(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 256, 3, HABIT_PROFILE_DEFAULT, 1);
    assert_true(m.memory.knowledge_size <= 4096);
    assert_true(m.memory.knowledge_size + m.memory.cache_size <= 6656);
    machine_deinit(&m);
}

/* ---------------------------------------------------------------------------------------------------- explanation */

/* Noise that is louder at times: its rms alone says little. */
static void machine_noise_at_some_load(struct machine *m)
{
    const float gain = 1.0f + 0.4f * noise(&m->seed);

    machine_noise(m);
    for (size_t i = 0; i < m->count; i++)
        m->buffer[i] *= gain;
}

static void test_an_added_tone_is_named(void **state)
{
    struct machine m;
    struct habit_result result;
    const float hz = 30.0f;

    (void)state;
    machine_init(&m, 256, 3, HABIT_PROFILE_DEFAULT, 17);
    m.config.sampling_hz = 1000.0f;
    assert_int_equal(habit_init(&m.engine, &m.config, &m.memory), HABIT_OK);
    for (int i = 0; i < 60; i++) {
        machine_noise_at_some_load(&m);
        machine_learn(&m);
    }
    machine_noise_at_some_load(&m);
    for (size_t i = 0; i < 256; i++)
        m.buffer[3 * i + 2] += 2.0f * sinf(6.2831853f * hz / 1000.0f * (float)i);
    result = machine_detect(&m);
    assert_true(result.similarity < 90);
    assert_true(result.reasons >= 1 && result.reasons <= HABIT_MAX_REASONS);
    assert_int_equal(result.reason[0].axis, 2);
    assert_int_equal(result.reason[0].kind, HABIT_KIND_BAND);
    assert_true(result.reason[0].in_hz && result.reason[0].from <= hz && result.reason[0].to >= hz);
    assert_true(result.reason[0].sigmas > 3.0f);
    for (int i = 1; i < result.reasons; i++)
        assert_true(fabsf(result.reason[i].sigmas) >= 2.0f);
    machine_deinit(&m);
}

/* What the first reasons of some buffers say, of those that are alarms. */
struct firsts {
    unsigned int alarms, axis, kind, place; /* right axis; and right kind; and where it must be, upwards or downwards */
    unsigned int overshadowed;              /* right, though another reason is more deviations off */
};

static bool is_overshadowed(const struct habit_result *result)
{
    for (int i = 1; i < result->reasons; i++)
        if (fabsf(result->reason[i].sigmas) > fabsf(result->reason[0].sigmas))
            return true;
    return false;
}

static void count_first(struct firsts *firsts, const struct habit_result *result, const struct habit_reason *truth)
{
    const struct habit_reason *first = &result->reason[0];
    const bool axis = first->axis == truth->axis, kind = axis && first->kind == truth->kind;
    const bool place = kind && first->from <= truth->from && first->to >= truth->to &&
                       (first->sigmas > 0.0f) == (truth->sigmas > 0.0f);

    if (result->similarity >= 90)
        return;
    firsts->alarms++;
    firsts->axis += axis;
    firsts->kind += kind;
    firsts->place += place;
    firsts->overshadowed += place && is_overshadowed(result);
}

enum { FAULTY = 40 };

/* Noise on two axes, 512 samples. Axis 1 of the faulty ones is changed by `fault`. */
static struct firsts first_reasons(uint32_t seed, void (*healthy)(struct machine *), void (*fault)(struct machine *),
                                   const struct habit_reason *truth)
{
    struct firsts firsts = { 0 };
    struct machine m;

    machine_init(&m, 512, 2, HABIT_PROFILE_DEFAULT, seed);
    for (int i = 0; i < 100; i++) {
        healthy(&m);
        machine_learn(&m);
    }
    for (int i = 0; i < FAULTY; i++) {
        struct habit_result result;

        fault(&m);
        result = machine_detect(&m);
        count_first(&firsts, &result, truth);
    }
    machine_deinit(&m);
    assert_true(firsts.alarms >= FAULTY / 2);
    return firsts;
}

static void add_a_tone(struct machine *m)
{
    machine_noise(m);
    for (size_t i = 0; i < 512; i++)
        m->buffer[2 * i + 1] += 1.0f * sinf(6.2831853f * 0.35f * (float)i);
}

/* At times the rms of steady noise deviates more than the band that a tone is in, which is named all the same. */
static void test_a_band_goes_before_the_amplitude_that_follows(void **state)
{
    const struct habit_reason truth = { .axis = 1, .kind = HABIT_KIND_BAND, .from = 179, .to = 179, .sigmas = 1 };
    const struct firsts firsts = first_reasons(23, machine_noise, add_a_tone, &truth);

    (void)state;
    assert_true(firsts.place * 10 >= firsts.alarms * 9);
    assert_true(firsts.overshadowed > 0);
}

static void grow_louder(struct machine *m)
{
    machine_noise(m);
    for (size_t i = 0; i < 512; i++)
        m->buffer[2 * i + 1] *= 1.3f;
}

static void test_everything_louder_is_amplitude(void **state)
{
    const struct habit_reason truth = { .axis = 1, .kind = HABIT_KIND_AMPLITUDE, .sigmas = 1 };
    const struct firsts firsts = first_reasons(29, machine_noise, grow_louder, &truth);

    (void)state;
    assert_int_equal(firsts.axis, firsts.alarms);
    assert_true(firsts.place * 3 >= firsts.alarms * 2);
}

static void add_shocks(struct machine *m)
{
    machine_noise(m);
    for (size_t i = 50; i < 512; i += 150)
        m->buffer[2 * i + 1] += 5.0f;
}

static void test_shocks_are_impulsiveness(void **state)
{
    const struct habit_reason truth = { .axis = 1, .kind = HABIT_KIND_IMPULSIVENESS, .sigmas = 1 };
    const struct firsts firsts = first_reasons(31, machine_noise, add_shocks, &truth);

    (void)state;
    assert_true(firsts.place * 10 >= firsts.alarms * 9);
}

/* On axis 1 a tone whose amplitude wanders. */
static void wandering_tone(struct machine *m, float size)
{
    const float amplitude = size * expf(0.5f * noise(&m->seed)), turn = 3.0f * noise(&m->seed);

    machine_noise(m);
    for (size_t i = 0; i < 512; i++)
        m->buffer[2 * i + 1] += 4.0f * amplitude * sinf(6.2831853f * 0.2f * (float)i + turn);
}

static void keep_the_tone(struct machine *m)
{
    wandering_tone(m, 1.0f);
}

static void lose_the_tone(struct machine *m)
{
    wandering_tone(m, 0.15f);
}

/* Without its tone an axis is less of a sine and more of noise: peaks rise as the band falls, at times by more
 * deviations. */
static void test_a_lost_tone_is_its_band(void **state)
{
    const struct habit_reason truth = { .axis = 1, .kind = HABIT_KIND_BAND, .from = 102, .to = 103, .sigmas = -1 };
    const struct firsts firsts = first_reasons(37, keep_the_tone, lose_the_tone, &truth);

    (void)state;
    assert_true(firsts.place * 10 >= firsts.alarms * 9);
    assert_true(firsts.overshadowed > 0);
}

/* Where the score of an alarm begins, of a machine with one view, two, or three. */
static float line_of_score(unsigned int samples, float tone, unsigned int learned)
{
    struct machine m;
    struct habit_result result;

    machine_init(&m, samples, 1, HABIT_PROFILE_DEFAULT, 47);
    for (unsigned int i = 0; i <= learned; i++) {
        machine_noise(&m);
        for (size_t k = 0; k < m.count; k++)
            m.buffer[k] = (i == learned ? 99.0f : 1.0f) * m.buffer[k] + tone * sinf(0.1f * (float)k);
        if (i < learned)
            machine_learn(&m);
    }
    result = machine_detect(&m);
    machine_deinit(&m);
    return result.score / (1.0f + logf(result.distance));
}

static void test_the_line_of_the_score_lies_where_it_is_said(void **state)
{
    (void)state;
    for (unsigned int learned = 10; learned <= 1000; learned = learned == 10 ? 200 : 5 * learned)
        for (int views = 1; views <= 3; views++) {
            const float line = line_of_score(views == 1 ? 1 : 64, views == 3 ? 5.0f : 0.0f, learned);

            print_message("%u learned, %d views: alarm at a score of %.2f\n", learned, views, (double)line);
            assert_true(learned == 10 ? line > 3.3f && line <= 9.6f : line >= 2.6f && line <= 3.3f);
        }
}

/* Whatever the sensitivity makes an alarm of has a reason. */
static void test_every_alarm_has_a_reason(void **state)
{
    struct machine m;
    int alarms = 0, without = 0;

    (void)state;
    machine_init(&m, 256, 3, HABIT_PROFILE_DEFAULT, 41);
    machine_learn_noise(&m, 60);
    assert_int_equal(habit_set_sensitivity(&m.engine, 2.5f), HABIT_OK);
    for (int i = 0; i < 200; i++) {
        struct habit_result result;

        machine_noise(&m);
        result = machine_detect(&m);
        alarms += result.similarity < 90;
        without += result.reasons == 0;
        assert_true(result.similarity >= 90 || result.reasons > 0);
    }
    assert_true(alarms > 20);
    assert_true(without > 20);
    machine_deinit(&m);
}

/* What is less strange than expected in every view still has the view that is least so. */
static void test_the_strictest_sensitivity_names_a_reason(void **state)
{
    struct machine m;
    int below = 0;

    (void)state;
    machine_init(&m, 256, 3, HABIT_PROFILE_DEFAULT, 43);
    machine_learn_noise(&m, 60);
    assert_int_equal(habit_set_sensitivity(&m.engine, 100.0f), HABIT_OK);
    for (int i = 0; i < 100; i++) {
        struct habit_result result;

        machine_noise(&m);
        result = machine_detect(&m);
        assert_true(result.similarity < 90 && result.reasons >= 1);
        for (uint32_t k = 0; k < result.reasons; k++)
            assert_true(result.reason[k].axis < 3 && isfinite(result.reason[k].sigmas));
        below += result.score < 0.0f;
    }
    assert_true(below > 0);
    machine_deinit(&m);
}

static void test_a_shifted_level_is_named(void **state)
{
    struct machine m;
    struct habit_result result;

    (void)state;
    machine_init(&m, 256, 3, HABIT_PROFILE_DEFAULT, 19);
    machine_learn_noise(&m, 60);
    machine_noise(&m);
    for (size_t i = 0; i < 256; i++)
        m.buffer[3 * i] -= 5.0f;
    result = machine_detect(&m);
    assert_true(result.similarity < 90);
    assert_int_equal(result.reason[0].axis, 0);
    assert_int_equal(result.reason[0].kind, HABIT_KIND_LEVEL);
    assert_true(result.reason[0].sigmas < -3.0f);
    machine_deinit(&m);
}

/* --------------------------------------------------------------------------------------------- accept and drift */

static void other_state(struct machine *m)
{
    machine_noise(m);
    for (size_t i = 0; i < m->count; i++)
        m->buffer[i] = 1.3f * m->buffer[i] + 10.0f;
}

static void test_accepted_buffers_are_normal_from_then_on(void **state)
{
    struct machine m;
    float drift;
    float buffers[3 * 64 * 2];
    void *before;
    int nominal = 0;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 23);
    machine_learn_noise(&m, 200);
    assert_int_equal(habit_drift(&m.engine, &drift), HABIT_OK);
    assert_true(drift < 0.5f);
    other_state(&m);
    assert_true(machine_detect(&m).similarity < 90);
    for (size_t k = 0; k < 3; k++) {
        other_state(&m);
        memcpy(buffers + k * m.count, m.buffer, sizeof(float) * m.count);
    }
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    before = machine_copy_knowledge(&m);
    assert_int_equal(habit_accept(&m.engine, buffers, 3), HABIT_OK);
    for (int i = 0; i < 20; i++) {
        other_state(&m);
        nominal += machine_detect(&m).similarity >= 90;
    }
    assert_true(nominal >= 19);
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    assert_int_equal(habit_check(m.memory.knowledge, m.memory.knowledge_size, NULL), HABIT_OK);
    assert_int_equal(habit_load(&m.engine, before, m.memory.knowledge_size), HABIT_OK);
    assert_true(machine_detect(&m).similarity < 90);
    free(before);
    machine_deinit(&m);
}

static void test_drift_grows_when_the_level_moves(void **state)
{
    struct machine m;
    float drift;

    (void)state;
    machine_init(&m, 64, 1, HABIT_PROFILE_DEFAULT, 29);
    machine_learn_noise(&m, 59);
    assert_int_equal(habit_drift(&m.engine, &drift), HABIT_OK);
    assert_true(drift == 0.0f);
    for (int i = 0; i < 200; i++) {
        machine_noise(&m);
        for (size_t k = 0; k < m.count; k++)
            m.buffer[k] += 0.005f * (float)i;
        machine_learn(&m);
    }
    assert_int_equal(habit_drift(&m.engine, &drift), HABIT_OK);
    assert_true(drift > 1.0f);
    machine_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_similarity_follows_its_definition),
        cmocka_unit_test(test_not_ready_before_eight_buffers),
        cmocka_unit_test(test_detect_never_changes_the_knowledge),
        cmocka_unit_test(test_int16_gives_the_same_bytes),
        cmocka_unit_test(test_dead_and_clipped_axes_are_flagged),
        cmocka_unit_test(test_a_few_samples_at_an_extreme_are_not_clipping),
        cmocka_unit_test(test_an_axis_that_was_always_dead_may_wake_up_with_an_alarm),
        cmocka_unit_test(test_neither_gain_nor_offset_matters),
        cmocka_unit_test(test_every_geometry_learns_and_detects),
        cmocka_unit_test(test_default_memory_is_within_its_budget),
        cmocka_unit_test(test_an_added_tone_is_named),
        cmocka_unit_test(test_a_band_goes_before_the_amplitude_that_follows),
        cmocka_unit_test(test_everything_louder_is_amplitude),
        cmocka_unit_test(test_shocks_are_impulsiveness),
        cmocka_unit_test(test_a_lost_tone_is_its_band),
        cmocka_unit_test(test_the_line_of_the_score_lies_where_it_is_said),
        cmocka_unit_test(test_every_alarm_has_a_reason),
        cmocka_unit_test(test_the_strictest_sensitivity_names_a_reason),
        cmocka_unit_test(test_a_shifted_level_is_named),
        cmocka_unit_test(test_accepted_buffers_are_normal_from_then_on),
        cmocka_unit_test(test_drift_grows_when_the_level_moves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
