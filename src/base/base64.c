/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, struct str raw)
{
    for (; raw.n; raw = str_tail(raw, 3)) {
        unsigned char b[3] = {(unsigned char)raw.p[0], raw.n > 1 ? (unsigned char)raw.p[1] : 0,
                              raw.n > 2 ? (unsigned char)raw.p[2] : 0};
        char four[4] = {alphabet[b[0] >> 2], alphabet[(b[0] & 3) << 4 | b[1] >> 4],
                        raw.n > 1 ? alphabet[(b[1] & 15) << 2 | b[2] >> 6] : '=',
                        raw.n > 2 ? alphabet[b[2] & 63] : '='};
        buf_put(out, four, sizeof four);
    }
}

/* 0 to 63, or -1. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (str_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group of four; padding is '=' characters allowed at its end. False if it is not base64.
 */
static bool decode_group(struct buf *out, const char *four, bool last)
{
    int pad = !last ? 0 : four[3] != '=' ? 0 : four[2] != '=' ? 1 : 2;
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++) {
        int value = i >= 4 - pad ? 0 : value_of(four[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    if (bits & ((UINT32_C(1) << (8 * pad)) - 1))
        return false;
    char three[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
    buf_put(out, three, (size_t)(3 - pad));
    return true;
}

/* Bytes that text stands for, if it is base64. */
static size_t decoded_bytes(struct str text)
{
    size_t pad = 0;
    while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
        pad++;
    return text.n / 4 * 3 - pad;
}

bool base64_decode(struct buf *out, struct str text)
{
    size_t before = buf_len(out);
    if (text.n % 4 || out->failed || decoded_bytes(text) > buf_space(out))
        return false;
    for (; text.n; text = str_tail(text, 4)) {
        if (!decode_group(out, text.p, text.n == 4)) {
            out->used = before;
            return false;
        }
    }
    return true;
}
