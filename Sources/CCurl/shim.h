#pragma once
#include <curl/curl.h>

// curl_easy_setopt and curl_easy_getinfo take a variable argument, which Swift cannot call.
typedef size_t (*kc_receiver)(char *data, size_t size, size_t count, void *context);
static inline CURLcode kc_set_text(CURL *curl, CURLoption option, const char *value) { return curl_easy_setopt(curl, option, value); }
static inline CURLcode kc_set_long(CURL *curl, CURLoption option, long value) { return curl_easy_setopt(curl, option, value); }
static inline CURLcode kc_set_list(CURL *curl, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(curl, option, value);
}
static inline CURLcode kc_set_pointer(CURL *curl, CURLoption option, void *value) { return curl_easy_setopt(curl, option, value); }
static inline CURLcode kc_set_receiver(CURL *curl, CURLoption option, kc_receiver value) { return curl_easy_setopt(curl, option, value); }
static inline CURLcode kc_get_long(CURL *curl, CURLINFO info, long *value) { return curl_easy_getinfo(curl, info, value); }
