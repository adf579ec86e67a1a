/* SPDX-License-Identifier: MIT */
/* Made-up reports, for the page: the tests of html.c, and whoever wants to look at it. */
#ifndef FAULTLINE_TESTS_CONFORM_HTML_SAMPLES_H
#define FAULTLINE_TESTS_CONFORM_HTML_SAMPLES_H

#include "report.h"

/* What a report points to is static. */

/* As a run comes out: seven columns, two dozen classes, nothing unexpected. */
struct report sample_plain(void);
/* Eight columns, 300 classes, every verdict, every mark, and names that want to be markup. */
struct report sample_hostile(void);
/* Nobody was asked anything. */
struct report sample_empty(void);

/* What stands in every text of sample_hostile(), and must not stand in its page. */
#define SAMPLE_MARKUP "<script>x</script>"
/* How many classes it has. */
#define SAMPLE_CLASSES 300u

#endif
