/* fuzz_classify_api.c - a class for every reply of the API. */
#include "classify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return classify_one(data, size, wire_classify_api);
}
