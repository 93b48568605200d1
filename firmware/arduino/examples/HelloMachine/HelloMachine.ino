// Learns 100 buffers of an analog sensor at A0 while the machine is healthy, then prints how similar each buffer is to them.
#include <habit.h>

const int SAMPLES = 256, AXES = 1, LEARNED = 100;
const unsigned long SAMPLING_US = 1000;

uint32_t knowledge[HABIT_KNOWLEDGE_SIZE(SAMPLES, AXES, HABIT_PROFILE_SMALL) / 4];
uint32_t cache[HABIT_CACHE_SIZE(SAMPLES, AXES, HABIT_PROFILE_SMALL) / 4];
uint32_t scratch[HABIT_SCRATCH_SIZE(SAMPLES, AXES, HABIT_PROFILE_SMALL) / 4];
int16_t samples[SAMPLES * AXES];
habit_engine engine;
int learned;

void setup()
{
  Serial.begin(115200);
  habit_memory memory = { knowledge, sizeof(knowledge), cache, sizeof(cache), scratch, sizeof(scratch) };
  habit_config config = {};
  config.buffer_size = SAMPLES;
  config.axes = AXES;
  config.profile = HABIT_PROFILE_SMALL;
  config.sampling_hz = 1e6f / SAMPLING_US;
  config.scale = 1;
  Serial.println(habit_text(habit_init(&engine, &config, &memory)));
}

void fill()
{
  unsigned long next = micros();

  for (int i = 0; i < SAMPLES; i++) {
    while ((long)(micros() - next) < 0)
      ;
    next += SAMPLING_US;
    samples[i] = analogRead(A0);
  }
}

void loop()
{
  habit_result result;

  fill();
  if (learned < LEARNED) {
    int status = habit_learn_i16(&engine, samples, SAMPLES * AXES, NULL);
    if (status == HABIT_OK)
      learned++;
    else
      Serial.println(habit_text(status));
    return;
  }
  int status = habit_detect_i16(&engine, samples, SAMPLES * AXES, &result);
  if (status != HABIT_OK)
    Serial.println(habit_text(status));
  else
    Serial.println(result.similarity);
}
