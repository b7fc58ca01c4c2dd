/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "width.h"

void width_init(struct width *w, unsigned most)
{
    *w = (struct width){.most = most, .now = most};
}

unsigned width_at(struct width *w, int64_t now_ms)
{
    while (w->now < w->most && now_ms >= w->wider_at) {
        w->now++;
        w->wider_at += w->wait_ms;
    }
    /* It bore all of them for as long as it took to try one more. */
    if (w->now == w->most && w->wait_ms && now_ms >= w->wider_at)
        width_init(w, w->most);
    return w->now;
}

bool width_refused(struct width *w, unsigned bore, int64_t now_ms)
{
    if (bore < 1)
        bore = 1;
    bool news = w->told != bore;
    w->told = bore;
    w->wait_ms = w->wait_ms ? 2 * w->wait_ms : WIDTH_WAIT_MIN_MS;
    if (w->wait_ms > WIDTH_WAIT_MAX_MS)
        w->wait_ms = WIDTH_WAIT_MAX_MS;
    w->now = bore < w->most ? bore : w->most;
    w->wider_at = now_ms + w->wait_ms;
    return news;
}
