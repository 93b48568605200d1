#ifndef WIFICLIENTSECURE_H
#define WIFICLIENTSECURE_H

#include <WiFiClient.h>

struct WiFiClientSecure : WiFiClient {
    void setCACert(const char *pem)
    {
        authority = pem;
    }
};

#endif
