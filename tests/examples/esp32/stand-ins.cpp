/* What an ESP32 and its libraries do, as far as the sketch can tell: time, tasks, queues, an ADXL345 behind SPI that feels a file, and
 * MQTT over libmosquitto. $SAMPLES is float32 x y z in g, over and over, read anew when it changes. */
#include <Arduino.h>
#include <MQTT.h>
#include <SPI.h>
#include <WiFi.h>

#include <mosquitto.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iterator>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono;

/* -------------------------------------------------------------------------------------------------------------- board */

static const steady_clock::time_point begun = steady_clock::now();
SerialPort Serial;
WiFiNetwork WiFi;

unsigned long micros()
{
    return (uint32_t)duration_cast<microseconds>(steady_clock::now() - begun).count();
}

unsigned long millis()
{
    return (uint32_t)duration_cast<milliseconds>(steady_clock::now() - begun).count();
}

void delay(uint32_t ms)
{
    std::this_thread::sleep_for(milliseconds(ms));
}

void vTaskDelay(TickType_t ticks)
{
    delay(ticks);
}

uint32_t esp_random()
{
    static std::random_device random;

    return random();
}

void configTime(long, int, const char *)
{
}
void pinMode(uint8_t, uint8_t)
{
}
void SerialPort::begin(unsigned long)
{
}

void SerialPort::println(const char *text)
{
    fprintf(stderr, "sketch: %s\n", text);
}

void WiFiNetwork::mode(int)
{
}
void WiFiNetwork::begin(const char *, const char *)
{
}

int WiFiNetwork::status()
{
    return WL_CONNECTED;
}

/* ----------------------------------------------------------------------------------------------------------- FreeRTOS */

struct Queue {
    size_t length, item;
    std::deque<std::string> items;
    std::mutex mutex;
    std::condition_variable changed;

    template <class Ready> bool wait(std::unique_lock<std::mutex> &lock, TickType_t ms, Ready ready)
    {
        if (ms == portMAX_DELAY) {
            changed.wait(lock, ready);
            return true;
        }
        return changed.wait_for(lock, milliseconds(ms), ready);
    }
};

QueueHandle_t xQueueCreate(size_t length, size_t item)
{
    Queue *queue = new Queue;

    queue->length = length;
    queue->item = item;
    return queue;
}

BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t ms)
{
    std::unique_lock<std::mutex> lock(queue->mutex);

    if (!queue->wait(lock, ms, [&] { return queue->items.size() < queue->length; }))
        return 0;
    queue->items.emplace_back((const char *)item, queue->item);
    queue->changed.notify_all();
    return pdTRUE;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t ms)
{
    std::unique_lock<std::mutex> lock(queue->mutex);

    if (!queue->wait(lock, ms, [&] { return !queue->items.empty(); }))
        return 0;
    memcpy(item, queue->items.front().data(), queue->item);
    queue->items.pop_front();
    queue->changed.notify_all();
    return pdTRUE;
}

BaseType_t xTaskCreatePinnedToCore(void (*code)(void *), const char *, uint32_t, void *argument, unsigned, void **, int)
{
    std::thread(code, argument).detach();
    return pdTRUE;
}

/* --------------------------------------------------------------------------------------------------------- ADXL345, SPI */

struct Chip {
    uint8_t registers[64] = { 0xE5 };
    std::deque<std::vector<uint8_t>> fifo;
    std::vector<float> felt;
    timespec stamp = {};
    size_t at = 0;
    steady_clock::time_point measured;
    std::vector<uint8_t> answer; /* of this transaction */
    int command = -1;

    void feel()
    {
        struct stat status;

        if (stat(getenv("SAMPLES"), &status) != 0)
            abort();
        if (status.st_mtim.tv_sec == stamp.tv_sec && status.st_mtim.tv_nsec == stamp.tv_nsec)
            return;
        std::ifstream file(getenv("SAMPLES"), std::ios::binary);
        std::string bytes{ std::istreambuf_iterator<char>(file), {} };
        felt.resize(bytes.size() / sizeof(float));
        memcpy(felt.data(), bytes.data(), felt.size() * sizeof(float));
        stamp = status.st_mtim;
        at = 0;
    }

    void run()
    {
        auto period = nanoseconds(1000000000 / 3200) * (1 << (15 - (registers[0x2C] & 15)));

        for (; registers[0x2D] & 8 && measured + period <= steady_clock::now(); measured += period) {
            std::vector<uint8_t> sample;

            feel();
            for (int axis = 0; axis < 3; axis++) {
                int steps = (int)lrintf(felt[at + axis] * 256);
                sample.push_back((uint8_t)steps);
                sample.push_back((uint8_t)(steps >> 8));
            }
            at = (at + 3) % felt.size();
            fifo.push_back(sample);
            if (fifo.size() > 32)
                fifo.pop_front();
        }
    }

