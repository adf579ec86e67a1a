/* SPDX-License-Identifier: MIT */
/* Private to the Unicorn executor: the marks that the watchdog looks at. */
#ifndef FAULTLINE_ORACLE_UNICORN_WATCHDOG_H
#define FAULTLINE_ORACLE_UNICORN_WATCHDOG_H

/* The engine is entered; it came back (or calls back into the harness). Always in pairs. */
void watchdog_enter(void);
void watchdog_leave(void);

#endif
