// Port for Espressif's own framework, ESP-IDF 5: a UART of the chip behind a serial converter, esp_timer and LEDC.
//
// What differs between boards is said by macros, which the target file sets:
//     TINYHIL_BAUD              line rate in bit/s
//     TINYHIL_WINDOW            largest requests on their way at once, see port.h
//     TINYHIL_RECEIVE_BUFFER    bytes that the driver holds: nothing makes the host wait
//     TINYHIL_LED               pin of an LED that takes PWM; absent where there is none
// The console of ESP-IDF would share the line; the project's sdkconfig.defaults turn it off.
#include <driver/ledc.h>
#include <driver/uart.h>
#include <esp_random.h>
#include <esp_timer.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>
#include <sdkconfig.h>
#include <soc/uart_pins.h>

#include "port.h"

namespace tinyhil {
namespace port {
namespace {

static_assert(TINYHIL_WINDOW >= 1 && TINYHIL_WINDOW <= 255, "port.h");

const uart_port_t kLine = UART_NUM_0;

// What the driver has handed over, some at a time: each call of it takes a lock.
uint8_t arrived[64];
size_t held = 0;
size_t next = 0;

// What write() has taken. It leaves when it is full or when there is nothing more to read.
uint8_t leaving[128];
size_t taken = 0;

void flush() {
  if (taken != 0) uart_write_bytes(kLine, leaving, taken);
  taken = 0;
}

}  // namespace

void init() {
  uart_config_t line = {};
  line.baud_rate = TINYHIL_BAUD;
  line.data_bits = UART_DATA_8_BITS;
  line.parity = UART_PARITY_DISABLE;
  line.stop_bits = UART_STOP_BITS_1;
  line.flow_ctrl = UART_HW_FLOWCTRL_DISABLE;
  line.source_clk = UART_SCLK_DEFAULT;
  // Without a buffer for what leaves: write() waits for the line, as port.h has it.
  uart_driver_install(kLine, TINYHIL_RECEIVE_BUFFER, 0, 0, nullptr, 0);
  uart_param_config(kLine, &line);
  uart_set_pin(kLine, U0TXD_GPIO_NUM, U0RXD_GPIO_NUM, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE);
}

int read() {
  if (next == held) {
    next = 0;
    const int got = uart_read_bytes(kLine, arrived, sizeof(arrived), 0);
    held = got > 0 ? static_cast<size_t>(got) : 0;
  }
  if (next == held) {
    flush();
    return -1;
  }
  return arrived[next++];
}

void write(const uint8_t* bytes, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    leaving[taken++] = bytes[i];
    if (taken == sizeof(leaving)) flush();
  }
}

bool set_rate(uint32_t rate) {
  flush();
  uart_wait_tx_done(kLine, portMAX_DELAY);
  return uart_set_baudrate(kLine, rate != 0 ? rate : TINYHIL_BAUD) == ESP_OK;
}

uint8_t window() { return TINYHIL_WINDOW; }

uint32_t ticks() { return static_cast<uint32_t>(esp_timer_get_time()); }

uint32_t tick_rate() { return 1000000; }

uint32_t milliseconds() { return static_cast<uint32_t>(esp_timer_get_time() / 1000); }

uint32_t boot_id() {
  static uint32_t id = 0;
  if (id == 0) id = esp_random() | 1;  // seeded by the second-stage bootloader
  return id;
}

void led(uint8_t brightness) {
#ifdef TINYHIL_LED
  const ledc_mode_t mode = LEDC_LOW_SPEED_MODE;
  const ledc_channel_t channel = LEDC_CHANNEL_0;
  static bool configured = false;
  if (!configured) {
    configured = true;
    ledc_timer_config_t timer = {};
    timer.speed_mode = mode;
    timer.duty_resolution = LEDC_TIMER_8_BIT;
    timer.timer_num = LEDC_TIMER_0;
    timer.freq_hz = 5000;
    timer.clk_cfg = LEDC_AUTO_CLK;
    ledc_timer_config(&timer);
    ledc_channel_config_t output = {};
    output.gpio_num = TINYHIL_LED;
    output.speed_mode = mode;
    output.channel = channel;
    output.timer_sel = LEDC_TIMER_0;
    ledc_channel_config(&output);
  }
  ledc_set_duty(mode, channel, brightness);
  ledc_update_duty(mode, channel);
#else
  static_cast<void>(brightness);
#endif
}

uint32_t stack_bytes() { return CONFIG_ESP_MAIN_TASK_STACK_SIZE; }

// FreeRTOS fills a new stack with a pattern and counts what is left of it, on these chips in bytes. None left is also
// the answer of a system that does not count: then it is unknown.
uint32_t stack_used() {
  const uint32_t untouched = static_cast<uint32_t>(uxTaskGetStackHighWaterMark(nullptr));
  return untouched == 0 ? 0 : stack_bytes() - untouched;
}

void idle() { taskYIELD(); }

}  // namespace port
}  // namespace tinyhil
