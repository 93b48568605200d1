#ifndef SPI_H
#define SPI_H

#include <Arduino.h>

enum { MSBFIRST = 1 };
enum { SPI_MODE3 = 3 };

struct SPISettings {
    uint32_t clock;
    uint8_t order, mode;
    SPISettings(uint32_t clock, uint8_t order, uint8_t mode) : clock(clock), order(order), mode(mode)
    {
    }
};

struct SPIClass {
    void begin();
    void beginTransaction(SPISettings settings);
    void endTransaction();
    uint8_t transfer(uint8_t byte);
};
extern SPIClass SPI;

#endif
