#ifndef WIFI_H
#define WIFI_H

#include <Arduino.h>

enum { WL_CONNECTED = 3, WL_DISCONNECTED = 6 };
enum { WIFI_STA = 1 };

struct WiFiNetwork {
    void mode(int mode);
    void begin(const char *name, const char *password);
    int status();
};
extern WiFiNetwork WiFi;

#endif
