/* As much of Arduino's core as the example calls. The signal at A0 is simulated: main.cpp. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>

const int A0 = 14;

int analogRead(int pin);
unsigned long micros(void);

struct SerialPort {
    void begin(unsigned long baud);
    void println(const char *text);
    void println(int value);
};

extern SerialPort Serial;

#endif
