// Where the buffers go: a broker on this network without a password, for a first try.
//
// For a broker with TLS, users and an ACL, replace this file by what habitd's host prints:
//     sudo habit node add pump-1 --gateway gw-1 --ca /etc/habit/tls/ca.pem > node.h
#include <MQTT.h>
#include <WiFiClient.h>

static const char habit_broker[] = "192.168.1.10";
static const char habit_user[] = "pump-1";                       // here only the name of the MQTT client
static const char habit_topic[] = "habit/v1/gw-1/pump-1/buffer"; // gw-1: [gateway] id of habitd; pump-1: the machine

static WiFiClient habit_socket;
static MQTTClient habit_mqtt(16384);

static bool habit_connect()
{
    habit_mqtt.begin(habit_broker, 1883, habit_socket);
    return habit_mqtt.connect(habit_user);
}