    uint8_t exchange(uint8_t byte)
    {
        if (command < 0) {
            command = byte;
            run();
            int first = byte & 0x3F;
            answer.assign(registers + first, registers + 64);
            if (first == 0x39)
                answer[0] = (uint8_t)fifo.size();
            if (first == 0x32 && byte & 0x80) {
                if (fifo.empty() || !(byte & 0x40) || registers[0x38] >> 6 != 2 || registers[0x31] != 0x0B)
                    abort();
                answer = fifo.front();
                fifo.pop_front();
            }
            return 0;
        }
        if (command & 0x80) {
            uint8_t value = answer.at(0);
            answer.erase(answer.begin());
            return value;
        }
        if (command == 0x2D && byte & 8 && !(registers[0x2D] & 8))
            measured = steady_clock::now();
        registers[command] = byte;
        if (command == 0x38 && byte >> 6 == 0)
            fifo.clear();
        return 0;
    }
};

static Chip chip_model;
SPIClass SPI;

void SPIClass::begin()
{
}
void SPIClass::endTransaction()
{
}

void SPIClass::beginTransaction(SPISettings settings)
{
    if (settings.mode != SPI_MODE3 || settings.clock > 5000000 || settings.order != MSBFIRST)
        abort();
}

uint8_t SPIClass::transfer(uint8_t byte)
{
    return chip_model.exchange(byte);
}

void digitalWrite(uint8_t pin, uint8_t value)
{
    if (pin == 5 && value == LOW)
        chip_model.command = -1;
}

/* --------------------------------------------------------------------------------------------------------------- MQTT */

static std::atomic<bool> up;
static std::atomic<int> acknowledged;

MQTTClient::MQTTClient(int bytes) : buffer_bytes(bytes)
{
}

void MQTTClient::begin(const char host_name[], int number, Client &socket)
{
    host = host_name;
    port = number;
    client = &socket;
}

/* libmosquitto reads the file when it connects. */
static void trust(struct mosquitto *mosquitto, const char *pem)
{
    std::string path = std::string(getenv("SAMPLES")) + ".ca";

    std::ofstream(path) << pem;
    mosquitto_tls_set(mosquitto, path.c_str(), nullptr, nullptr, nullptr, nullptr);
}

/* A new one each time, as the library does; true when the broker has said yes. */
bool MQTTClient::connect(const char id[], const char user[], const char password[])
{
    int result = -1;

    mosquitto_lib_init();
    up = false;
    if (mosquitto)
        mosquitto_destroy(mosquitto);
    mosquitto = mosquitto_new(id, true, &result);
    if (user)
        mosquitto_username_pw_set(mosquitto, user, password);
    if (client->authority)
        trust(mosquitto, client->authority);
    mosquitto_connect_callback_set(mosquitto, [](struct mosquitto *, void *user, int code) {
        *(int *)user = code;
        up = code == 0;
    });
    mosquitto_disconnect_callback_set(mosquitto, [](struct mosquitto *, void *, int) { up = false; });
    mosquitto_publish_callback_set(mosquitto, [](struct mosquitto *, void *, int number) { acknowledged = number; });
    if (mosquitto_connect(mosquitto, getenv("BROKER"), atoi(getenv("PORT")), 10) != MOSQ_ERR_SUCCESS)
        return false;
    for (int i = 0; i < 20 && result < 0; i++)
        mosquitto_loop(mosquitto, 100, 1);
    mosquitto_user_data_set(mosquitto, nullptr);
    return up;
}

bool MQTTClient::connected()
{
    return up;
}

bool MQTTClient::loop()
{
    return mosquitto && mosquitto_loop(mosquitto, 0, 1) == MOSQ_ERR_SUCCESS;
}

/* At QoS 1 the library waits up to a second for the broker. */
bool MQTTClient::publish(const char topic[], const char payload[], int length, bool retained, int qos)
{
    int number = 0;

    if (length + 16 + (int)strlen(topic) > buffer_bytes || qos != 1)
        abort();
    acknowledged = 0;
    if (mosquitto_publish(mosquitto, &number, topic, length, payload, qos, retained) != MOSQ_ERR_SUCCESS)
        return false;
    for (int i = 0; i < 10 && up && acknowledged != number; i++)
        mosquitto_loop(mosquitto, 100, 1);
    if (acknowledged != number)
        up = false; /* it closes the connection then */
    return acknowledged == number;
}

/* --------------------------------------------------------------------------------------------------------------- main */

void setup();
void loop();

int main()
{
    setup();
    for (;;)
        loop();
}
