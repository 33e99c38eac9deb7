// The fake framework: main(), a clock, and a UART driver on a pseudo-terminal. A thread stands for the receive interrupt,
// so bytes arrive while the program computes.
#include "idf.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <deque>
#include <mutex>
#include <thread>

#include "../line.h"

namespace {

using fakes::fail;

const esp_err_t kOk = 0;
const esp_err_t kFail = -1;
const int kFifo = 128;

int line = -1;
size_t capacity = 0;  // 0 until the driver is installed
bool configured = false;
bool connected = false;
std::mutex guard;
std::deque<uint8_t> arrived;

int led_pin = -1;
uint32_t led_duty = 0;

void receive() {
  for (;;) {
    uint8_t bytes[64];
    const ssize_t got = read(line, bytes, sizeof(bytes));
    if (got < 0 && errno != EINTR) fail("read");
    const std::lock_guard<std::mutex> lock(guard);
    for (ssize_t i = 0; i < got; ++i) {
      if (arrived.size() < capacity) arrived.push_back(bytes[i]);  // the rest is lost
    }
  }
}

}  // namespace

extern "C" {

esp_err_t uart_driver_install(uart_port_t port, int receive_bytes, int, int, QueueHandle_t*, int) {
  if (port != UART_NUM_0 || capacity != 0 || receive_bytes <= kFifo) return kFail;
  capacity = static_cast<size_t>(receive_bytes);
  std::thread(receive).detach();
  return kOk;
}

esp_err_t uart_param_config(uart_port_t port, const uart_config_t* config) {
  configured = port == UART_NUM_0 && config->baud_rate == TINYHIL_BAUD && config->data_bits == UART_DATA_8_BITS &&
               config->parity == UART_PARITY_DISABLE && config->stop_bits == UART_STOP_BITS_1 &&
               config->flow_ctrl == UART_HW_FLOWCTRL_DISABLE && config->source_clk == UART_SCLK_DEFAULT;
  return configured ? kOk : kFail;
}

esp_err_t uart_set_pin(uart_port_t port, int tx, int rx, int rts, int cts) {
  connected = port == UART_NUM_0 && tx == U0TXD_GPIO_NUM && rx == U0RXD_GPIO_NUM && rts < 0 && cts < 0;
  return connected ? kOk : kFail;
}

int uart_read_bytes(uart_port_t port, void* bytes, uint32_t length, TickType_t) {
  if (port != UART_NUM_0 || capacity == 0 || !configured || !connected) return -1;
  const std::lock_guard<std::mutex> lock(guard);
  uint32_t got = 0;
  for (; got < length && !arrived.empty(); ++got) {
    static_cast<uint8_t*>(bytes)[got] = arrived.front();
    arrived.pop_front();
  }
  return static_cast<int>(got);
}

static bool drained = true;

esp_err_t uart_wait_tx_done(uart_port_t, TickType_t ticks) {
  drained = ticks == portMAX_DELAY;
  return kOk;
}

// What has not left the line by then would leave it at the new rate.
esp_err_t uart_set_baudrate(uart_port_t, uint32_t baud) {
  printf("%s at %u bit/s\n", drained ? "whole" : "CUT", static_cast<unsigned>(baud));
  fflush(stdout);
  return kOk;
}

int uart_write_bytes(uart_port_t port, const void* bytes, size_t length) {
  drained = false;
  if (port != UART_NUM_0 || capacity == 0 || !configured || !connected) return -1;
  return static_cast<int>(write(line, bytes, length));
}

esp_err_t ledc_timer_config(const ledc_timer_config_t* config) {
  return config->duty_resolution == LEDC_TIMER_8_BIT && config->freq_hz != 0 ? kOk : kFail;
}

esp_err_t ledc_channel_config(const ledc_channel_config_t* config) {
  led_pin = config->gpio_num;
  return kOk;
}

esp_err_t ledc_set_duty(ledc_mode_t, ledc_channel_t, uint32_t duty) {
  led_duty = duty;  // shows with the next update
  return kOk;
}

esp_err_t ledc_update_duty(ledc_mode_t, ledc_channel_t) {
  printf("pin %d brightness %u\n", led_pin, static_cast<unsigned>(led_duty));
  return kOk;
}

int64_t esp_timer_get_time() { return fakes::clock_in(1000000); }

uint32_t esp_random() {
  uint32_t value = 0;
  if (getentropy(&value, sizeof(value)) != 0) fail("random number");
  return value;
}

unsigned uxTaskGetStackHighWaterMark(TaskHandle_t task) { return task == nullptr ? 5192 : 0; }

void vPortYield() {
  struct pollfd nothing = {-1, 0, 0};
  poll(&nothing, 1, 1);
}

void app_main();

}  // extern "C"

int main() {
  line = fakes::open_line();
  app_main();
  return 0;
}
