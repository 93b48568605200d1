// ADXL345 on SPI: equally spaced samples out of its FIFO of 32.
#include <SPI.h>

struct Sample {
    int16_t x, y, z; // steps of 1/256 g
};

class Adxl345
{
  public:
    static const uint32_t rate = 1600, fifo = 32;

    explicit Adxl345(int select) : select(select)
    {
    }

    // False: it does not answer.
    bool begin()
    {
        pinMode(select, OUTPUT);
        digitalWrite(select, HIGH);
        SPI.begin();
        if (get(0x00) != 0xE5)
            return false;
        put(0x2D, 0x00); // POWER_CTL: standby
        put(0x2C, 0x0E); // BW_RATE: 1600 Hz
        put(0x31, 0x0B); // DATA_FORMAT: full resolution, +-16 g
        put(0x2D, 0x08); // measure
        empty();
        return true;
    }

    void empty()
    {
        put(0x38, 0x00); // FIFO_CTL: bypass
        put(0x38, 0x80); // stream: the newest 32
    }

    uint32_t waiting()
    {
        return get(0x39) & 0x3F;
    } // FIFO_STATUS

    // The oldest of those that wait.
    Sample next()
    {
        uint8_t bytes[6] = {};
        transfer(0x80 | 0x40 | 0x32, bytes, 6);
        return { word(bytes), word(bytes + 2), word(bytes + 4) };
    }

  private:
    const int select;

    static int16_t word(const uint8_t *bytes)
    {
        return (int16_t)(bytes[0] | bytes[1] << 8);
    }

    void transfer(uint8_t command, uint8_t *bytes, size_t count)
    {
        SPI.beginTransaction(SPISettings(2000000, MSBFIRST, SPI_MODE3));
        digitalWrite(select, LOW);
        SPI.transfer(command);
        for (size_t i = 0; i < count; i++)
            bytes[i] = SPI.transfer(bytes[i]);
        digitalWrite(select, HIGH);
        SPI.endTransaction();
    }

    uint8_t get(uint8_t address)
    {
        uint8_t value = 0;
        transfer(0x80 | address, &value, 1);
        return value;
    }

    void put(uint8_t address, uint8_t value)
    {
        transfer(address, &value, 1);
    }
};
