/* The board: time, the line to the host, the pins. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#include "clock.h"
#include "kit_ring.h"

/* Starts clock, time base and the line to the host (USART1 on PA9 and PA10). */
struct clocks board_start(void);

uint32_t board_now_ms(void); /* since power-on, wraps */

/* Bytes from the host, filled by the interrupt. What does not fit is dropped, and the frame it belonged to fails
 * its CRC and is counted. */
extern struct kit_ring board_in;

/* Bytes to the host, until the line takes no more at the moment. Never waits. */
void board_send(struct kit_ring *out);

/* Sleeps until the next interrupt, at most a millisecond, unless bytes of the host wait. */
void board_sleep(void);

/* Makes pins of port A speak USART (alternate function 7, 0 to 7 by `tx` and `rx`, or 9 and 10), and the USART
 * 921600 8N1 with an interrupt for each byte received. */
void board_usart(struct usart_registers *usart, uint32_t clock_hz, unsigned tx, unsigned rx, unsigned irq);

#endif
