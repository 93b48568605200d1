// An ESP32 with an ADXL345 on SPI that publishes buffers of 256 x 3 samples for habitd: docs/first-machine.md.
//
// Arduino core for ESP32, and the library "MQTT" (by Joël Gähwiler), which can send at QoS 1. One task measures without a gap,
// loop() sends; what was measured while network or broker are away waits in memory, and is numbered and dated, so that habitd
// counts it once and where it belongs. Values are in g.
#include <WiFi.h>
#include <time.h>

#include "adxl345.h"
#include "node.h"

static const char wifi_name[] = "your network";
static const char wifi_password[] = "its password";

static const int chip_select = 5;      // ESP32: SCK 18, MISO (SDO) 19, MOSI (SDA) 23
static const uint32_t every_ms = 1000; // from one buffer to the next
static const size_t buffer_size = 256;
static const double g = 1.0 / 256; // of a step of the chip
static const size_t backlog = 24;  // buffers that wait: 1.5 KB each

struct Buffer {
    Sample samples[buffer_size];
    uint32_t number, measured; // measured: millis() at its end
};

static Adxl345 chip(chip_select);
static Buffer buffers[backlog];
static QueueHandle_t idle, ready; // of Buffer *
static char boot[9];              // another one at each start: numbers begin at 0 again

// ------------------------------------------------------------------------------------------------------------ measuring

// Consecutive samples. What is in the FIFO came after `known`, when it was emptied or counted last; where that is longer ago
// than the FIFO holds, some may be lost, and the buffer begins anew.
static void collect(Buffer &buffer)
{
    size_t filled = 0;
    uint32_t known = micros();

    chip.empty();
    while (filled < buffer_size) {
        vTaskDelay(pdMS_TO_TICKS(5));
        uint32_t asked = micros();
        for (uint32_t waiting = chip.waiting(); waiting > 0; waiting--) {
            Sample sample = chip.next();
            if (filled < buffer_size)
                buffer.samples[filled++] = sample;
        }
        if (micros() - known > (Adxl345::fifo - 2) * (1000000 / Adxl345::rate)) {
            filled = 0;
            asked = micros();
            chip.empty();
        }
        known = asked;
    }
    buffer.measured = millis();
}

static void measure(void *)
{
    uint32_t number = 0, due = millis();
    Buffer *buffer;

    while (!chip.begin()) {
        Serial.println("no ADXL345 answers: look at the wiring");
        vTaskDelay(pdMS_TO_TICKS(2000));
    }
    for (;;) {
        while ((int32_t)(due - millis()) > 0)
            vTaskDelay(pdMS_TO_TICKS(1));
        due = millis() + every_ms;
        if (xQueueReceive(idle, &buffer, 0) != pdTRUE) { // all wait: this one is left out, and its number is missing
            number++;
            continue;
        }
        collect(*buffer);
        buffer->number = number++;
        xQueueSend(ready, &buffer, portMAX_DELAY);
    }
}

// -------------------------------------------------------------------------------------------------------------- sending

// When it was measured: the time, once a time server has told it; until then, how long ago.
static int write_time(char *text, size_t size, const Buffer &buffer)
{
    uint32_t age = millis() - buffer.measured;
    struct timeval now;

    gettimeofday(&now, nullptr);
    if (now.tv_sec < 1700000000)
        return snprintf(text, size, "\"age_ms\":%lu", (unsigned long)age);
    return snprintf(text, size, "\"time\":%lld", (long long)now.tv_sec * 1000 + now.tv_usec / 1000 - age);
}

static int write_buffer(char *text, size_t size, const Buffer &buffer)
{
    int at =
        snprintf(text, size, "{\"source\":\"esp32\",\"boot\":\"%s\",\"seq\":%lu,", boot, (unsigned long)buffer.number);

    at += write_time(text + at, size - at, buffer);
    at += snprintf(text + at, size - at, ",\"data\":");
    for (size_t i = 0; i < buffer_size; i++) {
        const Sample &s = buffer.samples[i];
        at += snprintf(text + at, size - at, "%c%.4f,%.4f,%.4f", i == 0 ? '[' : ',', s.x * g, s.y * g, s.z * g);
    }
    return at + snprintf(text + at, size - at, "]}");
}

// True when the broker has it. Else it is sent again, with the same number.
static bool send(const Buffer &buffer)
{
    static char text[160 + buffer_size * 3 * 10]; // a value is at most "-128.0000,"
    int length = write_buffer(text, sizeof(text), buffer);

    return habit_mqtt.publish(habit_topic, text, length, false, 1);
}

// Until there is a connection, with longer and longer pauses.
static void reconnect()
{
    uint32_t pause = 1000;

    while (WiFi.status() != WL_CONNECTED || !habit_connect()) {
        Serial.println(WiFi.status() == WL_CONNECTED ? "no broker, or not with this user" : "no network");
        delay(pause + esp_random() % 500);
        pause = min(2 * pause, (uint32_t)30000);
    }
    Serial.println("connected");
}

void setup()
{
    Serial.begin(115200);
    snprintf(boot, sizeof(boot), "%08lx", (unsigned long)esp_random());
    idle = xQueueCreate(backlog, sizeof(Buffer *));
    ready = xQueueCreate(backlog, sizeof(Buffer *));
    for (Buffer &buffer : buffers) {
        Buffer *pointer = &buffer;
        xQueueSend(idle, &pointer, 0);
    }
    WiFi.mode(WIFI_STA);
    WiFi.begin(wifi_name, wifi_password);
    configTime(0, 0, "pool.ntp.org");
    xTaskCreatePinnedToCore(measure, "measure", 4096, nullptr, 5, nullptr, 1);
}

void loop()
{
    Buffer *buffer;

    if (!habit_mqtt.connected())
        reconnect();
    habit_mqtt.loop();
    if (xQueueReceive(ready, &buffer, pdMS_TO_TICKS(100)) != pdTRUE)
        return;
    while (!send(*buffer))
        reconnect();
    xQueueSend(idle, &buffer, 0);
}
