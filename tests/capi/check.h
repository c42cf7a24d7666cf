/* A few words of a test framework in C. A failed check is counted and printed with its place. */
#ifndef FJORD_TESTS_CAPI_CHECK_H
#define FJORD_TESTS_CAPI_CHECK_H

#include <fjord/c.h>

/* condition, or the text and its place are printed. */
void check_true(int condition, const char* text, const char* file, int line);
/* The status of `text` must be `wanted` and the sentence contain `part`, one line of at most 511 bytes. */
void check_status(fjord_status got, fjord_status wanted, const char* part, const char* text, const char* file,
                  int line);

#define CHECK(condition) check_true((condition) != 0, #condition, __FILE__, __LINE__)
#define CHECK_OK(call) check_status((call), FJORD_OK, "", #call, __FILE__, __LINE__)
#define CHECK_FAILS(call, status, part) check_status((call), (status), (part), #call, __FILE__, __LINE__)

/* weights/tiny, loaded once with one thread. */
fjord_pipeline tiny_model(void);
/* A request for a picture of 32x32 in 2 steps. */
fjord_request small_request(void);
/* 32 * 32 * 3 bytes of small_request's picture must come again: nothing that went before may have changed it. */
void check_same_picture(const char* file, int line);
#define CHECK_SAME_PICTURE() check_same_picture(__FILE__, __LINE__)

void test_parameters(void);
void test_handles(void);
void test_results(void);
void test_loading(const char* folder);
void test_adapters(const char* folder);
void test_plan(void);
void test_jobs(void);
void test_callbacks(void);

#endif
