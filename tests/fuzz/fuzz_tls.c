/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TLS engine against a server that says anything. The first byte is how many bytes come at
 * once (0: all). Whatever is said, the session is never secured: nobody can sign for a
 * ClientHello that was not there when the bytes were written. */
#include "mem.h"
#include "tls.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char authority[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBVzCB/aADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMTB0Z1enogQ0Ew\n"
    "IBcNMjYxMTI0MDM1ODU1WhgPMjEyNjEwMzEwMzU4NTVaMBIxEDAOBgNVBAMTB0Z1\n"
    "enogQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATntaOwzvCUQvs5sgbN4YU/\n"
    "RELO+OSknY7GC5c7PmfXtTA6e2YT4Xj+fcSwicqr41F4l7XGE5ffumRNbupQqF9r\n"
    "o0IwQDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAdBgNVHQ4EFgQU\n"
    "2sYjvkUk1DVk3tX19VE6pMMUZ1IwCgYIKoZIzj0EAwIDSQAwRgIhAJ/D5ufBtGUL\n"
    "ILT8lb3LeJhwekW1AY58i5HOj1NauOP6AiEAopYIIccGFTSOCfNaQvefMBDMCxLM\n"
    "/bS2AOAhNlunqz4=\n"
    "-----END CERTIFICATE-----\n";

static struct tls_context *new_context(void)
{
    struct err err;
    char path[64];
    int fd = memfd_create("authority", MFD_CLOEXEC);
    BUG_ON(fd < 0);
    BUG_ON(write(fd, authority, sizeof authority - 1) != (ssize_t)sizeof authority - 1);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct tls_context *context = tls_context_new(&(struct tls_policy){.ca_file = path}, &err);
    BUG_ON(!context);
    close(fd);
    return context;
}

static void check_fault(const struct fault *f)
{
    BUG_ON(f->scope != FAULT_SERVER && f->scope != FAULT_ACCOUNT);
    BUG_ON(!f->code[0] || !f->text[0] || f->status[0] != '4');
    for (const char *c = f->reply; *c; c++)
        BUG_ON((unsigned char)*c < 0x20 || *c == 0x7F);
    for (const char *c = f->text; *c; c++)
        BUG_ON((unsigned char)*c < 0x20 || *c == 0x7F);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct tls_context *context;
    struct err err;
    struct buf plain;
    if (n == 0 || n > 65536)
        return 0;
    if (!context)
        context = new_context();
    struct tls *t = tls_new(context, "mail.example.com", &err);
    size_t step = data[0] ? data[0] : n;
    buf_init(&plain, 1024);
    enum tls_status status = tls_next(t, &plain);
    for (size_t at = 1; at < n && status == TLS_WANT; at += step) {
        tls_feed(t, data + at, n - at < step ? n - at : step);
        status = tls_next(t, &plain);
    }
    tls_eof(t, NULL);
    status = tls_next(t, &plain);
    BUG_ON(status != TLS_FAILED);
    BUG_ON(buf_len(&plain) || tls_description(t)[0]);
    check_fault(tls_fault(t));
    if (getenv("FUZZ_TELL"))
        fprintf(stderr, "%s: %s\n", tls_fault(t)->code, tls_fault(t)->text);
    tls_free(t);
    buf_release(&plain);
    return 0;
}
