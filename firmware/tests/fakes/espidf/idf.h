// A FAKE of ESP-IDF, for the host: what the port uses of it, and no more. The headers beside this one stand for the
// real ones, and say nothing of their own.
//
// The real ones come with compilers of their own. This lets the port be compiled with every warning an error, and be run
// behind a pseudo-terminal. It says nothing of how a chip behaves, except for what is known of the driver (idf.cpp):
//     - it refuses a receive buffer that is no larger than the hardware's 128 bytes, and loses what the buffer does not
//       hold;
//     - nothing can be read, written or configured before it is installed.
#ifndef TINYHIL_TESTS_FAKES_ESPIDF_IDF_H_
#define TINYHIL_TESTS_FAKES_ESPIDF_IDF_H_

#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;
#define ESP_OK 0
typedef uint32_t TickType_t;
#define portMAX_DELAY 0xFFFFFFFFu
typedef void* QueueHandle_t;
typedef void* TaskHandle_t;

enum uart_port_t { UART_NUM_0, UART_NUM_1, UART_NUM_MAX };
enum uart_word_length_t { UART_DATA_5_BITS, UART_DATA_8_BITS = 3 };
enum uart_parity_t { UART_PARITY_DISABLE };
enum uart_stop_bits_t { UART_STOP_BITS_1 = 1 };
enum uart_hw_flowcontrol_t { UART_HW_FLOWCTRL_DISABLE };
enum uart_sclk_t { UART_SCLK_NONE, UART_SCLK_DEFAULT };

struct uart_config_t {
  int baud_rate;
  uart_word_length_t data_bits;
  uart_parity_t parity;
  uart_stop_bits_t stop_bits;
  uart_hw_flowcontrol_t flow_ctrl;
  uint8_t rx_flow_ctrl_thresh;
  uart_sclk_t source_clk;
};

#define UART_PIN_NO_CHANGE (-1)
#define U0TXD_GPIO_NUM (1)
#define U0RXD_GPIO_NUM (3)

enum ledc_mode_t { LEDC_HIGH_SPEED_MODE, LEDC_LOW_SPEED_MODE };
enum ledc_channel_t { LEDC_CHANNEL_0 };
enum ledc_timer_t { LEDC_TIMER_0 };
enum ledc_timer_bit_t { LEDC_TIMER_8_BIT = 8 };
enum ledc_clk_cfg_t { LEDC_AUTO_CLK };

struct ledc_timer_config_t {
  ledc_mode_t speed_mode;
  ledc_timer_bit_t duty_resolution;
  ledc_timer_t timer_num;
  uint32_t freq_hz;
  ledc_clk_cfg_t clk_cfg;
};

struct ledc_channel_config_t {
  int gpio_num;
  ledc_mode_t speed_mode;
  ledc_channel_t channel;
  ledc_timer_t timer_sel;
  uint32_t duty;
  int hpoint;
};

#define CONFIG_ESP_MAIN_TASK_STACK_SIZE 8192

extern "C" {

esp_err_t uart_driver_install(uart_port_t line, int receive, int send, int events, QueueHandle_t* queue, int flags);
esp_err_t uart_param_config(uart_port_t line, const uart_config_t* config);
esp_err_t uart_set_pin(uart_port_t line, int tx, int rx, int rts, int cts);
esp_err_t uart_wait_tx_done(uart_port_t line, TickType_t ticks);
esp_err_t uart_set_baudrate(uart_port_t line, uint32_t baud);
int uart_read_bytes(uart_port_t line, void* bytes, uint32_t length, TickType_t wait);
int uart_write_bytes(uart_port_t line, const void* bytes, size_t length);

esp_err_t ledc_timer_config(const ledc_timer_config_t* config);
esp_err_t ledc_channel_config(const ledc_channel_config_t* config);
esp_err_t ledc_set_duty(ledc_mode_t mode, ledc_channel_t channel, uint32_t duty);
esp_err_t ledc_update_duty(ledc_mode_t mode, ledc_channel_t channel);

int64_t esp_timer_get_time();
uint32_t esp_random();
unsigned uxTaskGetStackHighWaterMark(TaskHandle_t task);
void vPortYield();

}  // extern "C"

#define taskYIELD() vPortYield()

#endif  // TINYHIL_TESTS_FAKES_ESPIDF_IDF_H_
