/* The library "MQTT" for Arduino, as far as the sketch calls it, on libmosquitto. */
#ifndef MQTT_H
#define MQTT_H

#include <Arduino.h>
#include <WiFiClient.h>

class MQTTClient
{
  public:
    explicit MQTTClient(int buffer_bytes);
    void begin(const char host[], int port, Client &client);
    bool connect(const char id[], const char user[] = nullptr, const char password[] = nullptr);
    bool connected();
    bool loop();
    bool publish(const char topic[], const char payload[], int length, bool retained, int qos);

  private:
    struct mosquitto *mosquitto = nullptr;
    int buffer_bytes, port = 0;
    const char *host = nullptr;
    Client *client = nullptr;
};

#endif
