/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lookup_dns.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

enum {
    ANSWER_MAX = 4096
};

void lookup_dns_ask(const char *host, struct lookup_dns *found)
{
    struct __res_state state;
    unsigned char answer[ANSWER_MAX];
    memset(found, 0, sizeof *found);
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0)
        return;
    if (state.nscount > 0 && state.nsaddr_list[0].sin_family == AF_INET)
        sockname_ip((struct sockaddr *)&state.nsaddr_list[0], found->server);
    state.retry = 1;
    state.retrans = 2; /* s */
    errno = 0;
    found->has_mx = res_nquery(&state, host, ns_c_in, ns_t_mx, answer, sizeof answer) > 0;
    found->refused = !found->has_mx && errno == ECONNREFUSED;
    res_nclose(&state);
}
