#ifndef WIFICLIENT_H
#define WIFICLIENT_H

struct Client {
    const char *authority = nullptr; /* PEM; null: no TLS */
};
struct WiFiClient : Client {
};

#endif
