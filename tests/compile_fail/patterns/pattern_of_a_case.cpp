// The rules of patterns hold where they are a dispatcher's.
// expect: a word of a topic pattern has * inside
#include <leveret/dispatch.hpp>

void handler() {}
bool use()
{
    return leveret::dispatch<leveret::on<"kern.x*", handler>>().call("kern.x");
}
