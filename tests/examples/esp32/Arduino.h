/* As much of Arduino's core for ESP32 as the sketch calls, on this host: stand-ins.cpp. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <sys/time.h>

using std::min;

enum { LOW, HIGH };
enum { OUTPUT = 3 };

void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t value);
unsigned long millis();
unsigned long micros();
void delay(uint32_t ms);
uint32_t esp_random();
void configTime(long zone, int daylight, const char *server);

struct SerialPort {
    void begin(unsigned long baud);
    void println(const char *text);
};
extern SerialPort Serial;

/* FreeRTOS */
typedef struct Queue *QueueHandle_t;
typedef int BaseType_t;
typedef uint32_t TickType_t;
#define pdTRUE            1
#define portMAX_DELAY     0xffffffffu
#define pdMS_TO_TICKS(ms) ((TickType_t)(ms))

QueueHandle_t xQueueCreate(size_t length, size_t item);
BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t wait);
BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t wait);
void vTaskDelay(TickType_t ticks);
BaseType_t xTaskCreatePinnedToCore(void (*code)(void *), const char *name, uint32_t stack, void *argument,
                                   unsigned priority, void **task, int core);

#endif
